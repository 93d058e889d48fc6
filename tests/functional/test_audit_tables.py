"""Tables of published reports, printed in many ways and read back."""

import random
from decimal import Decimal
from pathlib import Path

import pytest
from reprinted import FORM, WAYS, content_of, invented

from reportkit.audit.numbers import read_cell
from reportkit.audit.readers.reading import read_lines
from reportkit.audit.tables import read_tables
from reportkit.audit.together import TableSums, in_blocks, jointly, only_split, row_splits
from reportkit.facts.published import load_published

PUBLISHED = Path(__file__).resolve().parents[1] / "data/published"
GRIDS = ["html", "word-html", "docx", "markdown", "tabs"]
TEXTS = ["spaces", "stack"]
PAGES = ["pdf", "pdf-narrow", "pdf-unruled", "pdf-unruled-narrow"]
JOINED = ["run-together", "one-line"]
REPORTS = sorted(path.stem for path in PUBLISHED.glob("*.json"))
OBSERVED = sorted((PUBLISHED.parent / "observed").glob("*.json"))


def read(content, way, folder):
    suffix, make = WAYS[way]
    path = folder / f"report{suffix}"
    path.write_bytes(make(content))
    return read_tables(read_lines(path), FORM, FORM.edition(content.year))


def values(tables):
    return {name: value for table in tables for name, value in table.values.items()}


def printed(content):
    return {
        name: None if value is None else Decimal(str(value))
        for name, value in content.cells.items()
    }


def differences(content, tables):
    """Cells that were read as something else than what is printed; null is no such cell."""
    read, expected = values(tables), printed(content)
    return {
        name: (value, read.get(name))
        for name, value in expected.items()
        if read.get(name) not in (None, value)
    }


@pytest.mark.parametrize("way", ["html", "docx", "stack", "pdf", "pdf-unruled-narrow"])
@pytest.mark.parametrize("name", REPORTS)
def test_a_published_report_is_read_back(name, way, tmp_path):
    content = content_of(load_published(PUBLISHED / f"{name}.json"))
    tables = read(content, way, tmp_path)
    assert values(tables) == printed(content)
    assert [text for table in tables for text in table.unread] == []


@pytest.mark.parametrize("way", ["word-html", "markdown", "spaces", "pdf-unruled"])
@pytest.mark.parametrize("path", OBSERVED, ids=lambda path: path.stem)
def test_what_was_observed_is_read_back(path, way, tmp_path):
    content = content_of(load_published(path))
    assert values(read(content, way, tmp_path)) == printed(content)


@pytest.mark.slow
@pytest.mark.parametrize("way", [*GRIDS, *TEXTS, *PAGES])
@pytest.mark.parametrize(
    "path", [*OBSERVED, *sorted(PUBLISHED.glob("*.json"))], ids=lambda path: path.stem
)
def test_every_known_report_is_read_back_in_every_way(path, way, tmp_path):
    content = content_of(load_published(path))
    assert values(read(content, way, tmp_path)) == printed(content)


@pytest.mark.parametrize("way", [*GRIDS, *TEXTS, *PAGES])
@pytest.mark.parametrize("seed", [1, 2])
def test_an_invented_report_is_read_back(seed, way, tmp_path):
    content = invented(seed, 2020 if seed == 1 else 2024)
    assert values(read(content, way, tmp_path)) == printed(content)


@pytest.mark.parametrize("way", JOINED)
@pytest.mark.parametrize(
    "path", [*OBSERVED, *sorted(PUBLISHED.glob("*.json"))], ids=lambda path: path.stem
)
def test_what_runs_together_is_never_guessed(path, way, tmp_path):
    content = content_of(load_published(path))
    found = read(content, way, tmp_path)
    assert differences(content, found) == {}
    # Cells of another edition are none of this report.
    others = {name for name in values(found) if name not in content.cells}
    assert {values(found)[name] for name in others} <= {None}


def test_a_sound_table_that_runs_together_is_solved(tmp_path):
    content = content_of(load_published(PUBLISHED / "suqian-2023.json"))
    tables = read(content, "run-together", tmp_path)
    assert values(tables)["t3.new.natural_person"] == 3402
    assert [text for text in tables[1].inferred if "340299045135" in text] == [
        "一、本年新收政府信息公开申请数量：“34029904513511”按勾稽关系读作3402、99、0、4、5、1、3511"
    ]
    content = content_of(load_published(PUBLISHED / "pingtan-2021.json"))
    tables = read(content, "one-line", tmp_path)
    for name in ("t4.review.other", "t4.litigation_direct.total", "t3.granted.public_welfare"):
        assert values(tables)[name] == content.cells[name]


def test_an_unsound_table_is_not_taken_apart(tmp_path):
    content = content_of(load_published(PUBLISHED / "pingtan-2020.json"))
    tables = read(content, "run-together", tmp_path)
    third = next(table for table in tables if table.table.id == "t3")
    # Seven digits are seven cells; two rows have more, and the sums do not tell how they part.
    assert {name.split(".")[1] for name, value in third.values.items() if value is None} == {
        "new",
        "results_total",
    }
    assert len(third.unread) == 2
    assert differences(content, tables) == {}


def test_noughts_that_run_together_are_one_a_cell(tmp_path):
    content = content_of(load_published(PUBLISHED / "huli-2020.json"))
    content.cells |= {"t2.permits.items_last_year": 15, "t2.permits.items_change": None}
    content.cells["t2.permits.decisions"] = 3
    read_cells = values(read(content, "run-together", tmp_path))
    assert [read_cells[f"t2.regulations.{name}"] for name in ("made", "disclosed")] == [0, 0]
    # 15, a blank and 3 are not 1, 5 and 3.
    assert read_cells["t2.permits.decisions"] is None


def spoil(content, chance):
    """Labels lost, cut and misread."""
    table = content.edition("t3").tables["t3"]
    for row in table.rows(table.model.bands[0]):
        text, luck = row.node.text, chance.random()
        if luck < 0.1:
            text = ""
        elif luck < 0.25:
            at = chance.randrange(len(text))
            text = text[:at] + "囗" + text[at + 1 :]
        elif luck < 0.35:
            text = text[: max(2, len(text) * 2 // 3)]
        content.labels["t3", row.key] = text


def lose(content, _):
    table = content.edition("t3").tables["t3"]
    for row in table.rows(table.model.bands[0]):
        content.labels["t3", row.key] = ""


def blank(content, chance):
    for name, value in content.cells.items():
        if value == 0 and chance.random() < 0.5:
            content.cells[name] = None


def note(content, chance):
    for name, value in content.cells.items():
        luck = chance.random()
        if luck < 0.03:
            content.printed[name] = f"{value}（其中修订{value}件）"
        elif luck < 0.06 and value >= 0:
            content.printed[name] = f"+{value}"
        elif luck < 0.09 and value == 0:
            content.printed[name] = chance.choice(["/", "-", "—", "无"])
            content.cells[name] = None


def add_row(content, _):
    content.local.append((("t2", "其他主动公开文件"), ["12", "3", "4"]))


def old_rows(content, _):
    """Rows of the old edition in a new form."""
    old = invented(77, 2020)
    content.cells = {name: value for name, value in content.cells.items() if name[:2] != "t3"}
    content.cells |= {name: value for name, value in old.cells.items() if name[:2] == "t3"}
    content.editions["t3"] = "2019"


def exchange(content, _):
    for column in ("natural_person", "total"):
        one, other = f"t3.granted.{column}", f"t3.deny_5_internal.{column}"
        cells = content.cells
        cells[one], cells[other] = cells[other], cells[one]


CHANGES = [spoil, lose, blank, note, add_row, old_rows, exchange]


@pytest.mark.parametrize("way", ["html", "docx", "markdown", "pdf"])
@pytest.mark.parametrize("change", CHANGES)
def test_ruled_tables_are_read_whatever_ails_them(change, way, tmp_path):
    content = invented(5, 2023)
    change(content, random.Random(1))
    assert values(read(content, way, tmp_path)) == printed(content)


@pytest.mark.parametrize("way", [*TEXTS, *JOINED, "pdf-unruled-narrow"])
@pytest.mark.parametrize("change", CHANGES)
def test_texts_without_rules_give_no_wrong_cell(change, way, tmp_path):
    content = invented(5, 2023)
    change(content, random.Random(5))
    assert differences(content, read(content, way, tmp_path)) == {}


def test_a_local_row_is_kept_aside(tmp_path):
    content = invented(5, 2023)
    add_row(content, None)
    second = read(content, "docx", tmp_path)[0]
    assert second.extra_rows == [("其他主动公开文件", ["12", "3", "4"])]


def test_a_mixture_of_editions_is_recognised(tmp_path):
    content = invented(5, 2023)
    old_rows(content, None)
    assert [table.edition.name for table in read(content, "html", tmp_path)] == [
        "2021",
        "2019",
        "2021",
    ]


def test_a_number_on_two_lines_is_read_by_its_sum(tmp_path):
    content = invented(5, 2023)
    total = content.cells["t3.new.total"]
    first, last = str(total)[:-1], str(total)[-1]
    page = WAYS["html"][1](content).decode()
    at = page.index("本年新收")
    printed_total = f"<p class=MsoNormal>{total}</p></td></tr>"
    split = f"<p>{first}</p><p>{last}</p></td></tr>"
    path = tmp_path / "a.html"
    path.write_text(page[:at] + page[at:].replace(printed_total, split, 1), "utf-8")
    tables = read_tables(read_lines(path), FORM, FORM.edition(2023))
    assert values(tables)["t3.new.total"] == total
    assert len(tables[1].inferred) == 1


def test_a_broken_number_of_a_block_is_read(tmp_path):
    content = invented(4, 2023)
    block = [f"t4.review.{name}" for name in ("maintain", "correct", "other", "pending", "total")]
    content.cells |= dict(zip(block, (400, 10, 20, 10, 440), strict=True))
    page = WAYS["html"][1](content).decode()
    at = page.index("行政复议</p>")
    split = page[at:].replace("<p class=MsoNormal>440</p>", "<p>44</p><p>0</p>", 1)
    path = tmp_path / "a.html"
    path.write_text(page[:at] + split, "utf-8")
    tables = read_tables(read_lines(path), FORM, FORM.edition(2023))
    assert values(tables) == printed(content)
    assert tables[2].inferred == [
        "行政复议：“400、10、20、10、44 0”按勾稽关系读作400、10、20、10、440"
    ]


def test_a_number_that_cannot_be_two_is_one():
    texts = ("3,4\n02", "59237.\n2449", "1\n0000", "44\n0", "968\n26")
    assert [read_cell(text).value for text in texts] == [
        3402,
        Decimal("59237.2449"),
        10000,
        None,
        None,
    ]


def test_a_text_without_tables_has_none(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("2023年，共收到申请21件，其中予以公开5件。\n", "utf-8")
    tables = read_tables(read_lines(path), FORM, FORM.edition(2023))
    assert [table.found for table in tables] == [False, False, False]
    assert {value for table in tables for value in table.values.values()} == {None}


def test_splits_of_a_run():
    assert row_splits("713000074", 7) == ((71, 3, 0, 0, 0, 0, 74),)
    assert only_split("000", 3) == (0, 0, 0)
    assert only_split("35-15", 2) == (35, -15)
    assert only_split("898989", 3) is None
    assert in_blocks("101001200000", 2, 5) is None
    assert in_blocks("1020300000", 2, 5) == (1, 0, 2, 0, 3, 0, 0, 0, 0, 0)


def test_several_joint_solutions_are_none():
    sums = TableSums(("a",), ("t",), ("p", "q"), "t")
    one, other = (1, 0, 1), (0, 1, 1)
    rows = {"a": [(1, 1, 2)], "t": [(1, 1, 2)], "p": [one, other], "q": [one, other]}
    assert jointly(rows, sums) is None
    assert jointly(rows | {"p": [one]}, sums) == {
        "a": (1, 1, 2),
        "t": (1, 1, 2),
        "p": one,
        "q": other,
    }
