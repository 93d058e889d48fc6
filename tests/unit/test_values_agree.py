"""Two engines read every cell alike: each character of the table in many positions, and others."""

import random
from datetime import date
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest
from shipped import ZFXXGK

from reportkit.ledgers.normal import characters, clean, pairs, table
from reportkit.ledgers.schema import schema_of
from reportkit.ledgers.values import (
    category_parser,
    parse_amount,
    parse_date,
    parse_flag,
    parse_integer,
)
from reportkit.proof.recount.rawledgers import _bare
from reportkit.proof.recount.sqlcells import macros, typed

# Around each of these a character is put, and in its middle.
DATES = [
    "2020-01-02",
    "2020/1/2",
    "2020.1.2",
    "2020年1月2日",
    "20200102",
    "2020-01-02 8:30",
    "43832",
]
AMOUNTS = ["1200", "1,234.50", "1.5万元", "¥12", "-3"]
FLAGS = ["是", "yes", "不公开", "0"]
OUTCOMES = ["（一）予以公开", "1.属于国家秘密", "部分公开", "unable_1_not_held"]
OPEN = ["政府集中采购", "集中采购", "网上超市"]
SEEDS = {"date": DATES, "amount": AMOUNTS, "integer": AMOUNTS, "flag": FLAGS, "category": OUTCOMES}


def alphabet():
    """Every character that the table names, on either side, and a few that it does not."""
    listed = "".join(pairs("fold") + pairs("loose"))
    for codes in [*table()["trim"].values(), *table()["refuse"].values()]:
        listed += characters(codes)
    listed += "〔〕［］〖〗【】《》〈〉﹝﹞❨❩︹︺"
    listed += "".join(chr(code) for code in range(1, 0x100)) + "٣३一二〇々Ωéßİſﬁ🏴\u0301\u3099号点"
    return sorted(set(listed))


def around(seed, char):
    """The character before, after, within, in the place of each third one, and doubled."""
    yield from (char + seed, seed + char, char + seed + char, char, seed + " " + char)
    for at in range(1, len(seed), 3):
        yield seed[:at] + char + seed[at:]
        yield seed[:at] + char + seed[at + 1 :]


def second(kind, cells, *, with_=1, words=None, is_open=False, year=None):
    """Return the values that the SQL of the second engine reads from cells."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(macros())
    bare = _bare(pa.array(cells, pa.string()))
    size = len(cells)
    fixed = {
        "w": pa.repeat(pa.scalar(with_, pa.int64()), size),
        "year": pa.repeat(pa.scalar(year, pa.int64()), size),
        "open": pa.repeat(pa.scalar(is_open), size),
        "other": pa.nulls(size, pa.string()),
    }
    connection.register("cells", pa.table({"n": list(range(size)), "c": bare, **fixed}))
    if words:
        listed = {"list": [with_] * len(words), "loose": list(words), "value": [*words.values()]}
        connection.register("words", pa.table(listed))
    return connection.sql(typed(kind)).to_arrow_table()["value"].to_pylist()


def first(parse, cells):
    found = []
    for cell in cells:
        try:
            found.append(parse(cell))
        except (ValueError, ArithmeticError):
            found.append(None)
    return found


def differing(kind, parse, cells, **given):
    pairs_ = zip(cells, first(parse, cells), second(kind, cells, **given), strict=True)
    return [(ascii(cell), one, other) for cell, one, other in pairs_ if one != other]


PARSERS = {
    "date": parse_date, "amount": parse_amount, "integer": parse_integer, "flag": parse_flag,
}  # fmt: skip


# Of tens of thousands of cells all are in the slow tier, and every so many here.
thinned = pytest.mark.parametrize("step", [11, pytest.param(1, marks=pytest.mark.slow)])


@thinned
@pytest.mark.parametrize("kind", PARSERS)
def test_each_character_in_each_place(kind, step):
    cells = [cell for seed in SEEDS[kind] for char in alphabet() for cell in around(seed, char)]
    assert len(cells) > 20_000
    cells = cells[::step]
    with_ = 1900 if kind == "date" else 1
    assert differing(kind, PARSERS[kind], cells, with_=with_) == []


@thinned
@pytest.mark.parametrize(
    ("ledger", "name", "seeds"),
    [
        ("decisions", "种类", ["行政许可", "其他对外管理服务事项"]),
        ("procurement", "组织形式", OPEN),
    ],
)
def test_each_character_in_a_category(ledger, name, seeds, step):
    column = schema_of(ZFXXGK, ledger).column(name)
    cells = [cell for seed in seeds for char in alphabet() for cell in around(seed, char)][::step]
    given = {"words": column.vocabulary(), "is_open": column.open}
    assert differing("category", category_parser(column), cells, **given) == []


def test_numbered_outcomes_are_read_alike():
    column = schema_of(ZFXXGK, "applications").column("办理结果")
    numbers = pairs("loose")[0] + "１⓵❶㊀"
    cells = [cell for seed in OUTCOMES for char in numbers for cell in (char + seed, seed + char)]
    given = {"words": column.vocabulary()}
    assert differing("category", category_parser(column), cells, **given) == []
    assert first(category_parser(column), ["㈠予以公开", "⒈属于国家秘密", "予以公开②"]) == [
        "予以公开",
        "属于国家秘密",
        None,
    ]


@thinned
@pytest.mark.parametrize("kind", PARSERS)
def test_strings_of_the_alphabet(kind, step):
    lot = random.Random(20)
    marks = [*"0123456789", *"-/.年月日时分秒:, T+Z元万亿¥", *alphabet()]
    weights = [12] * 10 + [10] * (len(marks) - 10 - len(alphabet())) + [0.05] * len(alphabet())
    cells = []
    for _ in range(20_000 // step):
        seed = lot.choice(SEEDS[kind])
        for _ in range(lot.randint(1, 3)):
            at = lot.randrange(len(seed) + 1)
            seed = seed[:at] + lot.choices(marks, weights)[0] + seed[at + lot.randint(0, 1) :]
        cells.append(seed)
    with_ = 1900 if kind == "date" else 10_000
    parse = (lambda cell: parse_amount(cell, 10_000)) if kind == "amount" else PARSERS[kind]
    assert differing(kind, parse, cells, with_=with_) == []


def test_what_is_trimmed_is_the_same():
    cells = [
        cell
        for seed in ["001", '="001"', "'001", "甲 乙"]
        for char in alphabet()
        for cell in (*around(seed, char), f'="{char}{seed}{char}"')
    ]
    assert _bare(pa.array(cells, pa.string())).to_pylist() == list(map(clean, cells))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2020年3⽉2⽇", date(2020, 3, 2)),
        ("２０２０－０３－０２", date(2020, 3, 2)),
        ("2020−3−2", date(2020, 3, 2)),
        ("2020-12-31T15:59:59Z", date(2020, 12, 31)),
        ("2020-12-31T16:00:00Z", date(2021, 1, 1)),
        ("2021-01-01 00:30:00+09:00", date(2020, 12, 31)),
        ("2020-12-31 23:59:59.997", date(2020, 12, 31)),
        ("2020-12-31 24:00", date(2020, 12, 31)),
        ("2020-3-1①", None),
        ("2020-3-1¹", None),
        ("2020-01-02 25:70", None),
        ("2020-01-02 8:60", None),
        ("2021-2/3", None),
        ("二〇二〇年三月二日", None),
        ("20-03-02", None),
        ("2020年㋂2日", None),
        ("0000-01-01", None),
    ],
)
def test_a_day_is_read_or_refused(text, day):
    assert first(parse_date, [text]) == [day]
    assert second("date", [text], with_=1900) == [day]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("１，２３４．５０", "1234.5"),
        ("￥ 99", "99"),
        ("0.0000005万元", "0.005"),
        ("0.00000005万元", "0.0005"),
        ("0.00000000005万元", None),
        ("99999999999999999999", "99999999999999999999"),
        ("999999999999999999999", None),
        ("99999999999999999万元", None),
        ("1200¹", None),
        ("300②", None),
        ("5₂", None),
        ("1½", None),
        ("（100）", None),
        ("12%", None),
        ("1.2e3", None),
    ],
)
def test_an_amount_is_read_or_refused(text, amount):
    wanted = [amount and Decimal(amount)]
    assert first(parse_amount, [text]) == wanted
    assert second("amount", [text]) == wanted


def test_the_character_to_blame_is_named():
    with pytest.raises(ValueError, match="it holds '¹': note signs or raised digits are not read"):
        parse_amount("1200¹")
    with pytest.raises(ValueError, match="it holds '②': circled or bracketed digits"):
        parse_date("2020-3-1②")
