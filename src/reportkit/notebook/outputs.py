"""Checks of the outputs of an executed notebook: is all shown, once, and in every document.

What the form prescribes must be shown (B1), nothing may be shown that no document holds (B2), and
the notebook's own counts must agree with the form's (B3).
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from reportkit.checks import Check, check
from reportkit.export.blocks import MIME, Block
from reportkit.forms.cells import shown_by
from reportkit.notebook.display import agreement, differences_in
from reportkit.notebook.made import digest_of_block

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reportkit.checks.rules import Rules

_TABLE = re.compile("<table", re.IGNORECASE)
_NAMES = {"table": "一个表", "chart": "一张图", "prose": "一段文字"}
_CALLS = {
    "一个表": "report.show(…)",
    "一张图": "report.show(…, alt=…)",
    "一段文字": "report.text(…)",
}


def blocks_of(cell: Any) -> Iterator[tuple[Any, Block]]:
    """Each output of a cell that is a block, with the block."""
    for output in cell.get("outputs", ()):
        if MIME in output.get("data", {}):
            yield output, output["data"][MIME]


def output_checks(
    rules: Rules, cells: Sequence[Any], *, form: Mapping[str, Any], made: Mapping[str, Any]
) -> list[Check]:
    """Check what the cells for readers show.

    Parameters
    ----------
    cells : sequence of dict
    form : mapping
        The sections and tables that are prescribed.
    made : mapping
        The blocks that the kernel made and the figures that it left, as the seal has them.
    """
    shown = [block for cell in cells for _, block in blocks_of(cell)]
    return [
        *_prescribed(rules, form, shown),
        *_unshown(rules, made, cells, shown),
        *_compared(rules, shown),
    ]


def _prescribed(rules: Rules, form: Mapping[str, Any], shown: Sequence[Block]) -> list[Check]:
    """B1: what the form prescribes is shown once, and in its order."""
    sections = [block["number"] for block in shown if block["kind"] == "section"]
    wanted = [number for number, _ in form["sections"]]
    counts = Counter((b["kind"], b.get("number") or b.get("id") or "") for b in shown)
    names = {
        ("head", ""): "标题和落款（report.head()）",
        ("checks", ""): "核对（report.checks()）",
    }
    for number, title in form["sections"]:
        names["section", number] = f"第{number}部分“{title}”（report.section('{number}')）"
    for name, title in form["tables"]:
        names["table", name] = f"表格“{title}”（report.table({shown_by(name)})）"
    faults = [f"{name}没有列出" for key, name in names.items() if not counts[key]]
    faults += [f"{name}列出了{counts[key]}次" for key, name in names.items() if counts[key] > 1]
    in_order = list(dict.fromkeys(sections))
    if in_order != [number for number in wanted if number in in_order]:
        faults.append(f"各部分的次序是{'、'.join(in_order)}")
    if not faults:
        return [check(rules, "B1", True, f"{len(names)}项各列出一次")]
    return [check(rules, "B1", False, fault) for fault in faults]


def _unshown(
    rules: Rules, made: Mapping[str, Any], cells: Sequence[Any], shown: Sequence[Block]
) -> Iterator[Check]:
    """B2: outputs of cells that stand in no document, one check a cell."""
    left = Counter(made["figures"])
    displayed = Counter((block["kind"], digest_of_block(block)) for block in shown)
    lost: dict[int, list[str]] = {}
    for block in made["blocks"]:
        key = block["kind"], block["sha256"]
        if displayed[key]:
            displayed[key] -= 1
        else:
            lost.setdefault(block["cell"], []).append(_NAMES[block["kind"]])
    for cell in (cell for cell in cells if cell["cell_type"] == "code"):
        count = cell.get("execution_count") or 0
        outputs = [_kind_of(output) for output in cell["outputs"]]
        outputs += ["一张图"] * left[count] + lost.get(count, [])
        kinds = dict.fromkeys(filter(None, outputs))
        if "一张图" in kinds:  # with it goes the text of what `df.plot()` returns
            kinds.pop("一段文字", None)
        if kinds:
            yield check(rules, "B2", False, _advice(cell, count, list(kinds)))


def _compared(rules: Rules, shown: Sequence[Block]) -> Iterator[Check]:
    """B3: cells of the form counted in the notebook, one check a comparison."""
    for block in shown:
        if block["kind"] == "compare":
            lines = differences_in(block)
            message = "；".join([agreement(block), *lines[:20], *["…"] * (len(lines) > 20)])
            facts = [cell["fact"] for cell in block["differ"]]
            yield check(rules, "B3", not lines, message, facts=facts)


def _advice(cell: Any, count: int, kinds: list[str]) -> str:
    lines = map(str.strip, "".join(cell["source"]).splitlines())
    first = next(filter(None, lines), "")
    calls = "、".join(_CALLS[kind] for kind in kinds)
    return (
        f"第{count}格（{first[:40]}{'…' if len(first) > 40 else ''}）显示或画了{'、'.join(kinds)}，"
        f"各文件都没有：写成{calls}，放在一格的最后；只给自己看的，给这一格加标签notes"
    )


def _kind_of(output: Any) -> str:
    """Name the kind of an output that stands in no document; "" if it does."""
    kind = output["output_type"]
    if kind == "stream":
        text = "".join(output["text"])
        passing = output["name"] == "stderr" and "\r" in text  # a bar of progress
        return "一段文字" if text.strip() and not passing else ""
    data = output.get("data", {})
    if not data or MIME in data:
        return ""
    if any(mime.startswith("image/") for mime in data):
        return "一张图"
    return "一个表" if _TABLE.search("".join(data.get("text/html", ""))) else "一段文字"
