"""Statutory forms as folders of data, and the model that reads them."""

from reportkit.forms.cells import Cell, Leaf, Table
from reportkit.forms.edition import Edition
from reportkit.forms.form import DEFAULT, Form, form_names, project_form, shipped_form
from reportkit.forms.model import Follow, Rule

__all__ = [
    "DEFAULT",
    "Cell",
    "Edition",
    "Follow",
    "Form",
    "Leaf",
    "Rule",
    "Table",
    "form_names",
    "project_form",
    "shipped_form",
]
