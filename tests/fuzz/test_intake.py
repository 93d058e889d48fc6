"""Tables that nobody wrote by hand, and real files with bytes that nobody meant.

Every case ends in records that are all accounted for, or in a refusal; never in another error, in
waiting, or in records that are gone.
"""

import csv
import datetime as dt
import io
import random
import signal
import zipfile
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from machine import PATIENCE
from sheets import Table, save
from shipped import ZFXXGK

from reportkit.errors import InputError
from reportkit.ledgers import read_ledger
from reportkit.ledgers.normal import clean

HEADING = ["登记号", "申请人类型", "收到日期", "答复日期", "办理结果", "所需信息", "延期工作日"]
CHUNK = 500
SLOW_CHUNKS = 40

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"]), max_size=12
)
KEYS = TEXTS.filter(lambda text: stripped(text) not in NO_KEYS)
DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2030, 1, 1))
# What stands in a cell that holds nothing (`L-key` of docs/reference/intake.md).
NO_KEYS = {"", "-", "--", "—", "——", "/", "无"}
SUMS = {"合计", "小计", "总计", "共计", "累计"}


@st.composite
def tables(draw):
    """Records that are right, in any order."""
    rows = []
    for key in draw(st.lists(KEYS, max_size=12, unique_by=stripped)):
        received = draw(DAYS)
        answered = draw(st.none() | st.integers(0, 60).map(dt.timedelta).map(received.__add__))
        outcome = (
            draw(st.sampled_from(["予以公开", "3.其他", "（一）予以公开"])) if answered else ""
        )
        kind = draw(st.sampled_from(["自然人", "商业企业", "其他"]))
        extension = draw(st.none() | st.integers(0, 20))
        rows.append([key, kind, received, answered, outcome, draw(TEXTS), extension])
    return [row for row in rows if not SUMS & {stripped(row[0]), stripped(row[5])}]


def stripped(text):
    """Return the normal form of a key, by the table of normal forms."""
    return clean(text)


def as_csv(rows, encoding, delimiter, end="\r\n", quoting=csv.QUOTE_MINIMAL):
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerows([HEADING, *rows])
    return text.getvalue().encode(encoding)


def as_xlsx(rows):
    book = openpyxl.Workbook()
    book.active.append(HEADING)
    for line, row in enumerate(rows, 2):
        for column, value in enumerate(row, 1):
            if value not in (None, ""):
                cell = book.active.cell(line, column, value)
                # Text that looks like a formula or an error is text.
                cell.data_type = "s" if isinstance(value, str) else cell.data_type
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def as_parquet(rows):
    columns = list(zip(*rows, strict=True)) or [[] for _ in HEADING]
    types = [pa.string()] * 2 + [pa.date32()] * 2 + [pa.string()] * 2 + [pa.int64()]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
    file = io.BytesIO()
    pq.write_table(pa.table(arrays, names=HEADING), file)
    return file.getvalue()


def as_other(rows, suffix):
    with TemporaryDirectory() as folder:
        return save(Path(folder) / f"a{suffix}", Table([HEADING, *rows])).read_bytes()


@contextmanager
def in_time():
    def late(number, frame):
        message = f"no end after {PATIENCE} s"
        raise AssertionError(message)

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def read(folder, content, suffix):
    path = folder / f"applications{suffix}"
    path.write_bytes(content)
    with in_time():
        return read_ledger(ZFXXGK, "applications", [path], root=folder)


def accepted(ledger):
    assert (
        ledger.read == len(ledger.frame) + ledger.quarantined + ledger.rejected + ledger.set_aside
    )
    frame = ledger.frame.drop(columns=[c.name for c in ledger.schema.derived])
    return frame.astype(object).where(frame.notna(), None).to_numpy().tolist()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=tables(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
    delimiter=st.sampled_from(",;\t"),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_the_same_records_from_every_format(rows, encoding, delimiter, end, quoting, tmp_path):
    text = read(tmp_path, as_csv(rows, encoding, delimiter, end, quoting), ".csv")
    assert text.sources[0].encoding in (encoding, "utf-8")
    assert (text.read, text.refused) == (len(rows), ())
    assert [row[0] for row in accepted(text)] == [stripped(row[0]) for row in rows]
    assert text.frame["收到日期"].dt.date.tolist() == [row[2] for row in rows]
    book = read(tmp_path, as_xlsx(rows), ".xlsx")
    columns = read(tmp_path, as_parquet(rows), ".parquet")
    assert accepted(text) == accepted(book) == accepted(columns)


@pytest.mark.parametrize("key", sorted(NO_KEYS - {""}))
def test_a_key_that_says_nothing_is_none_in_every_format(key, tmp_path):
    day = dt.date(2020, 1, 6)
    rows = [[f"{n}号", "自然人", day, None, "", "", None] for n in range(200)]
    rows.insert(7, [key, "自然人", day, None, "", "", None])
    for content, suffix in (
        (as_csv(rows, "utf-8", ","), ".csv"),
        (as_xlsx(rows), ".xlsx"),
        (as_parquet(rows), ".parquet"),
    ):
        ledger = read(tmp_path, content, suffix)
        (result,) = ledger.violations
        assert (result.rule, result.found) == ("L-key", key)
        assert (ledger.read, len(ledger.frame), ledger.quarantined) == (201, 200, 1)
        (tmp_path / f"applications{suffix}").unlink()


def originals():
    day, number = dt.date(2020, 1, 6), range(40)
    rows = [
        [
            f"依〔2020〕{n}号",
            "自然人",
            day + dt.timedelta(n),
            day + dt.timedelta(n + 9),
            "予以公开",
            "预算，决算" * (n % 3),
            n % 20,
        ]
        for n in number
    ]
    rows.append(["合计", "", "", "", "", "", ""])
    made = {
        "utf-8": (as_csv(rows, "utf-8", ",", "\n"), ".csv"),
        "gb18030, quoted": (as_csv(rows, "gb18030", ";", "\r\n", csv.QUOTE_ALL), ".csv"),
        "utf-16": (as_csv(rows, "utf-16", "\t"), ".csv"),
        "xlsx": (as_xlsx(rows), ".xlsx"),
        "parquet": (as_parquet(rows[:-1]), ".parquet"),
        "xls": (as_other(rows, ".xls"), ".xls"),
        "ods": (as_other(rows, ".ods"), ".ods"),
    }
    # What a text of its own looks like inside: the parts are changed and packed again.
    made["parts of xlsx"] = (made["xlsx"][0], ".xlsx.parts")
    made["parts of ods"] = (made["ods"][0], ".ods.parts")
    return made


ORIGINALS = originals()
PIECES = [
    b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b'"', b",", b";", b"\t", b"\r", b"\n", b"\r\n",
    b"\x81", b"\x81\x30\x81\x30", b"\xed\xa0\x80", b"\xe2\x80\xa8", b"9" * 30, b"-", b"1e308",
    "合计".encode(), "登记号".encode(), b"<", b">", b"&#0;", b"&lol;", b'r="A1"', b't="e"',
    b'r="XFD1048576"', b'<f>1</f>', b'hidden="1"', b"<row>", b"</row>", b"<v/>", b"<v>1e999</v>",
    b"<!DOCTYPE a>", b'<mergeCells><mergeCell ref="A2:G9"/></mergeCells>', b"A" * 200_000,
]  # fmt: skip


def changed(content, chance):
    content = bytearray(content)
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        at = chance.randrange(len(content) + 1)
        to = min(len(content), at + chance.choice([1, 1, 2, 8, 64, 1024]))
        kind = chance.randrange(7)
        if kind == 0 and at < len(content):
            content[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del content[at:to]
        elif kind == 2:
            content[at:at] = content[at:to]
        elif kind == 3:
            content[at:at] = chance.choice(PIECES)
        elif kind == 4:
            content[at:to] = chance.choice(PIECES)
        elif kind == 5:
            content[at:to] = chance.randbytes(to - at)
        else:
            del content[at:]
    return bytes(content)


def parts_changed(content, chance):
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    sheet = "content.xml" if "content.xml" in parts else "xl/worksheets/sheet1.xml"
    name = sheet if chance.random() < 0.7 else chance.choice(sorted(parts))
    parts[name] = changed(parts[name], chance)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as target:
        for name, part in parts.items():
            target.writestr(name, part)
    return file.getvalue()


def case(seed, folder):
    """One changed file; what became of it."""
    chance = random.Random(seed)
    content, suffix = ORIGINALS[chance.choice(sorted(ORIGINALS))]
    if suffix.endswith(".parts"):
        content, suffix = parts_changed(content, chance), suffix.removesuffix(".parts")
    else:
        content = changed(content, chance)
    try:
        ledger = read(folder, content, suffix)
    except InputError as error:
        refusal = error
    else:
        refusal = None
    if refusal:
        assert refusal.reason.startswith("ledger-")
        assert "applications" in str(refusal)
        return refusal.reason
    assert (
        ledger.read == len(ledger.frame) + ledger.quarantined + ledger.rejected + ledger.set_aside
    )
    assert ledger.frame[ledger.schema.key_column].is_unique
    result = {v.place for v in ledger.violations if v.severity == "reject"}
    assert len(ledger.refused) == len(result)
    if suffix == ".csv" and ledger.read:
        assert ledger.read == records_from(content, ledger)
    return "accepted"


def records_from(content, ledger):
    """Records from the first one read on, counted without our reader."""
    text = content.decode(ledger.sources[0].encoding)
    delimiters = [d for d in ",;\t" if d in text.splitlines()[int(ledger.line_of[0]) - 1]]
    counts = set()
    for delimiter in delimiters:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        line, count = 1, 0
        for row in reader:
            count += line >= ledger.line_of[0] and any(cell.strip() for cell in row)
            line = reader.line_num + 1
        counts.add(count)
    return ledger.read if ledger.read in counts else counts


def test_changed_files_are_read_whole_or_refused(tmp_path):
    ends = {case(seed, tmp_path) for seed in range(CHUNK)}
    # The changes reach far enough to be refused for different reasons, and not all are.
    assert {"accepted", "ledger-unreadable", "ledger-encoding", "ledger-ragged"} <= ends


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(SLOW_CHUNKS))
def test_many_changed_files_are_read_whole_or_refused(chunk, tmp_path, pytestconfig):
    seed = pytestconfig.getoption("randomly_seed") + 1
    first = (seed * SLOW_CHUNKS + chunk) * CHUNK
    for number in range(first, first + CHUNK):
        case(number, tmp_path)


@pytest.mark.parametrize("kind", ["xlsx", "parquet"])
def test_a_file_cut_short_is_never_read_as_whole(kind, tmp_path):
    content, suffix = ORIGINALS[kind]
    for end in range(0, len(content), 97):
        with pytest.raises(InputError):
            read(tmp_path, content[:end], suffix)
