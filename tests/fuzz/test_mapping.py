"""Registers in words that nobody chose: a mapping reads them right, and both engines the same."""

import csv
import random

import pytest
from shipped import ZFXXGK

from reportkit.evidence.digests import read_record, record_columns
from reportkit.ledgers import read_ledger
from reportkit.ledgers.normal import loose
from reportkit.ledgers.schema import schema_of
from reportkit.params.mapping import LedgerMapping
from reportkit.proof.record import ledger_record
from reportkit.proof.recount.sqlledger import ROW, Wanted, read_again
from reportkit.worktime import work_calendar

CHARACTERS = "甲乙丙丁戊己庚辛收办结果日期人名类别号文件处理内外新旧大小ABCabc（）()、_-．. １２"
DAYS = ["{y}-{m}-{d}", "{y}/{m}/{d}", "{y}.{m:02}.{d:02}", "{y}年{m}月{d}日", "{y}{m:02}{d:02}",
        "{m}月{d}日", "{m}/{d}", "{m:02}-{d:02}"]  # fmt: skip
OUTCOMES = ["予以公开", "部分公开", "属于国家秘密", "重复申请"]
KINDS = ["自然人", "商业企业", "其他"]


def words(lot, count, taken):
    """Different words, of which none is spelt like another or like one of ours."""
    found = []
    while len(found) < count:
        word = "".join(lot.choices(CHARACTERS, k=lot.randint(2, 6))).strip()
        if loose(word) and loose(word) not in taken:
            taken.add(loose(word))
            found.append(word)
    return found


def register(lot):
    """A mapping, the rows of a register, and the records that they mean."""
    schema = schema_of(ZFXXGK, "applications")
    names = ["登记号", "申请人类型", "收到日期", "答复日期", "办理结果"]
    headings = words(lot, len(names) + 1, set(schema.headings()))
    outcomes = words(lot, len(OUTCOMES), set(schema.column("办理结果").vocabulary()))
    kinds = words(lot, len(KINDS), set(schema.column("申请人类型").vocabulary()))
    rows, records = [], []
    for n in range(lot.randint(1, 12)):
        month, day = lot.randint(1, 11), lot.randint(4, 9)
        kind, outcome = lot.randrange(len(KINDS)), lot.randrange(len(OUTCOMES))
        received = lot.choice(DAYS).format(y=2022, m=month, d=day)
        answered = lot.choice(DAYS).format(y=2022, m=month + 1, d=day)
        spelt = lot.choice([kinds[kind], kinds[kind].lower(), f" {kinds[kind]}\u3000", KINDS[kind]])
        rows.append([str(n), spelt, received, answered, outcomes[outcome], str(2010 + n % 5)])
        records.append(
            (
                f"{2010 + n % 5}-{n}",
                KINDS[kind],
                f"2022-{month:02}-{day:02}",
                f"2022-{month + 1:02}-{day:02}",
                OUTCOMES[outcome],
            )
        )
    mapping = LedgerMapping(
        columns=dict(zip(headings, names, strict=False)),
        values={
            "办理结果": dict(zip(outcomes, OUTCOMES, strict=True)),
            "申请人类型": dict(zip(kinds, KINDS, strict=True)),
        },
        key={"prefix": headings[-1]},
        dates={"year": 2022},
    )
    order = list(range(len(headings)))
    lot.shuffle(order)
    return mapping, [[row[at] for at in order] for row in [headings, *rows]], records


def check(seed, folder):
    """One register: read as it is meant, and by both engines the same; a failure tells the seed."""
    lot = random.Random(seed)
    mapping, rows, records = register(lot)
    path = folder / "register.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    ledger = read_ledger(ZFXXGK, "applications", [path], root=folder, mappings=[mapping])
    assert ledger.refused == (), (seed, [v.text() for v in ledger.violations])
    names = record_columns(ledger.schema)
    read = read_record(ledger.frame, ledger.schema)
    assert list(zip(*(read[name].to_pylist() for name in names[:5]), strict=True)) == records, seed
    wanted = [Wanted(ZFXXGK, ledger_record(ledger, keyed=False), [path])]
    (raw,) = read_again(folder, wanted, work_calendar()).values()
    cells = ", ".join(f'CAST("{name}" AS VARCHAR) AS "{name}"' for name in names)
    query = f'SELECT {cells} FROM {raw.table} ORDER BY "{ROW}"'
    assert raw.connection.sql(query).to_arrow_table().to_pylist() == read.to_pylist(), seed


def test_registers_in_words_of_the_lot(tmp_path):
    for seed in range(25):
        check(seed, tmp_path)


@pytest.mark.slow
def test_many_registers_in_words_of_the_lot(tmp_path):
    start = random.SystemRandom().randrange(1 << 32)
    for seed in range(start, start + 2_000):
        check(seed, tmp_path)
