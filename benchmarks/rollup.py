"""Roll-up over thousands of members, beside single reports: ``python benchmarks/rollup.py``.

One member's report is really made; the others are copies of its run under their own ids, sealed
again, so that a roll-up reads, checks and adds as many files as it would of real ones.
"""

from __future__ import annotations

import hashlib
import json
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]
YEAR = 2021
RUN = Path(sys.executable).parent / "reportkit"


def spent() -> float:
    """Processor time of all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def command(folder: Path, *words: str) -> float:
    """Processor time of a command, its kernel's too; it may end with findings."""
    begun = spent()
    done = subprocess.run([RUN, *words], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode > 1:
        sys.exit(done.stderr)
    return spent() - begun


def copy_run(run: Path, out: Path, name: str) -> None:
    """A run under another id, with digests that fit."""
    place = out / name / str(YEAR)
    copy = place / "runs" / run.name
    (copy / "evidence").mkdir(parents=True)
    sums = {}
    for path in ("facts.json", "checks.json", "evidence/facts.parquet", "evidence/records.parquet"):
        content = (run / path).read_bytes()
        if path == "facts.json":
            content = content.replace(b'"district": "m0"', f'"district": "{name}"'.encode())
        (copy / path).write_bytes(content)
        sums[path] = hashlib.sha256(content).hexdigest()
    manifest = json.loads((run / "MANIFEST.json").read_bytes()) | {"district": name, "name": name}
    content = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
    (copy / "MANIFEST.json").write_bytes(content)
    sums["MANIFEST.json"] = hashlib.sha256(content).hexdigest()
    lines = "".join(f"{sha256}  {path}\n" for path, sha256 in sums.items())
    (copy / "SHA256SUMS").write_text(lines, encoding="utf-8")
    (place / "current").symlink_to(f"runs/{run.name}")


def main(members: int) -> None:
    """Print the time of a roll-up over so many members, and of single reports."""
    from batches import make_project

    with tempfile.TemporaryDirectory(prefix="rk-rollup-") as name:
        folder = make_project(Path(name) / "p", ["m0"])
        districts = folder / "params/districts"
        (districts / "city.yaml").write_text("id: city\nname: 试验市\n", encoding="utf-8")
        single = [command(folder, "run", "m0", str(YEAR), "--force") for _ in range(5)]
        run = (folder / "outputs/m0" / str(YEAR) / "current").resolve()
        for number in range(1, members):
            copy_run(run, folder / "outputs", f"m{number}")
        for number in range(members):
            text = f"id: m{number}\nname: 试验{number}区\nparent: city\n"
            (districts / f"m{number}.yaml").write_text(text, encoding="utf-8")
        made = command(folder, "rollup", "city", str(YEAR))
        unchanged = command(folder, "rollup", "city", str(YEAR))
        one = sorted(single)[len(single) // 2]
        facts = json.loads((folder / f"outputs/city/{YEAR}/current/facts.json").read_bytes())
        new = next(fact for fact in facts["facts"] if fact["id"] == "t3.new.total")
        assert new["value"] == str(2 * members), new["value"]
        sizes = {
            path.name: path.stat().st_size // 1000
            for path in (folder / f"outputs/city/{YEAR}/current").iterdir()
            if path.is_file()
        }
        begun = spent()
        verify = [RUN, "verify", f"outputs/city/{YEAR}/current"]
        verified = subprocess.run(verify, cwd=folder, capture_output=True, check=False)
        result = {
            "members": members,
            "processor_seconds": {
                "single": round(one, 2),
                "rollup": round(made, 2),
                "unchanged": round(unchanged, 2),
                "verify": round(spent() - begun, 2),
            },
            "rollup_in_single_reports": round(made / one, 1),
            "verified": verified.returncode == 0,
            "kB": sizes,
        }
        sys.stdout.write(json.dumps(result, indent=1) + "\n")
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3000)
