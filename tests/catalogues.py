"""Runs that hold what the catalogue reads of one, made by the thousand without a notebook."""

import hashlib
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

ENDED = datetime(2022, 1, 3, 18, tzinfo=UTC)  # two in the morning, in China


def fact(name, value, unit="件", label=None, origin="ledger"):
    """A fact as facts.json has it, as far as anybody reads it here."""
    return {
        "id": name,
        "label": label or name,
        "value": str(value),
        "unit": unit,
        "decimals": 0,
        "origin": origin,
        "definition": "",
        "rows": 0,
    }


def check(name, *, holds=False, severity="warning", title="应当相等", message="1 ≠ 2", waived=None):
    """A check as checks.json has it."""
    return {
        "id": name,
        "title": title,
        "severity": severity,
        "holds": holds,
        "left": "1",
        "right": "1" if holds else "2",
        "facts": [],
        "message": message,
        "waived": waived,
    }


def publish(
    out, district, year=2021, run="one", *, facts=(), checks=(), ended=ENDED, further=None, **said
):
    """Put a run in force, sealed by its sums, with no document in it.

    *further* is its form where that is not the usual one of its district.
    """
    place = Path(out) / district / (f"{year}-{further}" if further else str(year))
    folder = place / "runs" / run
    folder.mkdir(parents=True)
    contents = {
        "facts": {"facts": list(facts), "district": district, "year": year},
        "checks": checks if isinstance(checks, dict) else list(checks),
    }
    manifest = {
        "district": district,
        "year": year,
        "name": f"{district}区",
        "code": None,
        "parent": None,
        "form": further or "zfxxgk",
        "parameters": {"form": further},
        "edition": "2021",
        "scope": "district",
        "draft": False,
        "synthetic": False,
        "ended": getattr(ended, "isoformat", lambda: ended)(),
        "files": [],
    } | said
    for name, content in contents.items():
        document = json.dumps(content, ensure_ascii=False).encode()
        (folder / f"{name}.json").write_bytes(document)
        digest = hashlib.sha256(document).hexdigest()
        manifest["files"].append({"path": f"{name}.json", "sha256": digest, "bytes": len(document)})
    document = json.dumps(manifest, ensure_ascii=False).encode()
    (folder / "MANIFEST.json").write_bytes(document)
    sums = f"{hashlib.sha256(document).hexdigest()}  MANIFEST.json\n"
    (folder / "SHA256SUMS").write_text(sums, encoding="utf-8")
    link = place / ".new"
    link.symlink_to(f"runs/{run}")
    link.replace(place / "current")
    return folder


def enforcement(permits, penalties):
    """Facts of a report of enforcement, from which some of its headlines follow."""
    return [
        fact("t1.permits.accepted", permits),
        fact("t1.permits.granted", permits - 1),
        fact("t2.total.count", penalties, "宗"),
    ]


def table_of(new, granted, days, corrected=0, published=100):
    """Facts of a report of the usual form, from which its headlines follow."""
    return [
        fact("t3.new.total", new, label="一、本年新收政府信息公开申请数量/总计"),
        fact("t3.carried_in.total", 0),
        fact("t3.results_total.total", new),
        fact("t3.carried_out.total", 0),
        fact("t3.granted.total", granted),
        fact("t3.partial.total", 0),
        fact("timeliness.answered_on_time", new),
        fact("timeliness.answered_late", 0),
        fact("timeliness.median_days", days, "个工作日"),
        fact("t4.review.maintain", 4),
        fact("t4.review.correct", corrected),
        fact("t4.review.other", 0),
        fact("t4.review.total", 4 + corrected),
        fact("t4.litigation_direct.total", 0),
        fact("t4.litigation_after_review.total", 0),
        fact("pub.total", published, "条"),
    ]


# Names of no place: each is a tree, a water and a kind.
_TREES = "松柏桐槐榆柳桂枫杉楠樟桦椿檀栗"
_WATERS = "溪泉湖川江河潭湾渡浦洲沙矶滩源"
_KINDS = ("区", "县", "市")


def names(count):
    """So many names of no place, the same each time."""
    for number in range(count):
        rest, kind = divmod(number, len(_KINDS))
        rest, water = divmod(rest, len(_WATERS))
        rest, tree = divmod(rest, len(_TREES))
        yield f"{'东西南北上下'[rest % 6]}{_TREES[tree]}{_WATERS[water]}{_KINDS[kind]}"


def failed(district, year, reason, why):
    """An event of the journal: a report that failed."""
    return {
        "event": "failed",
        "at": ENDED.isoformat(),
        "district": district,
        "year": year,
        "reason": reason,
        "message": f"{district} {year}: {why}",
    }


def make_many(folder, count, years=(2019, 2020, 2021), *, more=()):
    """A project of so many invented places below invented provinces, with runs of these years.

    Every fifteenth has not handed in for the last year, every twentieth has failed, every
    twenty-fifth has a finding, every thirtieth is a draft. *more* facts stand in each run.
    """
    draw = random.Random(20080501)
    districts, out = folder / "params/districts", folder / "outputs"
    districts.mkdir(parents=True)
    out.mkdir()
    above = [f"p{number:02}" for number in range(max(count // 100, 1))]
    for number, parent in enumerate(above):
        text = f"id: {parent}\nname: {_TREES[number % 15]}{_WATERS[number // 15]}省\n"
        (districts / f"{parent}.yaml").write_text(text, encoding="utf-8")
    for number, name in enumerate(names(count)):
        district, parent = f"d{number:04}", above[number % len(above)]
        text = f"id: {district}\nname: {name}\nparent: {parent}\n"
        (districts / f"{district}.yaml").write_text(text, encoding="utf-8")
        for year in years:
            if year == years[-1] and (number % 15 == 7 or number % 20 == 3):
                continue
            new = int(draw.lognormvariate(4, 1))
            figures = table_of(
                new,
                int(new * draw.betavariate(5, 4)),
                draw.randint(4, 19),
                draw.choice((0, 0, 0, 1, 2)),
                draw.randint(200, 2000),
            )
            figures += more
            checks = [check("R1", holds=True), check("X1", holds=number % 25 != 4)]
            publish(
                out,
                district,
                year,
                facts=figures,
                checks=checks,
                name=name,
                parent=parent,
                draft=number % 30 == 5 and year == years[-1],
                ended=ENDED + timedelta(days=366 * (year - 2021), seconds=number),
            )
    last = years[-1]
    events = [
        failed(f"d{number:04}", last, reason, why)
        for number in range(count)
        for reason, why, so in (
            ("not-handed-in", "nothing is handed in", number % 15 == 7),
            ("ledger-heading", "the heading has no 收到日期", number % 20 == 3),
        )
        if so
    ]
    lines = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events)
    (out / "batch.jsonl").write_text(lines, encoding="utf-8")
    return folder
