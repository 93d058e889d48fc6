"""Ledgers into files: mixed formats, each saying that it is synthetic, the same bytes each time."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from xlsxwriter import Workbook

from reportkit.errors import InputError
from reportkit.export.archives import without_times
from reportkit.ledgers.schema import schema_of
from synth.words import FORM, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from synth.printed import Difference

ENCODINGS = {"csv-utf8": "utf-8", "csv-utf8-bom": "utf-8-sig", "csv-gb18030": "gb18030"}
README = "README.md"
MOST_ROWS = 20_000
"""More than this is written as parquet whatever was asked for."""
_WORKBOOK = {
    "in_memory": True,
    "default_date_format": "yyyy-mm-dd",
    "strings_to_formulas": False,
    "strings_to_urls": False,
}


@dataclass(frozen=True)
class Synthesis:
    """Demonstration ledgers of one district.

    Parameters
    ----------
    district : str
    years : tuple of int
        The report years that the ledgers give.
    ledgers : mapping of str to pandas.DataFrame
        By ledger key, with the Chinese headings in the schema's order and a column 备注.
    exceptions : tuple of Difference
        Every published value that the ledgers do not give, with the reason.
    """

    district: str
    years: tuple[int, ...]
    ledgers: Mapping[str, Any]
    exceptions: tuple[Difference, ...]


def write(
    synthesis: Synthesis, folder: Path, *, formats: Mapping[str, Sequence[str]] | None = None
) -> list[Path]:
    """Write the ledgers of a district, and a README that says what they are.

    Parameters
    ----------
    synthesis : Synthesis
    folder : Path
        The district's own folder if it bears its id, else the folder of all districts.
    formats : mapping of str to sequence of str, optional
        By ledger key: ``xlsx``, ``parquet``, ``csv-utf8``, ``csv-utf8-bom``, ``csv-gb18030``.
        Files of several years take turns.

    Returns
    -------
    list of Path
        The files, in the order of the contract; the README is last.

    Raises
    ------
    InputError
        ``synth-folder``: the folder holds other files, perhaps real ledgers.
    """
    if folder.name != synthesis.district:
        folder = folder / synthesis.district
    made: dict[Path, bytes] = {}
    for key, frame in synthesis.ledgers.items():
        filing = words()["files"][key]
        turns = (formats or {}).get(key, filing["formats"])
        for n, (years, part) in enumerate(_parts(synthesis, frame, filing.get("by"))):
            kind = "parquet" if len(part) > MOST_ROWS else turns[n % len(turns)]
            # Both kinds of names are met in the field, so both are met here.
            name = schema_of(FORM, key).name + years if kind == "xlsx" else f"{key}-{years}"
            path = folder / f"{name}.{kind.partition('-')[0]}"
            made[path] = _bytes(part, kind, schema_of(FORM, key).name)
    made[folder / README] = _readme(synthesis, list(made)).encode()
    _check_folder(folder, made)
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in made.items():
        path.write_bytes(content)
    return list(made)


def _check_folder(folder: Path, made: Mapping[Path, bytes]) -> None:
    """Refuse to write among ledgers that are not ours: real and synthetic rows must not mix."""
    there = sorted(folder.iterdir()) if folder.is_dir() else []
    readme = folder / README
    if there and not (readme in there and words()["note"] in readme.read_text(encoding="utf-8")):
        foreign = there
    else:
        foreign = [path for path in there if path not in made]
    if foreign:
        names = "、".join(path.name for path in foreign[:5])
        raise InputError(
            "synth-folder",
            "{folder} holds {names}, which synth would not replace; give an empty folder",
            names=names,
            folder=folder,
        )


def _parts(synthesis: Synthesis, frame: Any, by: str | None) -> list[tuple[str, Any]]:
    """The whole ledger, or one part for each report year (what is older goes with the first)."""
    years = synthesis.years
    if by is None:
        return [("-".join(dict.fromkeys([str(years[0]), str(years[-1])])), frame)]
    when = frame[by].dt.year.clip(lower=years[0])
    parts = [(str(year), frame[when == year]) for year in years]
    return [(year, part) for year, part in parts if len(part)] or [(str(years[0]), frame)]


def _bytes(frame: Any, kind: str, title: str) -> bytes:
    if kind == "parquet":
        return _parquet(frame)
    if kind == "xlsx":
        return _xlsx(frame, title)
    text: str = frame.to_csv(index=False, lineterminator="\r\n", date_format="%Y-%m-%d")
    return text.encode(ENCODINGS[kind])


def _parquet(frame: Any) -> bytes:
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    fields = [
        pa.field(field.name, pa.date32() if pa.types.is_timestamp(field.type) else field.type)
        for field in table.schema
    ]
    note = {"note": words()["note"]}
    sink = io.BytesIO()
    pq.write_table(table.cast(pa.schema(fields, metadata=note)), sink, compression="zstd")
    return sink.getvalue()


def _xlsx(frame: Any, title: str) -> bytes:
    made = io.BytesIO()
    with Workbook(made, _WORKBOOK) as book:
        book.set_properties({"author": "reportkit synth"})
        sheet = book.add_worksheet("台账")
        sheet.write(0, 0, f"{title}——{words()['note']}")
        sheet.write_row(1, 0, frame.columns)
        for number, row in enumerate(frame.astype("object").itertuples(index=False, name=None), 2):
            sheet.write_row(number, 0, [None if pd.isna(cell) else _plain(cell) for cell in row])
    return without_times(made.getvalue())


def _plain(cell: Any) -> Any:
    return cell.date() if hasattr(cell, "date") else cell


def _readme(synthesis: Synthesis, written: list[Path]) -> str:
    years = "、".join(map(str, synthesis.years))
    files = "\n".join(f"- `{path.name}`" for path in written)
    exceptions = "\n".join(f"- {difference}" for difference in synthesis.exceptions)
    return f"""# {words()["note"]}

本目录的台账由 `make sample`（tools/synth）按已公布的{years}年度报告反推生成：人名、电话、地址、\
文号、标题等均为虚构，只有合计数与公布的统计数字一致。不得作为真实记录引用。

These ledgers are **synthetic**. `make sample` (tools/synth) made them from published totals of \
the report years {years}, so that counting them by the form's definitions gives the published \
figures again. No person, case, document or payment in them is real. The dice are seeded with the \
district's id: the same reports give the same bytes. To make them anew: `make sample`, or \
`python -m synth` with the `<year>.published.json` of these years and `--out data`.

## Files

{files}

## Published values that the ledgers do not give

Leaf cells are the evidence and earlier years go before later ones; where a published report \
contradicts itself, the value that cannot be had is listed here.

{exceptions or "None."}
"""
