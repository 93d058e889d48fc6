"""An executed notebook with every kind of block, from figures of two published reports."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from shipped import SCHEMAS

MIME = "application/vnd.reportkit.block+json"
COLUMNS = ["natural_person", "commercial", "research", "public_welfare", "legal_service", "other"]
COLUMNS += ["total"]
BLOCKS = {
    "review": "行政复议",
    "litigation_direct": "未经复议直接起诉",
    "litigation_after_review": "复议后起诉",
}
RESULTS = {
    "maintain": "结果维持",
    "correct": "结果纠正",
    "other": "其他结果",
    "pending": "尚未审结",
    "total": "总计",
}
Block = dict[str, Any]


def figures(name: str) -> dict[str, Any]:
    """Return the figures of one published report: huli-2020 or pingtan-2021."""
    path = Path(__file__).with_name("figures.json")
    return dict(json.loads(path.read_text(encoding="utf-8"))[name])


def cell(text: str, role: str = "value", span: int = 1, rows: int = 1, fact: str = "") -> Block:
    made: Block = {"text": text, "role": role, "colspan": span, "rowspan": rows}
    return made | ({"fact": fact} if fact else {})


def table2(report: dict[str, Any]) -> Block:
    rows: list[list[Block]] = []
    for band, heads, lines in report["table2"]:
        last = 4 - len(heads)
        rows.append([cell(band, "band", 4)])
        rows.append([cell("信息内容", "head")] + [cell(h, "head") for h in heads[:-1]])
        rows[-1].append(cell(heads[-1], "head", last))
        for key, label, values in lines:
            ids = [f"t2.{key}.{column}" for column in values]
            texts = list(values.values())
            rows.append(
                [cell(label, "label")]
                + [cell(t, fact=i) for t, i in zip(texts[:-1], ids[:-1], strict=True)]
            )
            rows[-1].append(cell(texts[-1], span=last, fact=ids[-1]))
    return {
        "kind": "table",
        "id": "t2",
        "title": "主动公开政府信息情况",
        "columns": 4,
        "label_columns": 1,
        "head_rows": 0,
        "rows": rows,
    }


def table3(report: dict[str, Any]) -> Block:
    note = "（本列数据的勾稽关系为：第一项加第二项之和，等于第三项加第四项之和）"
    rows = [
        [cell(note, "head", 3, 3), cell("申请人情况", "head", 7)],
        [
            cell("自然人", "head", 1, 2),
            cell("法人或其他组织", "head", 5),
            cell("总计", "head", 1, 2),
        ],
        [cell(t, "head") for t in ("商业企业", "科研机构", "社会公益组织", "法律服务机构", "其他")],
    ]
    lines = report["table3"]
    paths = [label.split("/") for _, label, _ in lines]
    for at, (key, _, values) in enumerate(lines):
        row, path = [], paths[at]
        for depth, text in enumerate(path):
            if at and paths[at - 1][: depth + 1] == path[: depth + 1]:
                continue
            below = sum(p[: depth + 1] == path[: depth + 1] for p in paths)
            leaf = depth == len(path) - 1
            row.append(cell(text, "label", 3 - depth if leaf else 1, 1 if leaf else below))
        row += [cell(str(v), fact=f"t3.{key}.{c}") for v, c in zip(values, COLUMNS, strict=True)]
        rows.append(row)
    return {
        "kind": "table",
        "id": "t3",
        "title": "收到和处理政府信息公开申请情况",
        "columns": 10,
        "label_columns": 3,
        "head_rows": 3,
        "rows": rows,
    }


def table4(report: dict[str, Any]) -> Block:
    heads = list(BLOCKS.values())
    return {
        "kind": "table",
        "id": "t4",
        "title": "政府信息公开行政复议、行政诉讼情况",
        "columns": 15,
        "label_columns": 0,
        "head_rows": 3,
        "rows": [
            [cell(heads[0], "head", 5, 2), cell("行政诉讼", "head", 10)],
            [cell(h, "head", 5) for h in heads[1:]],
            [cell(r, "head") for _ in BLOCKS for r in RESULTS.values()],
            [
                cell(str(v), fact=f"t4.{b}.{c}")
                for b in BLOCKS
                for c, v in zip(RESULTS, report["table4"][b], strict=True)
            ],
        ],
    }


def chart(name: str, title: str, data: dict[str, int]) -> Block:
    """Draw bars with matplotlib: two such charts carry the same element ids."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": "x", "font.family": _families()}):
        figure = Figure(figsize=(6.2, 2.6), layout="constrained")
        axes = figure.subplots()
        bars = axes.bar(list(data), list(data.values()), color="#9b1c1f", width=0.6)
        axes.bar_label(bars)
        axes.spines[["top", "right"]].set_visible(False)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    alt = f"柱状图：{title}。" + "，".join(f"{k}{v}" for k, v in data.items()) + "。"
    rows = [[k, v] for k, v in data.items()]
    return {
        "kind": "chart",
        "id": name,
        "title": title,
        "alt": alt,
        "svg": out.getvalue(),
        "data": {"columns": ["项目", "数量"], "rows": rows},
    }


def _families() -> list[str]:
    from matplotlib import font_manager

    try:
        import reportkit_fonts
    except ImportError:
        return ["DejaVu Sans"]
    known = {entry.name for entry in font_manager.fontManager.ttflist}
    if "RK Hei" not in known:
        for path in sorted(Path(reportkit_fonts.folder()).glob("*.ttf")):
            font_manager.fontManager.addfont(path)
    return ["RK Hei", "RK Song"]


def prose(report: dict[str, Any], key: str) -> list[Block]:
    """Turn the fixture's lines into prose: # heading, - list, [[fact|text]] a figure."""
    made: list[Block] = []
    for line in report["prose"].get(key, []):
        mark, _, rest = line.partition(" ")
        if mark in ("#", "##"):
            made.append({"type": "heading", "level": len(mark), "runs": _runs(rest)})
        elif mark == "-" and made and made[-1]["type"] == "list":
            made[-1]["items"].append(_runs(rest))
        elif mark == "-":
            made.append({"type": "list", "ordered": False, "items": [_runs(rest)]})
        else:
            made.append({"type": "paragraph", "runs": _runs(line)})
    return made


def _runs(text: str) -> list[Block]:
    runs: list[Block] = []
    for part in text.split("[["):
        fact, closed, rest = part.partition("]]")
        if not closed:
            runs += [{"text": part}] if part else []
            continue
        name, _, shown = fact.partition("|")
        runs += [{"text": shown, "fact": name}] + ([{"text": rest}] if rest else [])
    return runs


def facts(document: list[Block]) -> list[Block]:
    """Return a fact for every id the document prints, with an origin of each kind."""
    shown: dict[str, str] = {}

    def walk(item: Any) -> None:
        if isinstance(item, dict):
            if "fact" in item:
                shown[item["fact"]] = item["text"]
            item = list(item.values())
        if isinstance(item, list):
            for child in item:
                walk(child)

    walk(document)
    return [_fact(name, text, shown) for name, text in sorted(shown.items())]


WHERE = [
    {
        "sign": "+",
        "all": [
            {"column": "收到日期", "op": "between", "value": ["2020-01-01", "2020-12-31"]},
            {"column": "申请人类型", "op": "=", "value": "自然人"},
        ],
    }
]


def _fact(name: str, text: str, shown: dict[str, str]) -> Block:
    row = name.rpartition(".")[0]
    parts = [f"{row}.{column}" for column in COLUMNS[:-1]]
    total = name.endswith(".total") and all(part in shown for part in parts)
    declared = name.startswith("staff.")
    number = int(text) if text.isdigit() else 0
    return {
        "id": name,
        "label": f"{row} · {name.rpartition('.')[2]}",
        "value": text,
        "unit": "件",
        "decimals": len(text.partition(".")[2]),
        "origin": "declared" if declared else "sum" if total else "ledger",
        "definition": "收到日期在本年度内的申请，按申请人类型计数。",
        "ledger": None if declared or total else "applications",
        "where": [] if declared or total else WHERE,
        "rows": 0 if declared or total else number,
        "rows_sha256": None if declared or total else "9f" * 32,
        "evidence": None if declared or total or not number else "evidence/facts.parquet",
        "sum_of": parts if total else [],
        "source": "区政府办公室培训签到册，2020年12月核对" if declared else None,
        "places": [],
    }


def checks(failing: bool) -> list[Block]:
    made = [
        {
            "id": "R1",
            "title": "新收与上年结转之和等于办理结果总计与结转下年度之和",
            "severity": "error",
            "holds": True,
            "left": "76",
            "right": "76",
            "facts": ["t3.new.total", "t3.results_total.total"],
            "message": "",
        },
        {
            "id": "R2",
            "title": "各类办理结果之和等于总计",
            "severity": "error",
            "holds": True,
            "left": "73",
            "right": "73",
            "facts": ["t3.results_total.total"],
            "message": "",
        },
    ]
    if failing:
        made += [
            {
                "id": "N3",
                "title": "审批服务事项：已绑定与缺失登记之和等于全部事项",
                "severity": "error",
                "holds": False,
                "left": "502",
                "right": "514",
                "facts": ["items.all"],
                "message": "正文第一部分称502项，两部分之和为514项，相差12项。",
            },
            {
                "id": "N1",
                "title": "总体情况篇幅原则上不超过一千字",
                "severity": "warning",
                "holds": False,
                "left": "1986",
                "right": "1000",
                "facts": [],
                "message": "超出986字。",
            },
        ]
    return made


def blocks(name: str = "huli-2020", *, failing: bool = True, **head: Any) -> list[Block]:
    """Return the blocks of one report in the order of the notebook."""
    report = figures(name)
    made: list[Block] = [{"kind": "head", **report["head"], "preamble": prose(report, "head")}]
    made[0] |= head
    extra: dict[str, list[Block]] = {
        "一": [chart("publications", "主动公开政府信息分类情况（条）", report["publications"])],
        "二": [table2(report)],
        "三": [
            table3(report),
            chart("outcomes", "政府信息公开申请办理结果（件）", report["outcomes"]),
        ],
        "四": [table4(report)],
    }
    for number, title in report["sections"]:
        body = prose(report, number)
        made.append({"kind": "section", "number": number, "title": title, "body": body})
        made += extra.get(number, [])
    found = [{**check, "waived": None} for check in checks(failing)]
    inputs = {
        "kind": "inputs",
        "ledgers": [
            {
                "ledger": "applications",
                "name": "依申请公开台账",
                "read": 78,
                "accepted": 76,
                "quarantined": 0,
                "rejected": 1,
                "set_aside": 1,
                "files": [
                    {
                        "path": "data/huli/applications-2020.csv",
                        "sha256": "ab" * 32,
                        "bytes": 12345,
                        "format": "csv",
                        "encoding": "gb18030",
                        "sheet": None,
                        "rows": 78,
                    }
                ],
            }
        ],
        "findings": [
            {
                "ledger": "applications",
                "file": "data/huli/applications-2020.csv",
                "place": "41",
                "rule": "date-impossible",
                "severity": "error",
                "column": "答复日期",
                "found": "2020-02-30",
                "expected": "年-月-日",
                "message": "答复日期不是日历上的日期，该行未采用。",
            }
        ],
    }
    seal = {
        "kind": "seal",
        "seal": "5e" * 32,
        "parameters": {"district": "huli", "year": 2020, "scope": "district", "draft": False},
        "facts": {"schema": "reportkit/facts/1", "facts": facts(made)},
        "checks": found,
        "rules": {"N3": {"basis": "统得出、报得准、可核查", "todo": "核对文中各数的来源"}},
        "rows": {},
        "past": {
            "t3.new.total": {"year": 2019, "origin": "published", "value": "64", "change": "+12"},
            "t3.granted.total": {
                "year": 2019,
                "origin": "published",
                "value": "0",
                "change": "+27",
            },
        },
        "headlines": headlines(),
        "context": {"year": 2020, "district": {"name": "厦门市湖里区", "code": "350206"}},
    }
    made = [inputs, *made, {"kind": "checks", "checks": found}, seal]
    return [{"schema": "reportkit/block/1", **one} for one in made]


def headlines() -> list[Block]:
    """Return a figure drawn by months, a share of two years, and one of nothing."""
    new = {"year": 2020, "value": "76", "count": "76", "of": None}
    share = {"year": 2020, "value": "37", "count": "27", "of": "73"}
    none = {"year": 2020, "value": None, "count": "0", "of": "0"}
    return [
        {
            "title": "新收申请",
            "facts": ["t3.new.total"],
            "of": [],
            "unit": "件",
            "years": [new],
            "months": [7, 6, 7, 4, 4, 11, 5, 6, 4, 6, 6, 10],
        },
        {
            "title": "予以公开",
            "facts": ["t3.granted.total"],
            "of": ["t3.results_total.total"],
            "unit": "%",
            "months": None,
            "years": [share, share | {"year": 2019, "value": "0", "count": "0", "of": "61"}],
        },
        {
            "title": "按期答复",
            "facts": ["t3.granted.total"],
            "of": ["t3.results_total.total"],
            "unit": "%",
            "years": [none],
            "months": None,
        },
    ]


def notebook(document: list[Block] | None = None) -> nbformat.NotebookNode:
    """Return an executed notebook whose cells show the blocks."""
    cells = [new_markdown_cell("# 年度报告", id="head")]
    for at, one in enumerate(blocks() if document is None else document):
        output = new_output("display_data", {MIME: one, "text/plain": one["kind"]})
        source = f'report.show("{one["kind"]}")  # <b>{{{{ cell }}}}</b>'
        cells.append(
            new_code_cell(source, id=f"cell-{at}", execution_count=at + 1, outputs=[output])
        )
    made = new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})
    nbformat.validate(made)
    return made


def rows_scripts(folder: Path, name: str = "t3.new.total", total: int = 76) -> None:
    """Write the evidence of one fact as it stands beside audit.html, by the code that writes it."""
    import numpy as np
    import pandas as pd

    from reportkit.evidence.rows import FactRows
    from reportkit.evidence.scripts import scripts
    from reportkit.ledgers import Ledger
    from reportkit.ledgers.records import Source

    days = [f"2020-{at % 12 + 1:02}-{at % 28 + 1:02}" for at in range(total)]
    frame = pd.DataFrame(
        {
            "登记号": [f"湖依〔2020〕{at + 1}号" for at in range(total)],
            "收到日期": pd.to_datetime(days),
            "申请人": [f"申请人-{at}" for at in range(total)],
            "所需信息": ["<img src=x onerror=alert(1)>" if at == 3 else "" for at in range(total)],
        }
    )
    source = Source(
        path="data/huli/applications-2020.csv",
        sha256="ab" * 32,
        bytes=1,
        format="csv",
        encoding="utf-8",
        sheet=None,
        rows=total,
        headings={},
    )
    ledger = Ledger(
        "applications",
        SCHEMAS["applications"],
        frame,
        (source,),
        np.zeros(total, np.int16),
        np.arange(2, total + 2, dtype=np.int32),
    )
    folder.mkdir()
    held = {name: FactRows("applications", np.arange(total, dtype=np.int64))}
    for script, content in scripts(held, {"applications": ledger}):
        (folder / script).write_bytes(content)


WRITTEN = {
    "html": "</script><script>alert(1)</script><img src=x onerror=alert(1)>&lt;b&gt; <!-- -->",
    "template": "{{ 7*7 }} {% raw %} ${x} %(x)s {0}",
    "typst": '#panic("x") $x^2$ <label> *b* _i_ @ref [c] // d /* e */ `f` = h - i + j \\ ~ "q"',
    "latex": "\\input{/etc/passwd} \\write18{id} % comment & ^^M",
    "word": 'INCLUDETEXT "/etc/passwd" </w:t></w:r> ]]> &amp; &#x41; <?xml?>',
    "formula": '=HYPERLINK("x") ＝1＋1 @SUM(A1) -1+1 ＠a',
    "unseen": "甲\u202e乙\u0007丙\u2066丁",
    "long": "某区人民代表大会常务委员会法制工作委员会" * 12,
}


def hostile(text: str = " ".join(WRITTEN.values())) -> list[Block]:
    """Return blocks with a text in every place that holds what people wrote."""
    made = blocks(title=f"某区2020年{text}", issuer=text, office=text)
    by_kind = {one["kind"]: one for one in reversed(made)}
    by_kind["section"]["title"] = by_kind["table"]["title"] = text
    by_kind["chart"] |= {"title": text, "alt": text}
    by_kind["chart"]["data"]["rows"][0][0] = text
    for one in made:
        if one["kind"] == "section":
            one["body"].append({"type": "paragraph", "runs": [{"text": text, "strong": True}]})
            one["body"].append({"type": "list", "ordered": True, "items": [[{"text": text}]]})
    by_kind["table"]["rows"][2][0]["text"] = text
    by_kind["inputs"]["ledgers"][0]["files"][0] |= {"path": text, "sheet": text}
    by_kind["inputs"]["findings"][0] |= {"found": text, "message": text, "column": text}
    for check in by_kind["seal"]["checks"]:
        check |= {"title": text, "message": text, "left": text}
    for fact in by_kind["seal"]["facts"]["facts"]:
        fact |= {"label": text, "definition": text, "unit": text, "source": text}
    by_kind["seal"]["parameters"]["note"] = text
    return made


def corrected(lines: int = 1, paragraphs: int = 1) -> list[Block]:
    """Return the blocks of the report with a figure of it corrected."""
    made = blocks()
    heads = ["更正日期", "项目", "单位", "原公布", "更正后"]
    line = [
        cell("2021年3月1日", "label"),
        cell("新收申请/总计"),
        cell("件"),
        cell("73") | {"value": "73"},
        cell("76", fact="t3.new.total"),
    ]
    body = {"type": "paragraph", "runs": [{"text": "2021年3月1日更正：补录。"}]}
    made[-1]["corrections"] = {
        "days": ["2021-03-01"],
        "title": "更正说明",
        "body": [body] * paragraphs,
        "table": {
            "kind": "table",
            "own": True,
            "id": "corrections",
            "title": "更正前后的数据",
            "note": "",
            "columns": 5,
            "label_columns": 1,
            "head_rows": 1,
            "size": 12,
            "turned": False,
            "rows": [[cell(head, "head") for head in heads], *[line] * lines],
            "widths": [8, 14, 2, 3, 3],
            "align": ["left"] * 3 + ["right"] * 2,
            "kept": [True] * 5,
        },
    }
    return made
