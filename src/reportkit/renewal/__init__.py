"""A new year's parameters and narrative from the last one's, and what is left to do by hand.

Nothing of last year may stand unseen: figures that no ledger holds are emptied, what is typed is
listed with its line, and only what can mean nothing but the report year is advanced.
"""

from reportkit.renewal.files import Renewal, renew
from reportkit.renewal.texts import Note, renew_narrative, renew_parameters

__all__ = ["Note", "Renewal", "renew", "renew_narrative", "renew_parameters"]
