"""The two packages as others get them: built, installed with what they need and nothing else."""

import subprocess
import sys
import tarfile
import venv
import zipfile
from email.parser import Parser
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import reportkit

ROOT = Path(__file__).parents[2]


def build(source, into, *kinds):
    for kind in kinds:
        command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(into)]
        subprocess.run(command, cwd=source, check=True, capture_output=True)


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """Wheel and sdist of both packages, built from what git has or would take."""
    folder = tmp_path_factory.mktemp("dist")
    build(ROOT, folder, "sdist", "wheel")
    build(ROOT / "fonts", folder, "wheel")
    return folder


def the(dist, pattern):
    (found,) = dist.glob(pattern)
    return found


def test_the_version_is_the_same_in_both_places(dist):
    assert wheel_metadata(the(dist, "reportkit_zwgk-*.whl"))["Version"] == reportkit.__version__


def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def wheel_metadata(wheel):
    """The metadata of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [one for one in archive.namelist() if one.endswith("METADATA")]
        return Parser().parsestr(archive.read(name).decode())


def test_the_wheel_is_small_and_whole(dist):
    wheel = the(dist, "reportkit_zwgk-*.whl")
    assert wheel.stat().st_size < 1_000_000
    assert the(dist, "*.tar.gz").stat().st_size < 2_500_000
    carried = {f"carried/notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    carried |= {"py.typed"}
    assert {f"reportkit/{name}" for name in carried} <= names(wheel)
    shared = {name.partition("/share/jupyter/")[2] for name in names(wheel)} - {""}
    files = ("kernel.json", "logo-64x64.png", "logo-svg.svg")
    assert shared == {
        *(f"kernels/reportkit/{name}" for name in files),
        *(f"notebook_templates/reportkit/{p.name}" for p in (ROOT / "notebooks").glob("*.ipynb")),
    }
    data = {path.suffix for path in map(Path, names(wheel))} - {".py", ""}
    assert ".pyc" not in data
    with tarfile.open(the(dist, "*.tar.gz")) as archive:
        tops = {name.split("/")[1] for name in archive.getnames()}
    assert tops == {
        "CHANGELOG.md",
        "CITATION.cff",
        "LICENSE",
        "PKG-INFO",
        "README.md",
        "README.zh-CN.md",
        ".gitignore",
        "docs",
        "mkdocs.yml",
        "mkdocs.zh.yml",
        "notebooks",
        "pyproject.toml",
        "src",
        "tests",
        "tools",
    }


def test_the_sdist_gives_the_same_wheel(dist, tmp_path):
    subprocess.run(["tar", "-xf", the(dist, "*.tar.gz"), "-C", tmp_path], check=True)
    build(next(tmp_path.iterdir()), tmp_path, "wheel")
    wheel = the(dist, "reportkit_zwgk-*.whl")
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


@pytest.mark.parametrize(
    ("pattern", "expression", "files"),
    [
        ("reportkit_zwgk-*.whl", "MIT", {"LICENSE"}),
        (
            "reportkit_zwgk_fonts-*.whl",
            "GPL-3.0-only WITH Font-exception-2.0 AND OFL-1.1 AND MIT",
            {"LICENSE-Fandol-GPL3.txt", "LICENSE-Noto-OFL.txt", "LICENSE-code-MIT.txt",
             "Fandol-README.txt"},
        ),
    ],
)  # fmt: skip
def test_licences_are_named_and_inside(dist, pattern, expression, files):
    wheel = the(dist, pattern)
    assert wheel_metadata(wheel)["License-Expression"] == expression
    assert set(wheel_metadata(wheel).get_all("License-File")) == files
    inside = {name.partition("/licenses/")[2] for name in names(wheel)} - {""}
    assert inside == files


def needed(name):
    """Every distribution that a package needs, by name; of others also what their extras need."""
    found, waiting = set(), [Requirement(name)]
    while waiting:
        by = waiting.pop()
        for one in map(Requirement, metadata.requires(by.name) or ()):
            extras = by.extras or {""}
            if one.marker and not any(one.marker.evaluate({"extra": extra}) for extra in extras):
                continue
            if str(one) not in found:
                found.add(str(one))
                waiting.append(one)
    return {Requirement(one).name for one in found} - {"reportkit-zwgk-fonts"}


@pytest.fixture(scope="module")
def clean(dist, tmp_path_factory):
    """An environment with both wheels, and of the packages here only those that they need."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv/bin/python"
    (site,) = (folder / "venv/lib").glob("python*/site-packages")
    for name in needed("reportkit-zwgk"):
        for file in metadata.distribution(name).files:
            top = Path(file).parts[0]
            if top not in ("..", "__pycache__") and not (site / top).is_symlink():
                (site / top).symlink_to(metadata.distribution(name).locate_file(top))
    install = [python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*install, *dist.glob("*.whl")], check=True)
    return folder


def run(clean, *arguments):
    return subprocess.run(
        [clean / "venv/bin/reportkit", *arguments],
        cwd=clean,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_runs_with_what_it_needs_and_nothing_else(clean):
    python = clean / "venv/bin/python"
    code = "import importlib.util as u; print([u.find_spec(n) for n in ('pytest', 'sqlalchemy')])"
    there = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == "[None, None]"
    done = run(clean, "init", ".", "--district", "linhai", "--name", "临海区", "--year", "2024")
    assert done.returncode == 0, done.stderr
    done = run(clean, "run", "linhai", "2024")
    assert done.returncode == 0, done.stdout + done.stderr
    documents = clean / "outputs/linhai/2024/current"
    assert (documents / "report.pdf").read_bytes()[:5] == b"%PDF-"
    done = run(clean, "doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "good  kernel reportkit: starts" in done.stdout
    done = run(clean, "verify", str(documents.resolve()))
    assert done.returncode == 0, done.stdout + done.stderr


CONSUMER = """
from pathlib import Path

import reportkit as rk


def late(folder: Path) -> int:
    report: rk.Report = rk.open_report("huli", 2020, params=folder)
    fact: rk.Fact = report.fact("timeliness.overdue")
    wrong: str = report.year
    return fact.number
"""


def test_a_type_checker_sees_the_types(clean):
    (clean / "consumer.py").write_text(CONSUMER)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--python-executable",
            clean / "venv/bin/python",
            "--cache-dir",
            clean / "cache",
            "--config-file",
            "",
            "consumer.py",
        ],
        cwd=clean,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert [line.split(": error: ")[1].split("  [")[1] for line in lines] == [
        "assignment]",
        "return-value]",
    ], done.stdout


@pytest.mark.slow
def test_the_install_script_makes_it_from_the_lock(tmp_path):
    """Asks an index for what it does not have; the image is made by the same script."""
    wheels, target = tmp_path / "wheels", tmp_path / "opt"
    subprocess.run([ROOT / ".ci/install", target, wheels], check=True)
    assert "RUN /src/.ci/install /opt/reportkit\n" in (ROOT / "Containerfile").read_text("utf-8")
    assert not [*wheels.glob("pytest-*"), *wheels.glob("mypy-*")]
    subprocess.run(
        [
            target / "bin/reportkit",
            "init",
            tmp_path,
            "--district",
            "a",
            "--name",
            "甲区",
            "--year",
            "2024",
        ],
        check=True,
    )
    subprocess.run([target / "bin/reportkit", "run", "a", "2024"], cwd=tmp_path, check=True)
    assert (tmp_path / "outputs/a/2024/current/report.pdf").is_file()
