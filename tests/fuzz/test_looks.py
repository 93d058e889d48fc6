"""Workbooks whose cells look like something, by lot, against a model of what each means.

Formats, runs, merges, colours, hidden rows and an office's own words meet in one workbook. Every
case ends in the right records, the same to both counts, or in a refusal where one is due.
"""

import datetime as dt
import random
from decimal import Decimal

import pytest
from sheets import Cell, Table, save
from shipped import ZFXXGK

from reportkit.errors import InputError, ReportkitError
from reportkit.evidence.digests import read_record, record_columns
from reportkit.ledgers.intake import read_ledger
from reportkit.params.mapping import LedgerMapping
from reportkit.proof.record import ledger_record
from reportkit.proof.recount.sqlledger import ROW, Wanted, read_again
from reportkit.worktime import work_calendar

UNITS = {"元": 1, "万元": 10_000, "亿元": 100_000_000}
FORMATS = [
    "General",
    "0",
    "0.00",
    "#,##0.0",
    "0.0,",
    '0.0"万元"',
    "0%",
    "000",
    "0!.0,",
    '0"k"',
    "(0)",
]
PLAIN = ["General", "0", "000"]
OF_ODS = ["General", "0", "0.0,", '0.0"万元"', "0%", "000"]
NOT_AS_STORED = ("0.0,", "0%", "0!.0,", '0"k"')
KINDS = {"集采": "政府集中采购", "部门采": "部门集中采购", "散采": "分散采购"}
OURS = ["项目编号", "项目名称", "组织形式", "合同签订日期", "合同金额", "采购人"]
THEIRS = ["流水", "标题", "方式", "哪天", "价款", "谁买"]
CASES, SLOW_CHUNKS = 60, 40


def looked(chance, suffix, value, old, cell=None):
    """A cell that looks like something, and whether its value is read."""
    look = chance.randrange(60)
    if look == 0 or (look < 6 and suffix == ".xlsx"):
        return Cell(runs=((old, "struck"), (value, ""))), suffix == ".xlsx"
    if look == 6:
        return Cell(runs=((value, ""), (str(chance.randrange(10)), "raised"))), False
    own = cell or Cell(value)
    if look < 20:
        changes = [{"struck": True}, {"white": True}, {"comment": True}][look % 3]
        return Cell(own.value, own.format, **changes), True
    return own, True


def amount(chance, suffix, unit):
    """A cell, and the amount in 元 that it means; None where it must be refused."""
    number = chance.choice([chance.randrange(1, 10**6), chance.randrange(1, 10**6) / 100])
    value = Decimal(str(number)) * UNITS[unit]
    if chance.random() < 0.3:
        codes = OF_ODS if suffix == ".ods" else FORMATS
        code = chance.choice(codes if chance.random() < 0.2 else PLAIN)
        shown = code in NOT_AS_STORED or (code.endswith('万元"') and unit != "万元")
        return Cell(number, code), None if shown else value
    if chance.random() < 0.3:
        other = chance.choice([*UNITS])
        text = f"{number:,}{other}"
        return Cell(text), Decimal(str(number)) * UNITS[other]
    cell, good = looked(chance, suffix, str(number), "12", Cell(number))
    return cell, value if good else None


def kind(chance, suffix, mapped):
    theirs, ours = chance.choice([*KINDS.items()])
    written = chance.choice([theirs, f" {theirs}\u3000", ours]) if mapped else ours
    cell, good = looked(chance, suffix, written, "分散")
    return cell, ours if good else None


def day(chance, suffix, mapped):
    value = dt.date(2020, 1, 1) + dt.timedelta(chance.randrange(366))
    forms = [f"{value}", f"{value:%Y/%m/%d}", f"{value.year}年{value.month}月{value.day}日"]
    forms += [f"{value.month}月{value.day}日", f"{value:%m/%d}"] if mapped else []
    if chance.random() < 0.5:
        return Cell(value), value
    cell, good = looked(chance, suffix, chance.choice(forms), "2019-01-01")
    return cell, value if good else None


def key(chance, suffix, number):
    if chance.random() < 0.2:
        return Cell(number + 100, chance.choice(["0", "000"])), str(number + 100)
    cell, good = looked(chance, suffix, f"采{number}", "旧")
    return cell, f"采{number}" if good else None


def case(seed, folder):
    """One workbook; how it ended."""
    chance = random.Random(seed)
    suffix, unit = chance.choice([".xlsx", ".xls", ".ods"]), chance.choice([*UNITS])
    mapped = chance.random() < 0.5
    cells, right = [], []
    for number in range(6):
        made = [
            key(chance, suffix, number),
            kind(chance, suffix, mapped),
            day(chance, suffix, mapped),
            amount(chance, suffix, unit),
        ]
        (first, kind_, day_, amount_), means = zip(*made, strict=True)
        buyer, year = chance.choice(["甲", "乙", ""]), str(chance.randrange(2018, 2021))
        cells.append([first, "设备", kind_, day_, amount_, buyer, year])
        right.append([*means, year])
    doubtful = any(None in means for means in right)
    merges = []
    columns = [2, 3, 4, 7] + [5] * (chance.random() < 0.6)
    for column in chance.sample(columns, chance.choice([0, 0, 1, 2])):
        top = chance.randrange(2, 7)
        bottom = chance.randrange(top + 1, 8)
        merges.append((top, column, bottom, column))
        doubtful |= column == 5
        at = {3: 1, 4: 2, 7: 4}.get(column)
        for row in range(top - 1, bottom - 1) if at else ():
            right[row][at] = right[top - 2][at]
    titles = [*(THEIRS if mapped else OURS), "年度"]
    titles[4] += f"（{unit}）"
    table = Table(
        [titles, *cells],
        tuple(merges),
        hidden=(3,) * chance.randrange(2),
        conditional=chance.choice(["", "struck", "0.0,"]),
    )
    path = save(folder / f"procurement{suffix}", table)
    columns = dict(zip(THEIRS, [*OURS[:4], "合同金额（元）", OURS[5]], strict=True))
    columns = {one + f"（{unit}）" * (one == "价款"): ours for one, ours in columns.items()}
    words = LedgerMapping(
        columns=columns, values={"组织形式": KINDS}, key={"prefix": "年度"}, dates={"year": 2020}
    )
    words = [words] if mapped else []
    if doubtful:
        with pytest.raises(InputError) as error:
            read_ledger(ZFXXGK, "procurement", [path], mappings=words)
        return error.value.reason
    ledger = read_ledger(ZFXXGK, "procurement", [path], mappings=words, root=folder)
    assert ledger.refused == (), (seed, [v.text() for v in ledger.violations])
    names = ["项目编号", "组织形式", "合同签订日期", "合同金额（元）"]
    records = ledger.frame[names].astype({"合同签订日期": "datetime64[s]"})
    found = [[*row[:2], row[2].date(), row[3]] for row in records.itertuples(index=False)]
    prefix = "{}-" if mapped else ""
    assert found == [[prefix.format(year) + first, *means] for first, *means, year in right], seed
    rules = {v.rule for v in ledger.violations}
    assert ("L-merged" in rules) == bool(merges), seed
    check_again(ledger, path, seed, merged=suffix == ".ods" and bool(merges))
    return "right"


def check_again(ledger, path, seed, *, merged):
    """The second count reads the same records, or says that it does not read the file."""
    wanted = [Wanted(ZFXXGK, ledger_record(ledger, keyed=False), [path])]
    (raw,) = read_again(path.parent, wanted, work_calendar()).values()
    if merged:
        assert isinstance(raw, ReportkitError)
        assert "not read twice" in str(raw)
        return
    names = record_columns(ledger.schema)
    cells = ", ".join(f'CAST("{name}" AS VARCHAR) AS "{name}"' for name in names)
    query = f'SELECT {cells} FROM {raw.table} ORDER BY "{ROW}"'
    again = raw.connection.sql(query).to_arrow_table().to_pylist()
    assert again == read_record(ledger.frame, ledger.schema).to_pylist(), seed


def test_looks_by_lot_end_right_or_are_refused(tmp_path):
    ends = [case(seed, tmp_path) for seed in range(CASES)]
    assert set(ends) == {"right", "ledger-shown", "ledger-merged"}
    # Both ends are tried in earnest.
    assert CASES // 3 < ends.count("right") < CASES


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(SLOW_CHUNKS))
def test_many_looks_by_lot_end_right_or_are_refused(chunk, tmp_path, pytestconfig):
    seed = pytestconfig.getoption("randomly_seed") + 1
    first = (seed * SLOW_CHUNKS + chunk) * 100
    for number in range(first, first + 100):
        case(number, tmp_path)
