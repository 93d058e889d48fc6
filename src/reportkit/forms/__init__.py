"""The statutory form: editions as YAML, and the model that reads them."""

from reportkit.forms.edition import Cell, Form, Leaf, Rule, Table, form_for, forms

__all__ = ["Cell", "Form", "Leaf", "Rule", "Table", "form_for", "forms"]
