"""The reference pages, from the code and its data (``make reference``); a test compares them."""

from __future__ import annotations

import ast
import inspect
import re
from collections import defaultdict
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click
import yaml
from chinese import Translator

import reportkit
from reportkit import errors
from reportkit.checks import rules_of
from reportkit.cli import cli
from reportkit.facts.specs import FactSpec, read_specs
from reportkit.forms import shipped_form
from reportkit.ledgers import schemas
from reportkit.ledgers.mapping import described as said
from reportkit.ledgers.mapping_check import carried_mappings
from reportkit.notebook.report import Report
from reportkit.notebook.years import Years
from reportkit.params import (
    Correction,
    Declared,
    District,
    Relation,
    ReportParams,
    StatedShare,
    Waiver,
)
from reportkit.params.district import Contact, Fonts
from reportkit.params.mapping import KeyPrefix, LedgerMapping, ShortDays
from reportkit.params.report import Figures
from reportkit.params.sources import DatabaseSource
from reportkit.proof.auditing import RunAudit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pydantic import BaseModel

    from reportkit.forms import Cell, Edition
    from reportkit.forms.conditions import Definition
    from reportkit.ledgers.schema import Column

ROOT = Path(__file__).resolve().parents[1]
FORM = shipped_form()
_FAMILY = {
    name: kind.exit_status
    for name, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.ReportkitError)
}


def main() -> None:
    """Write every page, in English and in Chinese."""
    english = {name: page() for name, page in PAGES.items()}
    for name, page in english.items():
        (ROOT / "docs/reference" / name).write_text(page, encoding="utf-8")
    translator = Translator()
    for name, page in english.items():
        chinese = translator.page(page)
        (ROOT / "docs/zh/reference" / name).write_text(chinese, encoding="utf-8")


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    escaped = ([str(cell).replace("|", "\\|") for cell in row] for row in rows)
    lines = [f"| {' | '.join(row)} |" for row in escaped]
    return ["", f"| {' | '.join(head)} |", "|---" * len(head) + "|", *lines]


def _page(title: str, source: str, *lines: str) -> str:
    made = f"Made from {source} by `make reference`."
    return "\n".join([f"# {title}", "", made, *lines]) + "\n"


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


# --- commands


def cli_page() -> str:
    """Every command with its arguments and options."""
    context = click.Context(cli, info_name="reportkit")
    commands = {name: cli.commands[name] for name in sorted(cli.commands)}
    everywhere = set.intersection(*({p.name for p in c.params} for c in commands.values()))
    shared = [p for p in next(iter(commands.values())).params if p.name in everywhere]
    lines = [
        "",
        "Exit status: 0 done; 1 done, with findings; 2 bad input, refused before anything ran;",
    ]
    lines += ["3 execution failed; 130 and 143 stopped by a signal. Every command takes:"]
    lines += _options(shared)
    for name, command in commands.items():
        usage = " ".join(command.collect_usage_pieces(click.Context(command, context)))
        lines += ["", f"## `reportkit {name} {usage.removeprefix('[OPTIONS] ')}`", ""]
        lines += inspect.cleandoc(command.help or "").splitlines()
        own = [p for p in command.params if p.name not in everywhere]
        lines += _options(own)
    return _page("Commands", "the commands", *lines)


def _options(params: Iterable[click.Parameter]) -> list[str]:
    rows = []
    for param in params:
        if isinstance(param, click.Option):
            kind = "" if param.is_flag else f" {param.make_metavar(click.Context(cli))}"
            kind = kind.replace(" RANGE", "").replace("|", "/")  # no stroke within a table
            rows.append((f"`{param.opts[0]}{kind}`", param.help or ""))
    return _table(("option", "means"), rows) if rows else []


# --- parameters


def parameters_page() -> str:
    """Every key of the YAML files under ``params/``."""
    lines = [
        "",
        "A key may be left out unless it is needed; an unknown one is refused, with its line and",
        "the nearest known. Every value keeps its written form: `007` stays `007`.",
        "[batch.yaml](batch.md) has a page of its own.",
    ]
    for title, models in _FILES.items():
        lines += ["", f"## {title}"]
        for model in models:
            if model is not models[0]:
                lines += ["", f"### {model.__name__}"]
            lines += ["", *(model.__doc__ or "").split("\n\n")[0].splitlines(), *_keys(model)]
    return _page("Parameters", "the models in `reportkit.params`", *lines)


# Files and the models of their keys, in the order of the page.
_FILES: dict[str, list[type[BaseModel]]] = {
    "`params/districts/<id>.yaml`": [
        District, Contact, Fonts, DatabaseSource, LedgerMapping, KeyPrefix, ShortDays,
    ],
    "`params/reports/<id>/<year>.yaml`": [
        ReportParams, Declared, Relation, StatedShare, Waiver, Figures, Correction,
    ],
    "`params/facts/*.yaml`, under `facts`": [FactSpec],
}  # fmt: skip


def described(documented: object) -> Iterator[tuple[list[str], str, str]]:
    """Names, type and meaning of each entry under Parameters of a docstring."""
    text = inspect.getdoc(documented) or ""
    _, _, listed = text.partition("Parameters\n----------\n")
    listed = re.split(r"\n\n\w+\n-+\n", listed)[0]
    for head, body in re.findall(r"^(\S.*)\n?((?:    .*\n?)*)", listed, flags=re.M):
        names, _, kind = head.partition(" : ")
        yield names.split(", "), kind, " ".join(body.split())


def _keys(model: type[BaseModel]) -> list[str]:
    linked = "|".join(one.__name__ for models in _FILES.values() for one in models)
    rows = []
    for names, kind, meaning in described(model):
        value = kind.removesuffix(", optional").strip("{}").replace('"', "`")
        value = re.sub(r"\b(str|int|bool|date)\b", lambda m: _PLAIN[m[1]], value)
        value = re.sub(rf"\b({linked})\b", lambda m: f"[{m[1]}](#{m[1].lower()})", value)
        field = model.model_fields[names[0]]
        if field.is_required():
            value += ", needed"
        elif isinstance(field.default, str | bool | int) and field.default != "":
            value += f"; `{str(field.default).lower()}` when left out"
        rows.append((_code(names), value, meaning))
    return _table(("key", "is", "means"), rows)


_PLAIN = {"str": "text", "int": "whole number", "bool": "`true` or `false`", "date": "day"}


# --- ledgers


def ledgers_page() -> str:
    """Every ledger with its columns and the rules of its records."""
    lines = inspect.cleandoc(
        """
        A ledger's files lie in `data/<district>/`, begin with its key or its Chinese name, and end
        in `.csv`, `.xlsx`, `.xlsm`, `.xls`, `.ods` or `.parquet`; together they are the ledger,
        whatever years they hold. Records of other years never change a year's cells. A district
        file can name other paths or [a database](../how-to/database.md) instead.

        Headings are those below, or the keys. **Bold** columns must be there; the first one is the
        record's key and is unique. *Slanted* columns are personal: dropped when the file is read,
        or kept as a keyed pseudonym. Further columns are kept for evidence and otherwise ignored. A
        ledger that the form needs must exist: one with headings and no rows means zero.

        A csv file is UTF-8 or GB18030. Dates are written `2020-03-02`; amounts are plain decimals.
        What is done with a record that cannot be read or breaks a rule stands in [What intake
        tells](intake.md).
        """
    ).splitlines()
    for key, schema in schemas(FORM).items():
        rows = [
            (_heading(c), f"`{c.key}`", _type(c), _accepted(c), "、".join(c.aliases))
            for c in schema.columns
        ]
        lines += ["", f"## `{key}` {schema.name}", "", f"One row is 一{schema.row}."]
        lines += _table(("column", "key", "is", "holds", "also read as"), rows)
        if schema.derived:
            lines += ["", "Added to each record, in no file (see [Working days](worktime.md)):"]
            added = [(c.name, f"`{c.key}`", c.type, c.text) for c in schema.derived]
            lines += _table(("column", "key", "is", "holds"), added)
        if schema.rules:
            ruled = [(f"`{r.id}`", r.severity, r.message, r.basis) for r in schema.rules]
            lines += _table(("rule", "a record that breaks it", "says", "basis"), ruled)
    lines += [
        "",
        "## Carried mappings",
        "",
        "Exports of other systems that a district can name",
        "([an office's own words](../how-to/mapping.md)):",
    ]
    carried = [
        (
            f"`{name}`",
            f"`{one.ledger}`",
            one.title,
            "、".join(f"`{glob}`" for glob in one.files),
            "；".join(said(one, one.columns)),
        )
        for name, one in carried_mappings().items()
    ]
    lines += _table(("mapping", "ledger", "for", "files", "says"), carried)
    return _page("Ledgers", "`src/reportkit/forms/zfxxgk/ledgers.yaml`", "", *lines)


def _heading(column: Column) -> str:
    mark = "*" * column.personal + "**" * column.required
    return f"{mark}{column.name}{mark}"


def _type(column: Column) -> str:
    return column.type + (", may be empty" if column.required and column.blank else "")


def _accepted(column: Column) -> str:
    if column.form and column.form.axis == "rows" and column.form.table == "t3":
        return "a row of 本年度办理结果, with or without its number, or its [key](facts.md)"
    values = [value for value in column.categories() if "/" not in value]
    accepted = "、".join(values) + (" and others" if column.open else "")
    if column.default:
        accepted += f"; {column.default} when empty"
    if column.free_text:
        accepted = "free text; numbers and addresses of persons in it are hidden"
    elif column.personal:
        accepted = "becomes a pseudonym" if column.pseudonym else "dropped"
    return accepted


# --- facts


def facts_page() -> str:
    """Every cell of every edition, with what it counts, and the facts of the sample texts."""
    lines = [
        "",
        "A fact is one value of a report, with its definition and the ledger rows it rests on. Its",
        "id is the same in the notebook, in `facts.json`, on the audit page and in the text of a",
        "report. [Figures in the text](text.md) says how a text prints one.",
    ]
    for form in FORM.editions:
        last = form.model.years.last
        years = f"{form.model.years.first}–{last}" if last else f"from {form.model.years.first}"
        lines += ["", f"## Edition {form.name}, report years {years}", "", form.model.basis]
        for table in form.tables.values():
            lines += ["", f"### {table.id}: {table.title}", *_cells(form, table.id)]
    specs = read_specs(FORM, ROOT / "params/facts")
    lines += ["", "## Facts of the text", ""]
    lines += [
        "Those of this repository's `params/facts/`; a project adds its own",
        "([how](../how-to/new-fact.md)).",
    ]
    rows = [(f"`{s.id}`", s.label, s.unit, _meaning(s)) for s in specs.values()]
    lines += _table(("id", "中文", "单位", "定义 (for 2020)"), sorted(rows))
    return _page("Facts", "`src/reportkit/forms/zfxxgk/*.yaml` and `params/facts`", *lines)


def _cells(form: Edition, name: str) -> list[str]:
    """The cells of a table; a row whose cells differ by their column's value only stands once."""
    year, table = form.model.years.first, form.table(name)
    cells = {cell.id: cell for cell in form.cells(year)}
    rows: list[tuple[str, str, str]] = []
    shared: dict[str, str] = {}
    for band in table.model.bands:
        columns = table.columns(band)
        for row in table.rows(band):
            line = [cells[table.cell_id(row.key, column.key)] for column in columns]
            if row.parts:
                rows.append((f"`{name}.{row.key}.*`", row.text, f"{len(row.parts)}项之和"))
            elif same := _but_for_column([cell.definition for cell in line if cell.definition]):
                rows.append((f"`{name}.{row.key}.*`", row.text, _says(same)))
                shared |= {column.key: column.text for column in columns}
            else:
                rows += [(f"`{cell.id}`", cell.label, _counts(cell)) for cell in line]
    parts = ", ".join(f"`{key}` {text.rpartition('/')[2]}" for key, text in shared.items())
    before = ["", f"`*` is one of {parts}. 总计 is the sum of the others."] if parts else []
    return before + _table(("id", "中文", f"定义 (for {year})"), rows)


def _but_for_column(definitions: Sequence[Definition]) -> Definition | None:
    """Return what definitions have in common that differ by the value of one condition only."""
    if len(definitions) < 2:
        return None
    common = set.intersection(*(set(one.where) for one in definitions))
    differ = [[c.column for c in one.where if c not in common] for one in definitions]
    where = tuple(condition for condition in definitions[0].where if condition in common)
    alike = {replace(one, where=where) for one in definitions}
    return (
        alike.pop()
        if len(alike) == 1 and len(differ[0]) == 1 and differ.count(differ[0]) == len(differ)
        else None
    )


def _counts(cell: Cell) -> str:
    if cell.definition:
        return _says(cell.definition)
    return (
        " + ".join(f"`{part}`" for part in cell.sum_of)
        if len(cell.sum_of) < 8
        else f"{len(cell.sum_of)}项之和"
    )


def _says(definition: Definition) -> str:
    return definition.text(schemas(FORM)[definition.ledger].name)


def _meaning(spec: FactSpec) -> str:
    if spec.ledger:
        return _says(spec.definition(2020))
    if spec.sum_of:
        return " + ".join(f"`{name}`" for name in spec.sum_of)
    if spec.share_of:
        return f"`{spec.part}` ÷ `{spec.share_of}`"
    return f"`{spec.change_of}` against last year"


# --- rules


def rules_page() -> str:
    """Every rule with its basis and what to do."""
    lines = [
        "",
        "What a rule demands, its basis and what to do are said in Chinese, as on the audit page.",
        "An open finding of severity error makes the report a draft, and the command end with 1;",
        "any finding can be [accepted](../how-to/waivers.md).",
    ]
    for name, rule in rules_of(FORM).items():
        label = "`N1`, `N2` …" if name == "N" else f"`{name}`"
        lines += ["", f"## {label} {rule.title}", "", f"- severity: {rule.severity}"]
        lines += [f"- basis: {rule.basis}", f"- what to do: {rule.todo}"]
        if rule.limits:
            limits = ", ".join(f"{key} {value}" for key, value in rule.limits.items())
            lines.append(f"- limits: {limits}" + (f" ({rule.why})" if rule.why else ""))
    return _page("Rules", "`src/reportkit/forms/zfxxgk/rules.yaml`", *lines)


# --- reason codes


def reasons() -> dict[str, list[str]]:
    """Read the meaning and the remedy of each reason code from ``reasons.yaml``."""
    text = (ROOT / "tools/reasons.yaml").read_text(encoding="utf-8")
    meanings: dict[str, list[str]] = yaml.safe_load(text)
    return meanings


def reasons_page() -> str:
    """Every reason code of the source, with the exit status it comes with."""
    found, meanings = reason_codes(), reasons()
    if silent := sorted(found.keys() - meanings.keys()):
        message = f"tools/reasons.yaml does not explain: {', '.join(silent)}"
        raise SystemExit(message)
    rows = [
        (f"`{code}`", ", ".join(sorted(found[code])), *meanings[code]) for code in sorted(found)
    ]
    lines = inspect.cleandoc(
        """
        Every error of reportkit bears a reason code, in brackets behind its text and as `error` in
        `--json`. The text has the place and what was found; this page says what the code means. The
        status is that of a command which ends with it: 2 for input that was refused before anything
        ran, 3 for a fault while a report was made; for a level that `verify` judges it is 1.
        """
    ).splitlines()
    lines += _table(("code", "status", "means", "what to do"), rows)
    return _page("Reason codes", "the source and `tools/reasons.yaml`", "", *lines)


def reason_codes() -> Mapping[str, set[str]]:
    """The codes in the source, each with the statuses of the errors that bear it.

    A code is what an error of ours has first, or what anything named ``reason`` is given.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for path in Path(str(files("reportkit"))).rglob("*.py"):
        for code, status in _codes(ast.parse(path.read_text(encoding="utf-8"))):
            found[code].add(status)
    return found


def _codes(tree: ast.AST) -> Iterator[tuple[str, str]]:
    defined = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    takes = dict.fromkeys(_FAMILY, 0)
    for one in defined:
        names = [argument.arg for argument in one.args.args if argument.arg != "self"]
        takes |= {one.name: names.index("reason")} if "reason" in names else {}
    kinds = {one.name: str(_FAMILY.get(getattr(one.returns, "id", ""), 2)) for one in defined}
    for node in ast.walk(tree):
        given: list[ast.expr] = []
        status = "3"
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            status = _status(name) if name in _FAMILY else kinds.get(name, "3")
            given = [one.value for one in node.keywords if one.arg == "reason"]
            given += node.args[takes[name] :][:1] if name in takes else []
        elif isinstance(node, ast.Assign):
            given = [value for name, value in _pairs(node) if name == "reason"]
        for value in given:
            yield from ((code, status) for code in _words(value))


def _status(kind: str) -> str:
    # Only `verify` meets errors of the bare kind, and makes findings of them.
    return "1" if kind == "ReportkitError" else str(_FAMILY[kind])


def _pairs(node: ast.Assign) -> Iterator[tuple[str, ast.expr]]:
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            for name, value in zip(target.elts, node.value.elts, strict=True):
                yield getattr(name, "id", ""), value
        else:
            yield getattr(target, "id", ""), node.value


def _words(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.IfExp):
        yield from _words(value.body)
        yield from _words(value.orelse)
    elif isinstance(value, ast.Constant) and re.fullmatch(r"[a-z]+(-[a-z]+)*", str(value.value)):
        yield str(value.value)


# --- what a notebook calls


def notebook_page() -> str:
    """The public functions, and what a report and the years of a district can be asked for."""
    lines = [
        "",
        "`import reportkit as rk`; the notebooks in `notebooks/` show it at work. What a cell",
        "returns is shown by Jupyter and printed in the documents.",
    ]
    functions = [getattr(reportkit, name) for name in reportkit.__all__]
    lines += _calls("rk", [one for one in functions if inspect.isfunction(one)])
    for title, name, kind in (
        ("A report", "report", Report),
        ("Several years", "history", Years),
        ("A run, for auditors", "audit", RunAudit),
    ):
        methods = [one for key, one in vars(kind).items() if key[0] != "_" and callable(one)]
        lines += ["", f"## {title}", *_calls(name, methods)]
    return _page("In the notebook", "docstrings", *lines)


def _calls(owner: str, functions: Iterable[Callable[..., object]]) -> Iterator[str]:
    for one in functions:
        taken = [
            parameter.replace(annotation=parameter.empty)
            for parameter in inspect.signature(one).parameters.values()
            if parameter.name != "self"
        ]
        shown = re.sub(r"<function .*>", "…", str(inspect.Signature(taken)))
        summary = (inspect.getdoc(one) or "").partition("\n\n")[0]
        yield from ("", f"### `{owner}.{one.__name__}{shown}`", "", summary)
        if rows := [(_code(names), meaning) for names, _, meaning in described(one)]:
            yield from _table(("argument", "means"), rows)


PAGES: dict[str, Callable[[], str]] = {
    "cli.md": cli_page,
    "parameters.md": parameters_page,
    "ledgers.md": ledgers_page,
    "facts.md": facts_page,
    "rules.md": rules_page,
    "reasons.md": reasons_page,
    "notebook.md": notebook_page,
}

if __name__ == "__main__":
    main()
