"""The statutory form: editions as YAML, and the model that reads them."""

from reportkit.forms.edition import Cell, Follow, Form, Leaf, Rule, Table, form_for, forms

__all__ = ["Cell", "Follow", "Form", "Leaf", "Rule", "Table", "form_for", "forms"]
