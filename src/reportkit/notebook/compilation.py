"""One report, computed: what it is made from, its facts, its text, and its checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from reportkit.audit.own import text_checks
from reportkit.checks import (
    Check,
    accept,
    continuity_checks,
    coverage_checks,
    doubt_checks,
    form_checks,
    intake_checks,
    limit_checks,
    meant_later,
    member_checks,
    notice_checks,
    past_checks,
    plausibility_checks,
    published_checks,
    refuse_broken,
    relation_checks,
    restatement_checks,
    rules_of,
    share_checks,
    year_check,
)
from reportkit.errors import InputError
from reportkit.export.blocks import prose_text
from reportkit.facts import Computer, Fact, Facts, to_come
from reportkit.facts.numerals import number_of
from reportkit.facts.previous import Past, figures_of
from reportkit.facts.published import load_published, read_report
from reportkit.facts.sealed import SealedFacts
from reportkit.facts.specs import read_specs
from reportkit.language import Message, joined
from reportkit.ledgers import Ledgers, schemas
from reportkit.notebook.corrected import PLACE, TITLE, standing, with_corrections
from reportkit.params import District, Project, ReportParams, Scope, Waiver
from reportkit.rollup.findings import own_total_checks, rollup_checks
from reportkit.rollup.members import Member, counts_itself, read_members
from reportkit.rollup.sums import Sums
from reportkit.text.coverage import Coverage, cover
from reportkit.text.narrative import UNWRITTEN, Narrative, render
from reportkit.yamlfile import read_prose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from decimal import Decimal
    from pathlib import Path
    from typing import Self

    from reportkit.checks.rules import Rules
    from reportkit.forms import Edition, Form
    from reportkit.ledgers.district import Kept
    from reportkit.params.hierarchy import Hierarchy


@dataclass
class Compilation:
    """One report of one district and year, computed as far as it is asked for.

    Parameters
    ----------
    project, district, year, form, edition, params, scope
        Whose report it is, by which form and edition, and what its parameters say.
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
        names = {key: schema.name for key, schema in schemas(by).items()}
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
        sums = Sums(read, {cell.id: cell for cell in cells}, names) if rollup else None
        if sums and not sums.present:
            raise InputError(
                "members-missing",
                "none of the {count} members of {district} has a report of {year}; make theirs "
                "first, or put what was published into {folder}/<member>/{year}.published.json",
                count=len(read),
                folder=project.params / "reports",
                district=district,
                year=year,
            )
        specs = read_specs(by, project.params / "facts")
        stated: set[str] = set()
        if sums:
            for one in report.declared:
                spec = specs.get(one.id)
                if spec and spec.ledger and not sums.adds(one.id, spec.definition(year)):
                    del specs[one.id]  # a figure that cannot be added may be declared
            stated = {*sums.cells, *specs}
        computer = Computer(
            year,
            cells=cells,
            specs=specs,
            # What a parent declares of a figure that is added is compared with the sum.
            declared=[one for one in report.declared if one.id not in stated],
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
        """Take up a fact that the notebook has made; a text that names it is rendered anew."""
        self.own[fact.id] = fact
        if fact.id in self.narrative.places:
            for kept in ("narrative", "coverage", "all_checks"):
                self.__dict__.pop(kept, None)

    def adopt(self, document: Mapping[str, Any]) -> None:
        """Take up the facts of a sealed document that a notebook has made."""
        own = [one for one in document["facts"] if one["id"] not in self.computer]
        for fact in SealedFacts.read({"facts": own}, {}).facts.values():
            self.add(fact)

    @property
    def awaited(self) -> list[str]:
        """Facts that the text names and that are not there yet."""
        return [n for n in self.narrative.places if n not in self.computer and n not in self.own]

    def computed(self) -> Facts:
        """All statutory cells, and what else has been asked for."""
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
        told = render(template, figures=self, edition=self.edition, context=self.context, name=name)
        made = self.params.corrections
        return with_corrections(told, made, figures=self, context=self.context) if made else told

    @property
    def context(self) -> dict[str, Any]:
        """Values besides facts that a text can name."""
        return {"year": self.year, "district": self.district.printable()}

    @cached_property
    def coverage(self) -> Coverage:
        """The text with every number looked at: bound to a fact, allowed, or unbound."""
        narrative = self.narrative
        units = {name: self.get(name).unit for name in narrative.places}
        return cover(narrative.sections, units)

    @cached_property
    def all_checks(self) -> list[Check]:
        """Every rule that applies, and what was accepted of its findings.

        Facts that a notebook adds take no part: what is a draft is known before the first cell
        shows it.
        """
        _ = self.narrative
        rules = self.rules
        self._compute_relations()
        facts = self.computed()
        read = None if self.sums else self.ledgers
        checks = form_checks(rules, self.edition, facts, year=self.year, ledgers=read)
        checks += self._text_checks(facts) + self._checks_across(facts)
        if self.sums:
            checks += rollup_checks(
                rules, self.edition, self.sums, facts, specs=self.computer.specs, year=self.year
            )
            checks += own_total_checks(rules, self.sums, facts, dict(self._own_totals()))
        else:
            checks += intake_checks(rules, self.ledgers, unread=self.ledgers.unread)
            checks.append(year_check(rules, self.ledgers, self.year))
            checks += doubt_checks(rules, self.ledgers, self.year)
            for ledger in (one for one in self.ledgers.values() if one.schema.clock):
                checks += limit_checks(rules, ledger, self.year, self.ledgers.calendar)
            if self.scope == self.district.scope:
                checks += published_checks(rules, self._published(), facts)
        self.waivers_left = meant_later(checks, self.params.waivers)
        return accept(
            rules, checks, [one for one in self.params.waivers if one not in self.waivers_left]
        )

    def _published(self) -> Mapping[str, Decimal]:
        """Figures of the year that stand published; none where there is no file of them."""
        path = self.project.report_file(self.district, self.year, "published.json")
        if not path.is_file():
            return {}
        return standing(
            read_report(self.form, load_published(path)).published, self.params.corrections
        )

    def _own_totals(self) -> Iterator[tuple[str, tuple[Decimal, str]]]:
        """Figures that the parent itself has published or declares, and its members give too."""
        for name, value in self._published().items():
            yield name, (value, "本级已公布")
        for one in self.params.declared:
            stated = number_of(one.value or "")
            if one.id not in self.computer.declared and stated is not None:
                yield one.id, (stated, f"本级申报（{one.source}）")

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

    def _text_checks(self, facts: Facts) -> list[Check]:
        checks = relation_checks(self.rules, self.params.relations, facts)
        related = {(one.left, one.right) for one in checks}
        meant = self.computer.possible() if self.coverage.of("unbound") else facts
        titles = {s.number: f"{s.number}、{s.title}" for s in self.edition.sections}
        titles |= {"": "序言", PLACE: TITLE}
        checks += coverage_checks(self.rules, self.coverage, meant, titles=titles)
        days = [day for day in (self.params.dated, self.params.printed) if day]
        texts = {number: prose_text(body) for number, body in self.narrative.sections.items()}
        figures = {name: facts[name].number for name in self.computer.cells}
        said = text_checks(
            self.form,
            self.edition,
            texts,
            figures,
            issuer=self.district.issuer or self.district.name,
            year=self.year,
        )
        # What the report's own relations say is not told twice.
        checks += [one for one in said if (one.left, one.right) not in related]
        return checks + notice_checks(
            self.rules,
            self.edition,
            texts,
            last=self.past.sections if self.past else {},
            year=self.year,
            level="department" if self.scope == "office" else self.district.level,
            published=max(days, default=None),
        )

    def _checks_across(self, facts: Facts) -> list[Check]:
        rules, cells = self.rules, list(self.computer.cells.values())
        values = {cell.id: facts[cell.id].number for cell in cells}
        checks = share_checks(rules, self.edition, values)
        if not self.sums:
            members = {
                name: None if one.origin == "missing" else one.values
                for name, one in self.members.items()
            }
            checks = member_checks(rules, cells, values, members) + checks
        checks += past_checks(rules, self.past)
        if self.past:
            checks += continuity_checks(rules, self.edition, values, self.past.values)
            if self.past.facts and not self.sums:
                checks += restatement_checks(rules, self.past, self._computer_of_last_year())
            checks += plausibility_checks(rules, cells, values, self.past.values)
        return checks

    def _computer_of_last_year(self) -> Computer:
        """Last year's form over today's ledgers, so far as this year's report reads them."""
        year = self.year - 1
        return Computer(
            year,
            cells=self.form.edition(year).cells(year),
            specs=self.computer.specs,
            declared=[],
            ledgers=dict(self.ledgers),
        )

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


def _read_all(
    ledgers: Ledgers,
    edition: Edition,
    folder: Path,
    *,
    district: str,
    year: int,
    sums_up: bool,
) -> tuple[str, ...]:
    """Read every ledger that the edition can use; the keys of those that are not there."""
    needed, known = edition.ledgers(), schemas(ledgers.form)
    unused = ledgers.form.unused(edition)
    sources = {key: ledgers.sources(key) for key in known if key not in unused}
    if missing := [key for key in sources if key in needed and not sources[key]]:
        names = joined(
            "\n",
            [
                Message(
                    "  {name}: {folder}/{key}-….csv, .xlsx or .parquet",
                    name=known[key].name,
                    folder=folder,
                    key=key,
                )
                for key in missing
            ],
        )
        raise InputError(
            "ledger-missing",
            "the {name} form needs ledgers that are not there:\n{names}\nadd them (a "
            "file with a heading only counts as zero records){instead}",
            instead=Message(
                "; or add its members' reports: reportkit rollup {district} {year}",
                district=district,
                year=year,
            )
            if sums_up
            else "",
            name=edition.name,
            names=names,
            district=district,
            year=year,
        )
    for key in sources:
        if sources[key]:
            ledgers[key]
    return tuple(key for key in sources if not sources[key])


def _refuse_to_do(report: ReportParams, district: str) -> None:
    if to_do := [fact for fact in report.declared if fact.value is None]:
        listed = "\n".join(f"  {fact.place}: {fact.id} ({fact.label})" for fact in to_do)
        raise InputError(
            "to-do",
            "{to_do} declared figures are still to fill in:\n{listed}\ngive each its "
            "value, source, stated_by and stated_on; or ask for a draft (--draft)",
            to_do=len(to_do),
            listed=listed,
            district=district,
            year=report.year,
        )
