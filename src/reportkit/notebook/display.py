"""Output of a notebook cell: one block for the exporters, and HTML and text for the analyst."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from reportkit.checks import texts_of
from reportkit.export.blocks import MIME, Block, block, packed, prose_text
from reportkit.export.typesetting import pictures
from reportkit.forms.layout import table_block
from reportkit.language.catalogue import translator
from reportkit.language.message import translated
from reportkit.ledgers.mapping import described
from reportkit.notebook.printed import aligned
from reportkit.warm.processes import is_forked_kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reportkit.checks.rules import Check, Rules
    from reportkit.facts import Facts
    from reportkit.forms import Table
    from reportkit.ledgers import Ledger, Source

_COUNTS = ("read", "accepted", "quarantined", "rejected", "set_aside")


@dataclass(frozen=True)
class Shown:
    """Something that a notebook cell displays.

    Parameters
    ----------
    block : dict
        What the exporters read.
    html, text : str
        What JupyterLab and a terminal show.
    png : str
        A picture in base64, for viewers that leave HTML out.
    """

    block: Block
    html: str
    text: str
    png: str = ""

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle = {MIME: packed(self.block), "text/html": self.html, "text/plain": self.text}
        return bundle | ({"image/png": self.png} if self.png else {})


def show(shown: Block) -> Shown:
    """A block with what JupyterLab and a terminal show of it, which follows from the block.

    Parameters
    ----------
    shown : dict
        A block of any kind but ``note``.
    """
    return Shown(shown, *_VIEWS[shown["kind"]](shown))


def note(about: str, html: str, text: str) -> Shown:
    """Something for the analyst, which stands in no document."""
    return Shown(block("note", about=about), html, text)


def _head(head: Block) -> tuple[str, str]:
    title = escape(head["title"])
    notes = [head["document_number"], head["dated"], head["synthetic"] and "示例数据"]
    line = escape(" · ".join(str(note) for note in notes if note))
    return f"<h1>{title}</h1><p>{line}</p>{_prose_html(head['preamble'])}", head["title"]


def _section(section: Block) -> tuple[str, str]:
    heading = f"{section['number']}、{section['title']}"
    return f"<h2>{escape(heading)}</h2>{_prose_html(section['body'])}", heading


def _prose_html(body: Iterable[Mapping[str, Any]]) -> str:
    def element(tag: str, runs: Iterable[Mapping[str, Any]]) -> str:
        return f"<{tag}>{''.join(map(_run_html, runs))}</{tag}>"

    parts = []
    for node in body:
        if node["type"] == "list":
            items = "".join(element("li", item) for item in node["items"])
            parts.append(f"<ul>{items}</ul>")
        else:
            tag = f"h{node['level'] + 2}" if node["type"] == "heading" else "p"
            parts.append(element(tag, node["runs"]))
    return "".join(parts)


def _run_html(run: Mapping[str, Any]) -> str:
    text = escape(run["text"])
    if "fact" in run:
        return f'<b title="{escape(run["fact"])}">{text}</b>'
    return f'<mark title="没有绑定数据">{text}</mark>' if "unbound" in run else text


def show_table(table: Table, facts: Facts) -> Shown:
    """A statutory table with its merged headings, every value cell a fact."""

    def value(name: str) -> dict[str, Any]:
        fact = facts[name]
        return {"text": fact.text + (fact.unit if fact.show_unit else ""), "fact": fact.id}

    return show(table_block(table, value))


def _table(table: Block) -> tuple[str, str]:
    html = f"<table><caption>{escape(table['title'])}</caption>"
    for row in table["rows"]:
        html += "<tr>" + "".join(map(_cell_html, row)) + "</tr>"
    note = table.get("note", "")
    html += "</table>" + (f"<p>{escape(note)}</p>" if note else "")
    lines = aligned([[cell["text"] for cell in row] for row in table["rows"]])
    return html, "\n".join(line for line in [table["title"], *lines, note] if line)


def _cell_html(cell: Mapping[str, Any]) -> str:
    tag = "td" if cell["role"] == "value" else "th"
    title = f' title="{escape(cell["fact"])}"' if "fact" in cell else ""
    spans = f' colspan="{cell["colspan"]}" rowspan="{cell["rowspan"]}"'
    # Viewers of foreign notebooks drop styles, and keep this.
    side = ' align="right"' if "value" in cell else ""
    return f"<{tag}{spans}{side}{title}>{escape(cell['text'])}</{tag}>"


def _chart(chart: Block) -> tuple[str, str, str]:
    """A picture with its words: drawings within HTML are lost where a notebook is not trusted.

    A kernel that was forked makes none, since Typst has threads; they come when the notebook is
    filled in.
    """
    png = image = ""
    if not is_forked_kernel():
        (picture,) = pictures([chart["svg"]], ppi=100)
        png = base64.b64encode(picture).decode()
        image = f'<img alt="{escape(chart["alt"])}" src="data:image/png;base64,{png}">'
    note = f"<br>{escape(chart['note'])}" if chart.get("note") else ""
    caption = f"<figcaption>{escape(chart['title'])}{note}</figcaption>"
    return f"<figure>{image}{caption}</figure>", chart["alt"], png


def _prose(prose: Block) -> tuple[str, str]:
    return _prose_html(prose["body"]), prose_text(prose["body"])


def _comparison(compared: Block) -> tuple[str, str]:
    line, differences = agreement(compared), differences_in(compared)
    items = "".join(f"<li>{escape(difference)}</li>" for difference in differences)
    html = f"<p>{escape(line)}</p>" + (f"<ul>{items}</ul>" if items else "")
    return html, "\n".join([line, *differences])


def agreement(compared: Block) -> str:
    """Say how many cells of a table a notebook has counted, and how many of them agree."""
    cells = len(compared["cells"])
    same = cells - len(compared["differ"])
    left = "、".join(compared.get("left", ()))  # of another edition, or spelt wrongly
    return f"{compared['title']}：笔记本数了{cells}格，与表格一致的{same}格" + (
        f"；没有定义而未比较的：{left}" if left else ""
    )


def differences_in(compared: Block) -> list[str]:
    """List the cells of a comparison that differ, and those that the table does not have."""
    differ = [f"{d['label']}：笔记本{d['counted']}，表格{d['stands']}" for d in compared["differ"]]
    return differ + [f"{name}：表格里没有" for name in compared["unknown"]]


def show_inputs(
    ledgers: Mapping[str, Ledger],
    absent: Sequence[tuple[str, str]],
    note: str,
    *,
    members: Sequence[Mapping[str, Any]],
) -> Shown:
    """Show what was read: files, rows, and what was not accepted.

    Parameters
    ----------
    absent : sequence of (str, str)
        Key and name of each ledger that is not there.
    note : str
        A remark about all of it.
    members : sequence of mapping
        Of a roll-up: the reports that it adds, instead of ledgers.
    """
    listed: list[dict[str, Any]] = [
        {
            "ledger": key,
            "name": ledger.schema.name,
            **ledger.account,
            "files": [_file(source) for source in ledger.sources],
        }
        for key, ledger in ledgers.items()
    ]
    listed += [
        {"ledger": key, "name": name, "files": []} | dict.fromkeys(_COUNTS, 0)
        for key, name in absent
    ]
    findings = [
        {
            "ledger": v.ledger,
            "file": v.file,
            "place": v.place,
            "rule": v.rule,
            "severity": v.severity,
            "column": v.column,
            "found": v.found,
            "expected": translated(v.expected, translator("zh")),
            "message": v.printed(),
        }
        for ledger in ledgers.values()
        for v in ledger.violations
    ]
    own = {"members": list(members)} if members else {}
    return show(block("inputs", ledgers=listed, findings=findings, note=note, **own))


def _file(source: Source) -> dict[str, Any]:
    file = source.as_json()
    mapped = source.mapping.columns if source.mapping else {}
    # Headings that are spelt otherwise than the ledger's own, and not by its mapping.
    file["headings"] = {n: h for n, h in source.headings.items() if n != h and h not in mapped}
    if source.mapping:
        file["mapping"] = described(source.mapping, source.headings.values())
    return file


def _inputs(inputs: Block) -> tuple[str, str]:
    if "members" in inputs:
        lines = [
            f"{m['name']}（{m['id']}）：{m['source'] or '没有报告'}" for m in inputs["members"]
        ]
        html = "".join(f"<li>{escape(line)}</li>" for line in lines)
        return f"<ul>{html}</ul>", "\n".join(lines)
    ledgers = inputs["ledgers"]
    names = ("台账", "文件", "读入", "计入", "无法读取", "退回", "另列")
    html = "<table><tr>" + "".join(f"<th>{name}</th>" for name in names) + "</tr>"
    for ledger in ledgers:
        files = "<br>".join(escape(file["path"]) for file in ledger["files"]) or "（无）"
        counts = "".join(f"<td>{ledger[name]}</td>" for name in _COUNTS)
        html += f"<tr><td>{escape(ledger['name'])}</td><td>{files}</td>{counts}</tr>"
    mappings = {
        f"{ledger['name']}（{file['path']}）：{'；'.join(file['mapping'])}"
        for ledger in ledgers
        for file in ledger["files"]
        if "mapping" in file
    }
    messages = [finding["message"] for finding in inputs["findings"][:50]]
    notes = filter(None, [inputs["note"], *messages, *sorted(mappings)])
    html += "</table>" + "".join(f"<p>{escape(line)}</p>" for line in notes)
    lines = [f"{ledger['name']}: {ledger['accepted']}/{ledger['read']}" for ledger in ledgers]
    return html, "\n".join(lines)


def show_checks(checks: Sequence[Check], rules: Rules) -> Shown:
    """All checks: open errors, warnings and infos first, then accepted findings, then the rest."""
    return show(checks_block(checks, texts_of(rules, (c.id for c in checks if not c.holds))))


def checks_block(checks: Sequence[Check], rules: Mapping[str, Mapping[str, str]]) -> Block:
    """The block of checks, with the texts of the rules that do not hold."""
    failed = {check.id: rules[check.id] for check in checks if not check.holds}
    return block("checks", checks=[check.as_json() for check in checks], rules=failed)


def _open(check: Mapping[str, Any]) -> bool:
    return not check["holds"] and not check["waived"]


def _checks(shown: Block) -> tuple[str, str]:
    order = {"error": 0, "warning": 1, "info": 2}
    checks = sorted(shown["checks"], key=lambda c: (c["holds"], not _open(c), order[c["severity"]]))
    failed, waived = sum(map(_open, checks)), sum(c["waived"] is not None for c in checks)
    counts = f"{len(checks)}项核对，{failed}项不符" + (f"，另有{waived}项已接受" if waived else "")
    html = f"<p><b>{counts}</b></p><table>"
    explained: set[str] = set()
    for check in checks:
        state = "✓" if check["holds"] else "✗" if _open(check) else "已接受"
        message = check["message"]
        if by := check["waived"]:
            message += f"。接受：{by['reason']}（{by['by']}，{by['on']}）"
        elif _open(check) and check["id"] not in explained:
            explained.add(check["id"])
            rule = shown["rules"][check["id"]]
            message += f"。依据：{rule['basis']}。处理：{rule['todo']}"
        cells = (state, check["id"], check["title"], message)
        html += "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
    text = f"{len(checks)} checks, {failed} do not hold"
    return html + "</table>", text + (f", {waived} accepted" if waived else "")


def _seal(seal: Block) -> tuple[str, str]:
    text = f"seal {seal['seal']}: {len(seal['facts']['facts'])} facts"
    return f"<p>{escape(text)}</p>", text


# HTML and text of each kind of block; of a chart a picture too.
_VIEWS: Mapping[str, Callable[[Block], tuple[str, ...]]] = {
    "head": _head,
    "section": _section,
    "table": _table,
    "inputs": _inputs,
    "checks": _checks,
    "seal": _seal,
    "chart": _chart,
    "prose": _prose,
    "compare": _comparison,
}

SHOWN = frozenset(_VIEWS)
"""Kinds of blocks that `show` takes."""
