"""Catalogues of translated texts, as they ship."""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reportkit.language.message import Translate

DOMAIN = "reportkit"
FOLDER = Path(__file__).parents[1] / "locale"


@cache
def translator(language: str) -> Translate:
    """Return the function that translates templates into a language; English stays as it is."""
    if language == "en":
        return str
    return gettext.translation(DOMAIN, FOLDER, [language]).gettext


def translator_here() -> Translate:
    """Return the translator for the locale of this process, as gettext finds it."""
    return gettext.translation(DOMAIN, FOLDER, fallback=True).gettext
