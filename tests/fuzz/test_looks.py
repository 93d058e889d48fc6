"""Workbooks whose cells look like something, by lot, against a model of what each means.

Every case ends in the right amounts, the same to both readers, or in a refusal where one is due.
"""

import datetime as dt
import random
from decimal import Decimal

import duckdb
import pytest
from sheets import Cell, Table, save
from shipped import ZFXXGK

from reportkit.errors import InputError, ReportkitError
from reportkit.ledgers import read_ledger, schema_of
from reportkit.ledgers.readers import read_file
from reportkit.ledgers.schema import map_headings
from reportkit.proof.recount.rawledgers import read_cells

UNITS = {"元": 1, "万元": 10_000}
FORMATS = ["General", "0", "0.00", "#,##0.0", "0.0,", '0.0"万元"', "0%", "000", "0!.0,"]
OF_ODS = ["General", "0", "0.0,", '0.0"万元"', "0%", "000"]
CASES, SLOW_CHUNKS = 60, 40


def amount(chance, suffix, unit):
    """A cell, and the amount in 元 that it means; None where it must be refused."""
    number = chance.choice([chance.randrange(1, 10**6), chance.randrange(1, 10**6) / 100])
    value = Decimal(str(number)) * UNITS[unit]
    kind = chance.randrange(6)
    if kind == 0:
        return Cell(f"{number:,}"), value
    if kind == 1:
        code = chance.choice(OF_ODS if suffix == ".ods" else FORMATS)
        shown = code in ("0.0,", "0%", "0!.0,") or (code.endswith('万元"') and unit != "万元")
        return Cell(number, code), None if shown else value
    if kind == 2:
        return Cell(number, struck=True), value
    if kind == 3:
        runs = (str(number), ""), (str(chance.randrange(10)), chance.choice(["struck", "raised"]))
        good = runs[1][1] == "struck" and suffix == ".xlsx"
        return Cell(runs=runs), value if good else None
    return Cell(number), value


def case(seed, folder):
    """One workbook; how it ended."""
    chance = random.Random(seed)
    suffix, unit = chance.choice([".xlsx", ".xls", ".ods"]), chance.choice([*UNITS])
    cells, right = zip(*(amount(chance, suffix, unit) for _ in range(6)), strict=True)
    rows = [["项目编号", "项目名称", "组织形式", "合同签订日期", f"合同金额（{unit}）", "采购人"]]
    for number, cell in enumerate(cells):
        day = dt.date(2020, 1, 1) + dt.timedelta(chance.randrange(366))
        rows.append([f"采{number}", "设备", "分散采购", day, cell, chance.choice(["甲", "乙", ""])])
    merges = []
    for column in chance.sample([2, 3, 5, 6], chance.choice([0, 0, 1, 2])):
        top = chance.randrange(2, 7)
        merges.append((top, column, chance.randrange(top + 1, 8), column))
    refused = None in right or any(column == 5 for _, column, _, _ in merges)
    hidden = (3,) * chance.randrange(2)
    path = save(folder / f"procurement{suffix}", Table(rows, tuple(merges), hidden=hidden))
    if refused:
        with pytest.raises(InputError) as error:
            read_ledger(ZFXXGK, "procurement", [path])
        return error.value.reason
    ledger = read_ledger(ZFXXGK, "procurement", [path])
    assert ledger.frame["合同金额（元）"].tolist() == list(right), seed
    assert ("L-hidden" in {v.rule for v in ledger.violations}) == bool(hidden)
    read_again(path, merged=suffix == ".ods" and bool(merges))
    return "right"


def read_again(path, *, merged):
    schema = schema_of(ZFXXGK, "procurement")
    (table,) = read_file(path, schema, name=path.name)
    mapped = map_headings(list(table.columns), schema, path.name, "procurement")
    columns = {name: heading for name, (heading, _) in mapped.items()}
    source = {"path": "p", "format": path.suffix[1:], "sheet": table.sheet, "columns": columns}
    with duckdb.connect() as connection:
        if merged:
            with pytest.raises(ReportkitError, match="not read twice"):
                read_cells(source, path, connection, schema_of(ZFXXGK, "procurement"))
            return
        again = read_cells(source, path, connection, schema_of(ZFXXGK, "procurement"))
    assert again.lines.tolist() == table.lines.tolist()
    for name, heading in columns.items():
        assert again.columns[name].to_pylist() == table.columns[heading].to_pylist(), name


def test_looks_by_lot_end_right_or_are_refused(tmp_path):
    ends = {case(seed, tmp_path) for seed in range(CASES)}
    assert ends == {"right", "ledger-shown", "ledger-merged"}


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(1, SLOW_CHUNKS + 1))
def test_many_looks_by_lot_end_right_or_are_refused(chunk, tmp_path):
    for seed in range(chunk * 500, (chunk + 1) * 500):
        case(seed, tmp_path)
