"""The document out of a notebook: order, what is refused, tables laid out."""

from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import pytest

from reportkit.errors import ExportError
from reportkit.export.blocks import MIME, SCHEMA, block, from_notebook
from reportkit.export.document import arrange, place

DATA = Path(__file__).parents[1] / "data" / "blocks"
sample = SimpleNamespace(**run_path(str(DATA / "sample.py")))


def cell(text, role="value", colspan=1, rowspan=1):
    return {"text": text, "role": role, "colspan": colspan, "rowspan": rowspan}


def refused(blocks):
    with pytest.raises(ExportError) as caught:
        arrange(sample.notebook(blocks))
    return caught.value


def test_block_carries_its_schema():
    made = block("section", number="一", title="总体情况", body=[])
    assert made["schema"] == SCHEMA
    with pytest.raises(ValueError, match="section"):
        block("paragraph")


def test_blocks_come_in_cell_order_as_copies():
    notebook = sample.notebook()
    found = from_notebook(notebook)
    assert [one["kind"] for one in found[:4]] == ["inputs", "head", "section", "chart"]
    found[1]["title"] = "x"
    assert notebook.cells[2].outputs[0].data[MIME]["title"] != "x"


def test_notebook_without_outputs_is_refused():
    notebook = sample.notebook()
    for one in notebook.cells:
        if one.cell_type == "code":
            one.outputs = []
    with pytest.raises(ExportError) as caught:
        from_notebook(notebook)
    assert caught.value.reason == "no-blocks"


@pytest.mark.parametrize("change", [{"schema": "reportkit/block/2"}, {"kind": "poem"}])
def test_block_of_another_version_is_refused(change):
    blocks = sample.blocks()
    blocks[2] |= change
    assert refused(blocks).reason == "block-unknown"


def test_sections_hold_what_follows_them():
    document = arrange(sample.notebook())
    shown = [(s["number"], [item["id"] for item in s["shown"]]) for s in document.sections]
    assert shown == [
        ("一", ["publications"]),
        ("二", ["t2"]),
        ("三", ["t3", "outcomes"]),
        ("四", ["t4"]),
        ("五", []),
        ("六", []),
    ]
    assert document.facts["t3.new.total"]["value"] == "76"
    assert len(document.code) == 15


@pytest.mark.parametrize("kind", ["head", "seal"])
def test_unfinished_notebook_is_refused(kind):
    blocks = [one for one in sample.blocks() if one["kind"] != kind]
    error = refused(blocks)
    assert error.reason == "block-missing"
    assert kind in str(error)


def test_repeated_head_is_refused():
    blocks = sample.blocks()
    assert refused([blocks[1], *blocks]).reason == "block-repeated"


def test_what_stands_before_the_first_section_is_preamble():
    blocks = sample.blocks()
    table = next(one for one in blocks if one["kind"] == "table")
    document = arrange(sample.notebook([table, *blocks]))
    assert [one["id"] for one in document.preamble["shown"]] == ["t2"]
    # A table of the form stands once.
    assert document.sections[1]["shown"] == []


@pytest.mark.parametrize(
    ("given", "levels"), [([1, 1], [0, 0]), ([2, 1, 2, 3], [0, 0, 1, 2]), ([3, 3], [0, 1])]
)
def test_headings_of_the_preamble_stand_below_none(given, levels):
    body = [{"type": "heading", "level": level, "runs": [{"text": "小标题"}]} for level in given]
    document = arrange(sample.notebook([block("prose", body=body), *sample.blocks()]))
    (first,) = [one["prose"] for one in document.preamble["parts"]]
    assert [node["level"] for node in first if node["type"] == "heading"] == levels


@pytest.mark.parametrize("name", ["t2", "checks", "contents", "title-1", "panel-body"])
def test_a_chart_takes_no_name_that_the_pages_use(name):
    blocks = sample.blocks()
    at = next(n for n, one in enumerate(blocks) if one.get("id") == "t2")
    own = next(one for one in blocks if one["kind"] == "chart") | {"id": name}
    document = arrange(sample.notebook([*blocks[:at], own, *blocks[at:]]))
    ids = [one["id"] for section in document.sections for one in section["shown"]]
    assert f"own-{name}" in ids
    assert ids.count("t2") == 1
    assert len(set(ids)) == len(ids)


def test_value_that_is_no_fact_is_refused():
    blocks = sample.blocks()
    blocks[2]["body"].append({"type": "paragraph", "runs": [{"text": "9", "fact": "t9.a.b"}]})
    error = refused(blocks)
    assert (error.reason, error.fields["fact"]) == ("fact-unknown", "t9.a.b")


@pytest.mark.parametrize("hidden", ["\u202e", "\x00", "\x1b", "\u2066"])
def test_unseen_characters_are_named(hidden):
    document = arrange(sample.notebook(sample.blocks(title=f"某区2020年{hidden}年度报告")))
    assert document.head["title"] == f"某区2020年〈U+{ord(hidden):04X}〉年度报告"


def test_cells_know_their_columns():
    table = {
        "id": "t",
        "columns": 3,
        "label_columns": 2,
        "rows": [
            [cell("甲", "label", rowspan=2), cell("乙", "label"), cell("1")],
            [cell("丙", "label"), cell("2")],
            [cell("丁", "label", colspan=2), cell("3")],
        ],
    }
    columns = [[one["column"] for one in row] for row in place(table)["rows"]]
    assert columns == [[0, 1, 2], [1, 2], [0, 2]]


@pytest.mark.parametrize(
    "rows",
    [
        [[cell("1")]],
        [[cell("1"), cell("2"), cell("3")]],
        [[cell("1", colspan=3)]],
        [[cell("1", rowspan=2), cell("2")]],
        [[cell("1", rowspan=2), cell("2")], [cell("3", colspan=2)]],
    ],
    ids=["short", "long", "wide", "hanging", "overlapping"],
)
def test_ragged_table_is_refused(rows):
    with pytest.raises(ExportError) as caught:
        place({"id": "t7", "columns": 2, "label_columns": 1, "rows": rows})
    assert caught.value.reason == "table-ragged"
    assert caught.value.fields["table"] == "t7"


@pytest.mark.parametrize(
    ("text", "role", "parts"),
    [
        ("社会公益组织", "head", ["社会", "公益", "组织"]),
        ("自然人", "head", ["自然人"]),
        ("（三）不予公开", "label", ["（三）", "不予公开"]),
        ("1.属于国家秘密", "label", ["1.属于国家秘密"]),
        ("76", "value", ["76"]),
    ],
)
def test_headings_break_between_words(text, role, parts):
    made = place({"id": "t", "columns": 1, "label_columns": 1, "rows": [[cell(text, role)]]})
    assert made["rows"][0][0]["parts"] == parts
