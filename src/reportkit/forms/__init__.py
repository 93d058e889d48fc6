"""The statutory form: editions as YAML, and the model that reads them."""

from reportkit.forms.cells import Cell, Leaf, Table
from reportkit.forms.edition import Form, form_for, forms
from reportkit.forms.model import Follow, Rule

__all__ = ["Cell", "Follow", "Form", "Leaf", "Rule", "Table", "form_for", "forms"]
