"""Make the catalogues of translated texts anew: find all texts, keep what is translated, compile.

English is written at its site: the second argument of our errors, the first of `Message` and of
`template`, and the help texts of commands. click's own sentences are translated with ours.
"""

from __future__ import annotations

import inspect
import re
import sys
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import click
import yaml
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from reportkit import errors
from reportkit.cli import cli
from reportkit.language.catalogue import DOMAIN, FOLDER
from reportkit.language.message import UNTRANSLATED

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
LANGUAGES = ("zh",)
# Sentences of the system and of libraries.
_FOREIGN = ROOT / "tools/library_texts.yaml"
# Where the text stands among the arguments of what is called.
_OURS = {"Message": None, "template": None} | {
    name: (2,)
    for name, one in vars(errors).items()
    if isinstance(one, type) and issubclass(one, errors.ReportkitError)
}
_OURS["on_refusal"] = (2,)
_CLICK = {"_": None, "gettext": None, "ngettext": (1, 2)}
# A text that only puts others together is the same in every language.
_JOINS = re.compile(r"(?:\{[^{}]*\}[^a-z{}]*)+", re.IGNORECASE)
# What a form says of a column that is not there.
_WITHOUT = re.compile(r'without: "([^"]*)"')
# What click 8.2 says otherwise, the least version that we allow.
_OLDER = ("No such option: {name}", "{value!r} is not a valid boolean.")
# Parts of click that no command of ours uses.
_UNUSED = ("_termui_impl.py", "_winconsole.py", "termui.py")


def texts() -> dict[str | tuple[str, ...], list[str]]:
    """Return every text of ours with the files that it is in."""
    found: dict[str | tuple[str, ...], list[str]] = {}
    for name, _, text, *_ in extract_from_dir(ROOT / "src", [("**.py", "python")], keywords=_OURS):
        if isinstance(text, str) and (text == UNTRANSLATED or not _JOINS.fullmatch(text)):
            found.setdefault(text, []).append(f"src/{name}")
    for text in helps():
        found.setdefault(text, []).append("src/reportkit/cli")
    for listed in yaml.safe_load(_FOREIGN.read_text(encoding="utf-8")).values():
        for text in listed:
            found.setdefault(text, []).append(str(_FOREIGN.relative_to(ROOT)))
    for path in sorted((ROOT / "src/reportkit/forms").glob("*/ledgers.yaml")):
        for text in _WITHOUT.findall(path.read_text(encoding="utf-8")):
            found.setdefault(text, []).append(str(path.relative_to(ROOT)))
    return found


def texts_of_click() -> dict[str | tuple[str, ...], list[str]]:
    """Return click's own sentences that its commands can print."""
    folder = Path(inspect.getfile(click)).parent
    found: dict[str | tuple[str, ...], list[str]] = {text: ["click"] for text in _OLDER}
    for name, _, text, *_ in extract_from_dir(folder, [("**.py", "python")], keywords=_CLICK):
        if name not in _UNUSED and not (isinstance(text, str) and _JOINS.fullmatch(text)):
            found.setdefault(text, []).append(f"click/{name}")
    return found


def helps() -> Iterator[str]:
    """Yield the help texts of commands and options."""
    for command in (cli, *cli.commands.values()):
        yield inspect.cleandoc(command.help or "")
        for option in command.params:
            if isinstance(option, click.Option) and option.help:
                yield option.help


def renewed(language: str) -> Catalog:
    """Return the catalogue of a language with the texts as they are now; the rest is dropped."""
    path = FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    old = read_po(BytesIO(path.read_bytes()), language) if path.is_file() else Catalog(language)
    new = Catalog(
        language,
        project="reportkit",
        copyright_holder="reportkit contributors",
        creation_date=old.creation_date,
        revision_date=old.revision_date,
        fuzzy=False,
    )
    found = texts()
    for text, files in sorted({**texts_of_click(), **found}.items(), key=lambda item: str(item[0])):
        before = old.get(text if isinstance(text, str) else text[0])
        places = [(name, 0) for name in sorted(set(files))]
        new.add(text, before.string if before else None, locations=places)
    return new


def as_po(catalogue: Catalog) -> bytes:
    """Return a catalogue as the file that translators work on."""
    out = BytesIO()
    write_po(out, catalogue, width=100, ignore_obsolete=True, include_lineno=False)
    return out.getvalue()


def as_mo(catalogue: Catalog) -> bytes:
    """Return a catalogue as the file that a program reads."""
    out = BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def main() -> None:
    """Write both files of each language, and say what is not translated."""
    for language in LANGUAGES:
        catalogue = renewed(language)
        place = FOLDER / language / "LC_MESSAGES"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{DOMAIN}.po").write_bytes(as_po(catalogue))
        (place / f"{DOMAIN}.mo").write_bytes(as_mo(catalogue))
        for message in catalogue:
            if message.id and not (message.string and all(message.string)):
                sys.stdout.write(f"{language}: not translated: {message.id}\n")


if __name__ == "__main__":
    main()
