"""District parameters: ``params/districts/<id>.yaml``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, PrivateAttr

from reportkit.forms import DEFAULT
from reportkit.params.mapping import LedgerMappings
from reportkit.params.naming import own_word, report_name
from reportkit.params.sources import LedgerSources
from reportkit.yamlfile import Strict

Scope = Literal["district", "office"]
Level = Literal["department", "county", "city", "province"]


class Contact(Strict):
    """Contact for readers.

    Parameters
    ----------
    address, postcode, phone, fax, email : str, optional
        For the text, ``{{ district.contact.phone }}``.
    """

    address: str | None = None
    postcode: str | None = None
    phone: str | None = None
    fax: str | None = None
    email: str | None = None


class Fonts(Strict):
    """Typefaces that the office may use itself, for the PDF.

    Parameters
    ----------
    folder : str
        Where their files are, beside the folders of ``params``.
    fang, kai, hei, biao, song : str, optional
        Name of the family to use for text, （一）, 一、, title and red head, tables; ours where
        none is named.
    """

    folder: str
    fang: str | None = None
    kai: str | None = None
    hei: str | None = None
    biao: str | None = None
    song: str | None = None


class District(Strict):
    """District that reports: ``params/districts/<id>.yaml``.

    Parameters
    ----------
    id : str
        The name of the file: lower case letters, digits, ``-`` and ``_``.
    name : str
        As printed: 厦门市湖里区.
    pinyin : str, optional
        The name as it is read, syllable by syllable, where that is not as usual: ``shan xian`` of
        单县. The catalogue is searched by it too.
    we : str, optional
        How it calls itself in the text, ``{{ district.we }}``: 我局, 我县; by its name if left out.
    code : str, optional
        GB/T 2260 code, ``350206``.
    issuer : str, optional
        Who issues the report: 厦门市湖里区人民政府.
    office : str, optional
        Who made it: 厦门市湖里区人民政府办公室.
    parent : str, optional
        Id of the district whose report sums up this one's.
    scope : {"district", "office"}
        汇总, the whole district, or 本机关, the office alone.
    level : {"department", "county", "city", "province"}
        Whose deadline holds.
    form : str
        The statutory form that it reports by: a folder of the project's ``forms/``, or one that the
        package carries.
    forms : list of str, optional
        Further forms that it reports by, beside its own.
    website : str, optional
        Where the report is published; for the text, as is all that nothing prints by itself.
    contact : Contact, optional
        Where readers turn to.
    document_prefix : str, optional
        What a document number begins with: 厦湖府.
    synthetic : bool
        The ledgers are demonstration data; every document says so.
    fonts : Fonts, optional
        Typefaces of the office's own.
    ledgers : mapping, optional
        Ledger key to the paths or databases it is read from; ``data/<id>/`` where none is named.
    mapping : mapping, optional
        Ledger key to how the office keeps it in its own words: one mapping, the name of one that
        the package carries, or a list of either where files differ.
    """

    id: str
    name: str
    pinyin: str | None = None
    we: str | None = None
    code: str | None = None
    issuer: str | None = None
    office: str | None = None
    parent: str | None = None
    scope: Scope = "district"
    level: Level = "county"
    form: str = DEFAULT
    forms: list[str] = Field(default_factory=list)
    website: str | None = None
    contact: Contact = Contact()
    document_prefix: str | None = None
    synthetic: bool = False
    fonts: Fonts | None = None
    ledgers: dict[str, LedgerSources] = Field(default_factory=dict)
    mapping: dict[str, LedgerMappings] = Field(default_factory=dict)
    _usual: str | None = PrivateAttr(None)

    def by(self, form: str | None) -> District:
        """The district as it reports by a form; by the usual one where none is named."""
        made = self.model_copy(update={"form": form or self.usual_form})
        made._usual = self.usual_form
        return made

    @property
    def usual_form(self) -> str:
        """The form that its file names, by which it reports where nothing else is asked for."""
        return self.form if self._usual is None else self._usual

    @property
    def other_form(self) -> str | None:
        """The form that it reports by where that is not its usual one."""
        return None if self.form == self.usual_form else self.form

    @property
    def all_forms(self) -> tuple[str, ...]:
        """The forms that its file names, the usual one first, and the one that it reports by."""
        return tuple(dict.fromkeys([self.usual_form, *self.forms, self.form]))

    def report_name(self, year: int) -> str:
        """The name of its report of a year, of its folder and its files.

        Examples
        --------
        >>> district = District(id="a", name="甲区", form="b")
        >>> [district.by(form).report_name(2024) for form in (None, "b", "c")]
        ['2024', '2024', '2024-c']
        """
        return report_name(year, self.other_form)

    def printable(self) -> dict[str, Any]:
        """Return the fields that a text may print, ``{{ district.contact.phone }}``, by name."""
        printed = self.model_dump(
            exclude={"pinyin", "synthetic", "form", "forms", "fonts", "ledgers"}
        )
        return printed | {"we": self.we or own_word(self.name)}
