"""Rules for the repository as a whole. `make lint` runs this file too."""

import ast
import json
import re
import subprocess
import tomllib
from collections import Counter
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import reportkit_fonts
import yaml
from shipped import RULES

import reportkit
from reportkit.batch.matrix import BatchFile

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
FACES = {"RK-BiaoSong.ttf", "RK-FangSong.ttf", "RK-Hei.ttf", "RK-Kai.ttf", "RK-Song.ttf"}


def read(path: str) -> str:
    """Return the text of a file of the repository."""
    return (ROOT / path).read_text("utf-8")


@pytest.fixture(scope="module")
def files() -> list[Path]:
    """Return the files that git has or would take, as paths relative to the repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [Path(name) for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def normal(requirement: str) -> str:
    """Return a requirement's bare name in the index's spelling."""
    found = re.match(r"[\w.-]+", requirement)
    assert found
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def test_lock_pins_and_hashes_all_and_names_no_index():
    lock = read("requirements.lock")
    assert not re.search(r"https?:|file:|--(?!hash=sha256:)", lock)
    entries = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", lock, flags=re.M))
    for entry in entries:
        assert re.match(r"[\w.-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry
    locked = {normal(entry) for entry in entries}
    wanted = {normal(dependency) for dependency in PROJECT["dependencies"]} | {"hatchling"}
    assert wanted - {"reportkit-zwgk-fonts"} <= locked


def test_every_dependency_is_explained():
    table = read("docs/explanation/decisions.md").split("## Other decisions")[0]
    explained = {normal(name) for name in re.findall(r"^\| `([^`]+)` \|", table, flags=re.M)}
    extras = PROJECT["optional-dependencies"]
    optional = [*extras["databases"], *extras["cluster"]]
    assert explained == {normal(name) for name in (*PROJECT["dependencies"], *optional)}


@pytest.mark.parametrize(
    ("group", "name"),
    [("console_scripts", name) for name in PROJECT["scripts"]]
    + [(group, name) for group, points in PROJECT["entry-points"].items() for name in points],
)
def test_entry_points_resolve(group: str, name: str):
    (point,) = entry_points(group=group, name=name)
    assert callable(point.load())


def test_fonts_are_there_with_their_licences():
    assert {path.name for path in reportkit_fonts.folder().iterdir()} == FACES
    for path in reportkit_fonts.folder().iterdir():
        assert path.read_bytes()[:4] == b"\0\1\0\0", f"{path.name} is no TrueType file"
    for name in tomllib.loads(read("fonts/pyproject.toml"))["project"]["license-files"]:
        assert (ROOT / "fonts" / name).stat().st_size > 500, name


# What installs a package, up to the end of the command; and our plain name among its words.
INSTALLS = re.compile(
    r"\b(?:pip\w*|uv|poetry|conda)\b[^\n]*?\b(?:install|download|add)\b([^\n;&|#`]*)"
)
PLAIN = re.compile(r"(?<![\w./-])reportkit(?:-fonts)?(?![\w/.-])")
EXTRAS = re.compile(r"reportkit(?:-fonts)?(?:\[[a-z]|[=<>~]=)")


def installs_anothers(text: str) -> list[str]:
    """Return the parts of a text that install `reportkit`, on PyPI another project."""
    joined = text.replace("\\\n", " ")
    found = [one for one in INSTALLS.findall(joined) if PLAIN.search(one)]
    return found + EXTRAS.findall(joined)


@pytest.mark.parametrize(
    "words",
    ["{}", "'{}'", '"{}[lab]"', "--upgrade {}", "--force-reinstall -q {} ipykernel", "{}-fonts",
     "--find-links WHEELS \\\n  {}", "{}==0.1.0", "pandas {};"],
)  # fmt: skip
@pytest.mark.parametrize("program", ["pip install", "python -m pip install", "uv pip install"])
def test_an_install_by_a_name_of_others_is_seen(program: str, words: str):
    assert installs_anothers(f"$ {program} {words.format('reportkit')}")
    assert not installs_anothers(f"$ {program} {words.format('reportkit-zwgk')}; reportkit run")


def test_nothing_installs_a_package_of_others(files: list[Path]):
    # A compiled catalogue is made of the one beside it, without lines.
    read = [path for path in files if path.suffix != ".mo"]
    texts = {path: (ROOT / path).read_bytes().decode("utf-8", "ignore") for path in read}
    found = {
        str(path): result for path, text in texts.items() if (result := installs_anothers(text))
    }
    assert found == {}


def test_the_names_and_the_version_are_the_same_everywhere():
    fonts = tomllib.loads(read("fonts/pyproject.toml"))["project"]["name"]
    assert (PROJECT["name"], fonts) == ("reportkit-zwgk", "reportkit-zwgk-fonts")
    cited = yaml.safe_load(read("CITATION.cff"))
    assert (cited["version"], cited["license"]) == (reportkit.__version__, PROJECT["license"])


def test_every_intake_rule_is_documented():
    sources = [*ROOT.glob("src/**/*.py"), *ROOT.glob("src/reportkit/forms/*/ledgers.yaml")]
    result = {
        rule for path in sources for rule in re.findall(r"\bL-[a-z-]+", path.read_text("utf-8"))
    }
    assert set(re.findall(r"`(L-[a-z-]+)`", read("docs/reference/intake.md"))) == result


def test_batch_reference_names_every_key():
    table = read("docs/reference/batch.md").split("## batch.json")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, flags=re.M) == list(BatchFile.model_fields)


def test_worktime_reference_names_the_derived_columns():
    rows = re.findall(r"^\| (\S+) \| `(\w+)` \|", read("docs/reference/worktime.md"), flags=re.M)
    schemas = yaml.safe_load(read("src/reportkit/forms/zfxxgk/ledgers.yaml"))
    assert rows == [(c["name"], c["key"]) for c in schemas["applications"]["derived"]]


def test_every_rule_of_the_code_is_described():
    sources = [
        *ROOT.glob("src/reportkit/checks/*.py"),
        *ROOT.glob("src/reportkit/audit/*.py"),
        *ROOT.glob("src/reportkit/rollup/*.py"),
        *ROOT.glob("src/reportkit/forms/zfxxgk/20*.yaml"),
        *ROOT.glob("src/reportkit/forms/zfxxgk/audit.yaml"),
        *ROOT.glob("src/reportkit/forms/zfxxgk/ledgers.yaml"),
    ]
    text = "".join(path.read_text("utf-8") for path in sources)
    used = set(re.findall(r"\"([A-Z]\d+)\"|id: ([A-Z]\d+)\b", text))
    assert {left or right for left, right in used} | {"N", "C1", "C2"} == set(RULES)


def test_every_waived_finding_says_why(files: list[Path]):
    """On its line or in a comment just above; what is waived again in a file was explained."""
    waiver = re.compile(r"# (?:noqa: ([A-Z]+\d+)|type: ignore\[([\w-]+)\])(.*)")
    silent = []
    for path in (path for path in files if path.suffix == ".py"):
        explained: set[str] = set()
        lines = read(str(path)).splitlines()
        for number, line in enumerate(lines):
            if found := waiver.search(line):
                code = found[1] or found[2]
                above = any(
                    one.strip().startswith("# ") for one in lines[max(number - 2, 0) : number]
                )
                if re.search(r"\w\w", found[3]) or above:
                    explained.add(code)
                elif code not in explained:
                    silent.append(f"{path}:{number + 1}: {line.strip()}")
    assert silent == [], "\n".join(silent)
    ruff = read("pyproject.toml").partition("\n[tool.ruff.lint]")[2].partition("\n[tool.mypy]")[0]
    waived = ruff.partition("\nignore = [\n")[2].partition("\n]")[0].splitlines()
    waived += re.findall(r'^".*" = \[.*', ruff, flags=re.M)
    assert [line for line in waived if not re.search(r"# \w+", line)] == []


def test_docstrings_and_names_of_tests_are_plain(files: list[Path]):
    opening = re.compile(r'"""(?:What|Whether|How|Who|Where|When|Why|That)\b.*')
    name = re.compile(r"def test((?:_[^_(]+){11,})\(")
    wrong = []
    for path in (path for path in files if path.suffix == ".py"):
        text = read(str(path))
        wrong += opening.findall(text) + name.findall(text)
    assert wrong == []


def test_notebooks_hold_no_outputs(files: list[Path]):
    for path in (path for path in files if path.suffix == ".ipynb"):
        for number, cell in enumerate(json.loads(read(str(path)))["cells"], start=1):
            if cell["cell_type"] == "code":
                assert cell["outputs"] == [], f"{path}, cell {number}"
                assert cell["execution_count"] is None, f"{path}, cell {number}"


def test_files_are_small_and_outputs_stay_out(files: list[Path]):
    big = [path for path in files if (ROOT / path).stat().st_size > 5_000_000]
    assert [path for path in big if path.suffix != ".ttf"] == []
    inside = [path for path in files if path.parts[0] == "outputs"]
    assert inside == [Path("outputs/.gitignore")]


def _laid_out_by_hand(path: Path) -> list[str]:
    """Places in a file where the formatter is switched off for what is no table of data."""
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    data = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
    cases = [
        case for node in ast.walk(tree) for case in getattr(node, "decorator_list", ())
    ]  # of parametrized tests
    tables = [range(node.lineno, (node.end_lineno or 0) + 1) for node in (*data, *cases)]
    lines = enumerate(text.splitlines(), 1)
    marked = [number for number, line in lines if line.endswith("# fmt: skip")]
    return [f"{path}:{number}" for number in marked if not any(number in one for one in tables)]


@pytest.mark.parametrize("folder", ["src", "tools", "benchmarks", "tests"])
def test_only_tables_of_data_are_laid_out_by_hand(folder):
    found = [_laid_out_by_hand(path) for path in sorted((ROOT / folder).rglob("*.py"))]
    assert [place for places in found for place in places] == []


def test_code_laid_out_by_hand_is_seen(tmp_path):
    (tmp_path / "one.py").write_text("def f():\n    return {1,\n      2}  # fmt: skip\n", "utf-8")
    assert len(_laid_out_by_hand(tmp_path / "one.py")) == 1


def test_no_two_classes_have_one_name():
    paths = sorted((ROOT / "src").rglob("*.py"))
    classes = [
        node.name
        for path in paths
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert [name for name, times in Counter(classes).items() if times > 1] == []
