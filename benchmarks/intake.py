"""Speed of reading ledgers, against the fastest plain reader of each format.

Prints JSON: ratios of medians, both sides measured by turns in one run; peak memory of a process
of its own for each side, over that of the same process when it has read a hundred rows.

    python benchmarks/intake.py              # a million rows of csv, 100 000 of xlsx, 10 million
    python benchmarks/intake.py --quick      # a hundredth of each
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import re
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from python_calamine import CalamineWorkbook

from reportkit.ledgers import read_ledger

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = ["行政许可", "其他对外管理服务事项", "行政处罚", "行政强制"]
TYPES = ["自然人", "商业企业", "科研机构", "其他"]


def decisions(rows: int, start: int = 0) -> pa.Table:
    """A decisions ledger: unique numbers, four kinds, ten years."""
    chance = np.random.default_rng(start)
    number = np.arange(start, start + rows).astype(str)
    days = np.datetime64("2013-01-01") + chance.integers(0, 3650, rows)
    columns = {
        "决定书文号": pa.array(np.char.add("湖行许决字", number)),
        "种类": pa.array(np.take(KINDS, chance.integers(0, 4, rows))),
        "决定日期": pa.array(days.astype("datetime64[D]")).cast(pa.string()),
        "机关": pa.array(np.char.add("第", chance.integers(0, 40, rows).astype(str))),
        "事项编码": pa.array(np.char.add("3502", chance.integers(0, 900, rows).astype(str))),
        "是否公开": pa.array(np.take(["是", "否"], chance.integers(0, 2, rows))),
        "行政相对人": pa.array(np.char.add("某某有限公司", number)),
    }
    return pa.table(columns)


def write_csv(path: Path, rows: int) -> None:
    """As most programs write it: nothing quoted that need not be."""
    options = pa_csv.WriteOptions(quoting_style="none", quoting_header="none")
    pa_csv.write_csv(decisions(rows), path, options)


def write_xlsx(path: Path, rows: int) -> None:
    """Twelve columns of an applications ledger, days as days."""
    chance = np.random.default_rng(1)
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("台账")
    heading = (
        "登记号 申请人类型 收到日期 答复日期 办理结果 申请人 证件号码 联系电话 申请渠道 "
        "所需信息 承办单位 答复文号"
    ).split()
    sheet.append(heading)
    received = (np.datetime64("2020-01-01") + chance.integers(0, 300, rows)).astype(object)
    answered = received + np.timedelta64(9, "D").astype(object)
    for n in range(rows):
        sheet.append(
            [
                f"依〔2020〕{n}号",
                TYPES[n % 4],
                received[n],
                answered[n],
                "予以公开",
                f"申请人{n}",
                f"3502{n:014}",
                f"139{n:08}",
                "网络申请",
                f"关于第{n % 500}号事项的信息",
                f"科室{n % 20}",
                f"答〔2020〕{n}号",
            ]
        )
    book.save(path)


def write_parquet(path: Path, rows: int) -> None:
    """Row groups of half a million."""
    step = min(rows, 500_000)
    with pq.ParquetWriter(path, decisions(1).schema) as writer:
        for start in range(0, rows, step):
            writer.write_table(decisions(min(step, rows - start), start))


def ours(key: str, path: Path) -> Any:
    """Read, validated and mapped."""
    return read_ledger(key, [path])


def plain_csv(path: Path) -> Any:
    """Read by pyarrow, types guessed."""
    return pa_csv.read_csv(path)


def plain_xlsx(path: Path) -> Any:
    """Read by calamine, cells as Python values."""
    with CalamineWorkbook.from_path(path) as book:
        return book.get_sheet_by_index(0).to_python()


def timed(work: Callable[[], Any]) -> float:
    """Seconds that a piece of work takes."""
    # Neither side finds, or has to clear away, what the other one left.
    gc.collect()
    pa.default_memory_pool().release_unused()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _high_water() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])


def _peak(send: Any, name: str, key: str, path: Path, small: Path) -> None:
    read = {"ours": partial(ours, key), "csv": plain_csv, "xlsx": plain_xlsx}[name]
    # What is loaded once is no part of what a ledger takes.
    read(small)
    # ru_maxrss would be inherited from the process that started this one.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _high_water()
    result = read(path)
    peak = _high_water()
    frame = int(result.frame.memory_usage(deep=True).sum()) if name == "ours" else 0
    send.send((before, peak, frame))


def peak(name: str, key: str, path: Path, small: Path) -> tuple[int, int, int]:
    """Peak memory before and after, and bytes of the frame, in a process of its own."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_peak, args=(send, name, key, path, small))
    process.start()
    send.close()
    measured: tuple[int, int, int] = receive.recv()
    process.join()
    return measured


def compared(kind: str, key: str, path: Path, rows: int, turns: int) -> Any:
    """Time by turns, memory in processes of their own."""
    plain, write = {"csv": (plain_csv, write_csv), "xlsx": (plain_xlsx, write_xlsx)}[kind]
    small = path.with_stem(f"small-{path.stem}")
    write(path, rows)
    write(small, 100)
    times: dict[str, list[float]] = {"ours": [], "plain": []}
    ours(key, path)
    for _ in range(turns):
        times["plain"].append(timed(lambda: plain(path)))
        times["ours"].append(timed(lambda: ours(key, path)))
    seconds = {name: statistics.median(values) for name, values in times.items()}
    before, after, frame = peak("ours", key, path, small)
    plain_before, plain_after, _ = peak(kind, key, path, small)
    mib = 1 << 20
    return {
        "file_mib": round(path.stat().st_size / mib, 1),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "time_ratio": round(seconds["ours"] / seconds["plain"], 2),
        "frame_mib": round(frame / mib, 1),
        "peak_mib": {
            "ours": round((after - before) / mib, 1),
            "plain": round((plain_after - plain_before) / mib, 1),
        },
        "memory_ratio_to_frame": round((after - before) / frame, 2),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--csv-rows", type=int, default=1_000_000)
    parser.add_argument("--xlsx-rows", type=int, default=100_000)
    parser.add_argument("--parquet-rows", type=int, default=10_000_000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a hundredth of all rows")
    options = parser.parse_args()
    small = 100 if options.quick else 1
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if rows := options.csv_rows // small:
            found = compared("csv", "decisions", folder / "decisions.csv", rows, options.turns)
            result["csv"] = {"rows": rows, **found}
        if rows := options.xlsx_rows // small:
            path = folder / "applications.xlsx"
            found = compared("xlsx", "applications", path, rows, options.turns)
            result["xlsx"] = {"rows": rows, **found}
        if rows := options.parquet_rows // small:
            path, small = folder / "decisions.parquet", folder / "small.parquet"
            write_parquet(path, rows)
            write_parquet(small, 100)
            start = time.perf_counter()
            before, after, frame = peak("ours", "decisions", path, small)
            result["parquet"] = {
                "rows": rows,
                "seconds": round(time.perf_counter() - start, 1),
                "frame_mib": round(frame / (1 << 20)),
                "peak_mib": round(after / (1 << 20)),
                "of_it_before_reading_mib": round(before / (1 << 20)),
            }
    sys.stdout.write(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
