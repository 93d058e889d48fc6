"""One report, computed: its inputs, facts, text and checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from reportkit.checks import Check, accept, meant_later, refuse_broken, rules_of
from reportkit.errors import InputError
from reportkit.facts import Computer, Fact, Facts, to_come
from reportkit.facts.previous import Past, figures_of
from reportkit.facts.sealed import SealedFacts
from reportkit.facts.specs import read_specs
from reportkit.language import Message, joined
from reportkit.ledgers import Ledgers, schemas
from reportkit.notebook.checking import every_check
from reportkit.notebook.corrected import with_corrections
from reportkit.params import Declared, District, Project, ReportParams, Scope, Waiver
from reportkit.rollup.members import Member, counts_itself, read_members
from reportkit.rollup.sums import Sums
from reportkit.text.coverage import Coverage, cover
from reportkit.text.narrative import UNWRITTEN, Narrative, render
from reportkit.yamlfile import read_prose

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Self

    from reportkit.checks.rules import Rules
    from reportkit.facts.specs import FactSpec
    from reportkit.forms import Edition, Form
    from reportkit.ledgers.district import Kept
    from reportkit.params.hierarchy import Hierarchy


@dataclass
class Compilation:
    """One report of one district and year, computed as far as it is asked for.

    Parameters
    ----------
    project, district, year, form, edition, params, scope
        The body that reports, the form and edition, and the parameters of the report.
    as_draft : bool
        Asked for, or no narrative that is written to its end; see `is_draft`.
    ledgers, absent
        The ledgers read, and the keys of those that the edition can do without.
    computer : Computer
    past : Past or None
        Last year's report.
    members : mapping of str to Member
        Reports of the year that this one sums up.
    sums : Sums or None
        Of a roll-up: the sums of its members' facts, which are its own.
    later : frozenset of str or None
        Facts that the notebook will make, as far as they are known beforehand: the text may name
        no others that are not there. None where any could be made.
    waivers_left : list of Waiver
        Waivers that mean no finding yet: they may mean one of the notebook's.
    own : dict of str to Fact
        Facts that the notebook has made.
    """

    project: Project
    district: District
    year: int
    form: Form
    edition: Edition
    params: ReportParams
    scope: Scope
    as_draft: bool
    ledgers: Ledgers
    computer: Computer
    absent: tuple[str, ...]
    past: Past | None
    members: Mapping[str, Member]
    sums: Sums | None = None
    later: frozenset[str] | None = None
    waivers_left: list[Waiver] = field(default_factory=list)
    own: dict[str, Fact] = field(default_factory=dict)

    @classmethod
    def open(
        cls,
        district: str,
        year: int,
        *,
        form: str | None = None,
        scope: Scope | None = None,
        draft: bool = False,
        params: str | Path | None = None,
        data: str | Path | None = None,
        out: str | Path | None = None,
        hierarchy: Hierarchy | None = None,
        rollup: bool = False,
        kept: Kept | None = None,
        tell: Callable[[str, int], object] = lambda _name, _rows: None,
    ) -> Self:
        """Read parameters, ledgers and last year's report; as `reportkit.open_report`.

        Parameters
        ----------
        hierarchy : Hierarchy, optional
            Who sums up whom, where that was read before.
        rollup : bool
            Add the members' reports instead of reading ledgers; see `reportkit.open_rollup`.
        kept : dict, optional
            Ledgers read before; see `Ledgers`.
        tell : callable
            Is given the file or table that is being read and the rows read of it so far.
        """
        project = Project.find(params, data, out)
        who = project.district(district, form)
        district = who.id
        by = project.form(who.form)
        edition = by.edition(year)
        refuse_broken(by, edition)
        report = project.report(who, year)
        text = project.report_file(who, year, "md")
        draft = draft or not text.is_file() or UNWRITTEN.encode() in text.read_bytes()
        ledgers = Ledgers(project, who, tell, kept=kept)
        absent: tuple[str, ...] = ()
        hierarchy = hierarchy or project.hierarchy_of(district, whole=rollup)
        if rollup:
            scope, members = "district", hierarchy.members_to_sum(district)
        else:
            scope, members = scope or who.scope, hierarchy.members(district)
            folder = project.data / district
            absent = _read_all(
                ledgers, edition, folder, district=district, year=year, sums_up=bool(members)
            )
        past = figures_of(project, who, year - 1, scope=scope)
        read = read_members(
            project,
            who,
            year,
            hierarchy,
            edition=(by.name, edition.name) if rollup else None,
            members=members if scope == "district" else (),
            own=rollup and counts_itself(project, who),
        )
        cells = edition.cells(year)
        names = {key: schema.name for key, schema in schemas(by).items()}
        sums = Sums(read, {cell.id: cell for cell in cells}, names) if rollup else None
        if sums and not sums.present:
            raise _no_members(len(read), project, district, year)
        specs, declared = read_specs(by, project.params / "facts"), report.declared
        if sums:
            specs, declared = _beside_sums(sums, specs, declared, year)
        computer = Computer(
            year,
            cells=cells,
            specs=specs,
            declared=declared,
            ledgers=ledgers,
            past=past.values if past else None,
            names=names,
            count=sums.fact if sums else None,
        )
        if not draft:
            _refuse_to_do(report, district)
        return cls(
            project=project,
            district=who,
            year=year,
            form=by,
            edition=edition,
            params=report,
            scope=scope,
            as_draft=draft,
            ledgers=ledgers,
            computer=computer,
            absent=absent,
            past=past,
            members=read,
            sums=sums,
        )

    @property
    def rules(self) -> Rules:
        """Every rule of the form, as the edition has it."""
        return rules_of(self.form, self.edition)

    @property
    def is_draft(self) -> bool:
        """Asked for, or no narrative that is written to its end, or an open error."""
        return self.as_draft or any(c.open and c.severity == "error" for c in self.all_checks)

    @property
    def made(self) -> list[Past | Member]:
        """Reports that were made already and that this one is compared with, or adds."""
        return [*([self.past] if self.past else []), *self.members.values()]

    @property
    def facts(self) -> Facts:
        """All facts of the report so far, by id: those that are defined, and the notebook's own."""
        return Facts(dict(self.computer.possible()) | self.own)

    def get(self, name: str) -> Fact:
        """One fact for the text; one that the notebook makes later is still to do.

        Raises
        ------
        InputError
            ``fact-unknown``.
        """
        if name in self.own:
            return self.own[name]
        if name in self.computer or not (self.later is None or name in self.later):
            return self.computer.get(name)
        return to_come(name)

    def add(self, fact: Fact) -> None:
        """Add a fact that the notebook has made; a text that names it is rendered again."""
        self.own[fact.id] = fact
        if fact.id in self.narrative.places:
            for computed in ("narrative", "coverage", "all_checks"):
                self.__dict__.pop(computed, None)

    def adopt(self, document: Mapping[str, Any]) -> None:
        """Add the facts of a sealed document that a notebook has made."""
        own = [fact for fact in document["facts"] if fact["id"] not in self.computer]
        for fact in SealedFacts.read({"facts": own}, {}).facts.values():
            self.add(fact)

    @property
    def awaited(self) -> list[str]:
        """Facts that the text names and that are not there yet."""
        return [n for n in self.narrative.places if n not in self.computer and n not in self.own]

    def computed(self) -> Facts:
        """All statutory cells, and the other facts that were computed so far."""
        for name in self.computer.cells:
            self.computer.get(name)
        return Facts(self.computer.facts)

    @cached_property
    def narrative(self) -> Narrative:
        """The rendered text."""
        path = self.project.report_file(self.district, self.year, "md")
        if path.is_file():
            template, name = read_prose(path), path.as_posix()
        else:
            template, name = self.edition.narrative, f"default narrative {self.edition.name}"
        text = render(template, figures=self, edition=self.edition, context=self.context, name=name)
        made = self.params.corrections
        return with_corrections(text, made, figures=self, context=self.context) if made else text

    @property
    def context(self) -> dict[str, Any]:
        """Values besides facts that a text can name."""
        return {"year": self.year, "district": self.district.printable()}

    @cached_property
    def coverage(self) -> Coverage:
        """The text with each of its numbers: bound to a fact, allowed, or unbound."""
        units = {name: self.get(name).unit for name in self.narrative.places}
        return cover(self.narrative.sections, units)

    @cached_property
    def all_checks(self) -> list[Check]:
        """Every rule that applies, and what was accepted of its findings.

        Facts that a notebook adds take no part, so that the head, in the first cell, knows already
        if the report is a draft.
        """
        _ = self.narrative
        self._compute_relations()
        checks = every_check(self)
        self.waivers_left = meant_later(checks, self.params.waivers)
        applied = [waiver for waiver in self.params.waivers if waiver not in self.waivers_left]
        return accept(self.rules, checks, applied)

    def _compute_relations(self) -> None:
        for relation in self.params.relations:
            for name in relation.facts:
                try:
                    self.computer.get(name)
                except InputError as error:
                    file = self.project.report_file(self.district, self.year, "yaml")
                    raise InputError(
                        "relation",
                        "{file}: relation '{title}': {message}",
                        file=file,
                        title=relation.title,
                        message=error.message,
                    ) from None

    def facts_document(self) -> dict[str, Any]:
        """The document ``facts.json``; it is not to be changed.

        It holds every fact that is defined and can be computed, so that text in a notebook can
        name any of them.
        """
        _ = self.all_checks
        places: dict[str, tuple[str, ...]] = {
            cell.id: (f"table:{cell.table}",) for cell in self.computer.cells.values()
        }
        for name, where in self.narrative.places.items():
            places[name] = places.get(name, ()) + where
        for name, fact in self.own.items():
            places[name] = fact.places + places.get(name, ())
        return self.facts.placed(places).as_json(
            district=self.district.id, year=self.year, edition=self.edition.name, scope=self.scope
        )


def _no_members(count: int, project: Project, district: str, year: int) -> InputError:
    return InputError(
        "members-missing",
        "none of the {count} members of {district} has a report of {year}; make theirs "
        "first, or put what was published into {folder}/<member>/{year}.published.json",
        count=count,
        folder=project.params / "reports",
        district=district,
        year=year,
    )


def _beside_sums(
    sums: Sums, specs: Mapping[str, FactSpec], declared: list[Declared], year: int
) -> tuple[dict[str, FactSpec], list[Declared]]:
    """Definitions and declared facts of a parent that its members' sums do not give.

    A figure that cannot be added may be declared; what a parent declares of one that is added is
    compared with the sum.
    """
    ids = {fact.id for fact in declared}
    added = {
        name: spec
        for name, spec in specs.items()
        if name not in ids or not spec.ledger or sums.adds(name, spec.definition(year))
    }
    return added, [fact for fact in declared if fact.id not in {*sums.cells, *added}]


def _read_all(
    ledgers: Ledgers,
    edition: Edition,
    folder: Path,
    *,
    district: str,
    year: int,
    sums_up: bool,
) -> tuple[str, ...]:
    """Read every ledger that the edition can use; return the keys of those that are not there."""
    needed, known = edition.ledgers(), schemas(ledgers.form)
    unused = ledgers.form.unused(edition)
    sources = {key: ledgers.sources(key) for key in known if key not in unused}
    if missing := [key for key in sources if key in needed and not sources[key]]:
        lines = [
            Message(
                "  {name}: {folder}/{key}-….csv, .xlsx or .parquet",
                name=known[key].name,
                folder=folder,
                key=key,
            )
            for key in missing
        ]
        rollup = Message(
            "; or add its members' reports: reportkit rollup {district} {year}",
            district=district,
            year=year,
        )
        raise InputError(
            "ledger-missing",
            "the {name} form needs ledgers that are not there:\n{names}\nadd them (a "
            "file with a heading only counts as zero records){instead}",
            instead=rollup if sums_up else "",
            name=edition.name,
            names=joined("\n", lines),
            district=district,
            year=year,
        )
    for key, paths in sources.items():
        if paths:
            ledgers[key]  # to ask for a ledger reads it
    return tuple(key for key, paths in sources.items() if not paths)


def _refuse_to_do(report: ReportParams, district: str) -> None:
    if to_do := [fact for fact in report.declared if fact.value is None]:
        listed = "\n".join(f"  {fact.place}: {fact.id} ({fact.label})" for fact in to_do)
        raise InputError(
            "to-do",
            "{count} declared figures are still to fill in:\n{listed}\ngive each its "
            "value, source, stated_by and stated_on; or ask for a draft (--draft)",
            count=len(to_do),
            listed=listed,
            district=district,
            year=report.year,
        )
