"""行政执法决定: by the million, so columns are made whole and never row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synth.printed import category
from synth.words import seed, words

if TYPE_CHECKING:
    from synth.recipe import Row
    from synth.setting import Setting


def decisions(setting: Setting, listed: list[Row]) -> dict[str, Any]:
    """Columns of the ledger.

    Parameters
    ----------
    setting : Setting
    listed : list of Row
        The item ledger, whose codes decisions name.

    Returns
    -------
    dict of str to pandas.Series
    """
    # The oldest generator is the one whose numbers are promised never to change.
    rng = np.random.RandomState(seed(setting.district, "decisions"))
    calendar = setting.calendar
    units, seasons = words()["units"], [float(share) for share in words()["seasons"]]
    people = [f"示例相对人{n:05}" for n in range(1, 5001)]
    parts: list[pd.DataFrame] = []
    for report in setting.reports:
        year = calendar.days[slice(*setting.span(report.year))]
        busy = np.array([seasons[day.month - 1] for day in year])
        days = np.array(year, dtype="datetime64[s]")
        for cell in report.leaves("decisions"):
            kind, count = category(cell, "种类") or "", report.count(cell.id)
            codes = [row["事项编码"] for row in listed if row["种类"] == kind]
            head = f"{setting.recipe.prefix}{kind[-2:]}〔{report.year}〕"
            secret = (rng.random_sample(count) < 0.07).astype(int)
            columns = {
                "决定书文号": head + pd.Series(np.arange(1, count + 1)).astype("str") + "号",
                "种类": _choose([kind], np.zeros(count, dtype=int)),
                "决定日期": np.repeat(days, rng.multinomial(count, busy / busy.sum())),
                "机关": _pick(units, count, rng),
                "事项编码": _pick(codes or [f"SL00{n:06}" for n in range(1, 61)], count, rng),
                "是否公开": _choose(["是", "否"], secret),
                "行政相对人": _pick(people, count, rng),
            }
            parts.append(pd.DataFrame(columns))
    frame = pd.concat(parts, ignore_index=True)
    return {name: frame[name] for name in frame}


def _choose(values: list[str], places: Any) -> Any:
    return pd.Series(values, dtype="str").take(places).reset_index(drop=True)


def _pick(values: list[str], count: int, rng: np.random.RandomState) -> Any:
    return _choose(values, rng.randint(0, len(values), count))
