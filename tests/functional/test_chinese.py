"""All commands and many failures in Chinese: no English sentence; in English: none in Chinese."""

import json
import re
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from commands import reportkit

from reportkit.checks import english_titles, rules_of
from reportkit.cli import cli
from reportkit.cli.helptext import width
from reportkit.export.documents import DOCUMENTS
from reportkit.forms import shipped_form
from reportkit.forms.form import shipped_names

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).parent / "reportkit"
# Commands, options and names of files stay as they are.
# So do what is said to be in another program's words.
CODE = re.compile(
    r"`[^`]*`|原文：.*|\b(?:reportkit|export|pip install) [\w.-]+|--[\w-]+|\[OPTIONS\].*"
)
ENGLISH = re.compile(r"\b[A-Za-z]{2,} [a-z]{2,}\b")
CHINESE = re.compile("[\u4e00-\u9fff][，。；？！]|[，。；？！][\u4e00-\u9fff]")


def sentences(text: str, pattern: re.Pattern[str]) -> list[str]:
    """Lines in which there is a sentence of a language."""
    return [line for line in text.splitlines() if pattern.search(CODE.sub("", line))]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The sample project of 湖里区, to be spoilt."""
    shutil.copytree(ROOT / "params", tmp_path / "params")
    shutil.copytree(ROOT / "data/huli", tmp_path / "data/huli")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoked(language: str, *words: str):
    """Run a command in this process."""
    return CliRunner().invoke(cli, ["--lang", language, *words])


@pytest.mark.parametrize("name", [None, *sorted(cli.commands)])
def test_help_and_errors_of_usage_are_chinese(name, tmp_path):
    words = [name] if name else []
    for more, status in (["--help"], 0), (["--nix"], 2), (["--jobs", "x"], 2):
        done = reportkit(*words, *more, cwd=tmp_path, env={"LC_ALL": "zh_CN.UTF-8"}, status=status)
        assert sentences(done.stdout + done.stderr, ENGLISH) == []
        assert re.search("[\u4e00-\u9fff]{2}", done.stdout + done.stderr)
        assert [line for line in done.stdout.splitlines() if width(line) > 80] == []


def test_every_shipped_rule_is_named_in_english():
    rules = [rules_of(shipped_form(name)) for name in shipped_names()]
    assert {rule.title for of in rules for rule in of.values()} <= set(english_titles())
    assert [title for title in english_titles().values() if not title.isascii()] == []


def test_findings_are_reported_in_the_language_of_the_command(project):
    document = ROOT / "tests/data/audit/hongze-2023.pdf"
    edited(TEXT, "\n\n", "\n\n共公开12345条。\n\n")(project)
    for words, chinese, english in (
        (["run", "huli", "2020"], "C1 错误：文中每个数字", "C1 error: every number of"),
        (["audit", str(document)], "R4 错误：维持、纠正、其他", "R4 error: results of reviews"),
    ):
        done = invoked("zh", *words).output
        assert (sentences(done, ENGLISH), chinese in done) == ([], True), done
        done = invoked("en", *words).output
        # What is accepted, and to be pasted, is in the words of who wrote it.
        lines = re.findall(r"^.* (?:error|warning|info): .*(?:\n {5}\S.*)?", done, re.MULTILINE)
        # So are the words of the text that a finding quotes.
        assert sentences(re.sub("“[^”]*”", "", "\n".join(lines)), CHINESE) == []
        assert english in done


def edited(name: str, old: str, new: str):
    """Replace a text in a file of the project."""

    def edit(project: Path) -> None:
        text = (project / name).read_text("utf-8")
        assert old in text
        (project / name).write_text(text.replace(old, new, 1), "utf-8")

    return edit


def written(name: str, content: bytes):
    """Write a file into the project."""

    def write(project: Path) -> None:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_bytes(content)

    return write


def removed(name: str):
    """Take a file away from the project."""
    return lambda project: (project / name).unlink()


def nothing(_project: Path) -> None:
    """Leave the project as it is."""


CASES = "data/huli/cases-2020.csv"
TEXT = "params/reports/huli/2020.md"
HULI = "params/districts/huli.yaml"
YEAR = "params/reports/huli/2020.yaml"
# What is spoilt, the command, its status, and what the refusal says.
FAILURES = [
    (nothing, "run nope 2020", 2, "没有地区“nope”"),
    (nothing, "run 某某区 2020", 2, "没有名为“某某区”的地区"),
    (nothing, "run huli 2015", 2, "没有适用于2015年度报告的格式版本"),
    (nothing, "run huli 2099", 2, "2099年尚未结束"),
    (nothing, "explain t3.new.total", 2, "请用--run 地区/年份指明"),
    (nothing, "verify data", 2, "data不是一次运行"),
    (nothing, "sign data", 2, "没有指明由谁签名"),
    (nothing, "diff data params", 2, "不是一次运行"),
    (nothing, "new huli 2020", 2, "已经存在"),
    (nothing, "init x --district Bad --name 某区 --year 2020", 2, "不能作为地区标识"),
    (nothing, "template 没有台账", 2, "没有台账“没有台账”"),
    (nothing, "keygen params/districts/huli.yaml", 2, "已有的密钥从不覆盖"),
    (nothing, "preview nope 2020", 2, "没有地区“nope”"),
    (nothing, "rollup 湖里区 2020", 2, "没有可以汇总的"),
    (nothing, "site", 2, "没有文件夹outputs"),
    (nothing, "audit none.pdf", 2, "没有这个文件；请核对路径"),
    (nothing, "template 台帐", 2, "台账有依申请公开台账 (applications)、"),
    (nothing, "batch none.yaml", 2, "没有批量文件none.yaml"),
    (nothing, "batch --years 20x", 2, "不是年份"),
    (nothing, "batch --strict", 2, "不能开始批量生成"),
    (written("outputs/.keep", b""), "query selec", 2, "查询有误：原文："),
    (nothing, "form check params", 2, "没有格式“params”"),
    (removed("data/huli/cases-2020.csv"), "run huli 2020", 2, "所需的台账缺少"),
    (removed(HULI), "batch --districts huli", 2, "没有地区“huli”"),
    (edited(YEAR, "year: 2020", "yearr: 2020"), "run huli 2020", 2, "没有“yearr”这个键"),
    (edited(YEAR, "year: 2020", "year: 二〇"), "run huli 2020", 2, "应为整数"),
    (edited(YEAR, "year: 2020", "year：2020"), "run huli 2020", 2, "后面是全角冒号"),
    (edited(YEAR, "year: 2020", "\tyear: 2020"), "run huli 2020", 2, "行首有制表符"),
    (written(YEAR, "year: 2020 # 年份".encode("gbk")), "run huli 2020", 2, "请另存为UTF-8"),
    (written(YEAR, b"year: [2020"), "run huli 2020", 2, "不是可以读取的UTF-8 YAML"),
    (edited(HULI, "name:", "fonts: {folder: none}\nname:"), "run huli 2020", 2, "没有字体文件"),
    (edited(HULI, "name:", "form: none\nname:"), "run huli 2020", 2, "没有格式“none”"),
    (edited(HULI, "name:", "mapping: {aplikations: {}}\nname:"), "intake huli", 2, "相近的有"),
    (written("data/huli/fees-1.csv", b"a,b\n1,2\n"), "intake huli", 2, "没有收费台账的表头"),
    (written("data/huli/fees-1.csv", b"PK\x03\x04"), "intake huli", 2, "请改用本来的扩展名"),
    (written("data/huli/fees-1.xlsx", b"PK\x03\x04"), "intake huli", 2, "已损坏"),
    (written("data/huli/fees-1.parquet", b"PAR1"), "intake huli", 2, "parquet文件"),
    (
        written(CASES, "案号,类型\n甲,".encode() + b"\xff\xff\n"),
        "intake huli",
        2,
        "请另存为UTF-8或GB18030",
    ),
    (edited(CASES, "2020-", "2020-13-"), "intake huli", 2, "不是日期"),
    (edited(CASES, "结果", "结果情况"), "intake huli", 2, "缺少复议诉讼台账的必填列"),
    (edited(TEXT, "{{ ", "{{ nix."), "run huli 2020", 2, "没有数据项“nix."),
    (edited(TEXT, "{{ ", "{{ 1 + "), "run huli 2020", 2, "占位符是数据项标识"),
    (edited(TEXT, "\n\n", "\n\n{{ t3.new.total | 中文 }}\n\n"), "run huli 2020", 2, "有cn、wan、"),
    (edited(TEXT, "{{ ", "{% if x %}{{ "), "run huli 2020", 2, "“{{”或“{%”没有成对：原文："),
    (edited(TEXT, "\n\n", "\n\n{{ t3.new.total\n\n"), "run huli 2020", 2, "没有成对："),
    (written(YEAR, b"year: 2020\ndated: 2021-13-01\n"), "run huli 2020", 2, "月份应为1至12"),
    (written("data/huli/fees-1.xlsx", b"a,b\n1,2\n"), "intake huli", 2, "是非工作簿（文本文件"),
]


def test_each_command_fails_here_in_chinese():
    failing = {words.split()[0] for _, words, _, _ in FAILURES}
    # Their failures are of usage alone, or told by line (tests/functional/test_doctor.py).
    assert failing | {"completion", "prune", "doctor"} == set(cli.commands)


@pytest.mark.parametrize(
    ("spoil", "words", "status", "expected"),
    FAILURES,
    ids=[f"{number}-{one[1]}" for number, one in enumerate(FAILURES)],
)
def test_failures_are_chinese_and_json_stays_english(project, spoil, words, status, expected):
    spoil(project)
    done = invoked("zh", *words.split())
    assert (done.exit_code, sentences(done.output, ENGLISH)) == (status, [])
    assert expected in done.output
    english = invoked("en", *words.split())
    assert sentences(english.output, CHINESE) == []
    document, same = (
        json.loads(invoked(language, *words.split(), "--json").stdout) for language in ("zh", "en")
    )
    for given in (document, same):
        given.pop("batch", None)  # its name is the time
    assert document == same
    assert sentences(json.dumps(document, ensure_ascii=False), CHINESE) == []


def test_a_run_and_its_verdicts_are_chinese(project):
    """Take a report through its life: made, explained, compared, changed, doubted, pruned."""
    run = project / "outputs/huli/2020/current"

    def ask(*words: str, status: int = 0) -> str:
        done = invoked("zh", *words)
        assert (done.exit_code, sentences(done.output, ENGLISH)) == (status, []), done.output
        return done.output

    assert "已生成：" in ask("run", "湖里区", "2020")
    assert "没有变化：" in ask("run", "huli", "2020")
    names = [*DOCUMENTS, "facts.json", "checks.json"]
    sealed = {name: (run / name).read_bytes() for name in names}
    # Nothing that is sealed depends on the language.
    assert invoked("en", "run", "huli", "2020", "--force").exit_code == 0
    assert {name: (run / name).read_bytes() for name in sealed} == sealed
    assert "出现在" in ask("explain", "t3.new.total")
    assert "出现在" in ask("explain", "t3.new.total", "--run", "湖里区/2020")
    assert "没有名为“北山区”的地区" in ask("explain", "x", "--run", "北山区/2020", status=2)
    assert "名称中含有这几个字的数据有" in ask("explain", "予以公开")
    assert "没有数据项“予以不开”" in ask("explain", "予以不开", status=2)
    assert "没有不同" in ask("diff", str(run), str(run))
    assert "：通过" in ask("verify", str(run))
    assert "已精简0次运行" in ask("prune")
    assert "请自己妥善保管" in ask("keygen", "key")
    assert "已用密钥" in ask("sign", str(run), "--key", "key")
    assert "不在可信密钥之中" in ask("verify", str(run), "--keys", str(keys(project)), status=1)
    edited(CASES, "2020-", "2019-")(project)
    assert f"{CASES}与该次运行读取时不同" in ask("verify", str(run), status=1)
    assert "有变化" in ask("batch", "--districts", "湖里区", "--dry-run")
    with (run / "report.html").open("ab") as file:
        file.write(b" ")
    assert "report.html封存后有改动" in ask("verify", str(run), status=1)
    (run / "MANIFEST.json").write_text("{", "utf-8")
    assert "MANIFEST.json封存后有改动" in ask("verify", str(run), status=1)


def keys(project: Path) -> Path:
    """Make a folder with the key of somebody who has signed nothing."""
    folder = project / "keys"
    folder.mkdir()
    assert invoked("zh", "keygen", str(folder / "other")).exit_code == 0
    return folder


def test_what_doctor_finds_is_chinese(project):
    written("params/holidays.yaml", b"2020: [")(project)
    done = invoked("zh", "doctor")
    assert (done.exit_code, sentences(done.output, ENGLISH)) == (1, []), done.output
    assert "正常  Python：" in done.output
    assert "错误  节假日：params/holidays.yaml:2不是可以读取的UTF-8 YAML：" in done.output
    english = invoked("en", "doctor")
    assert (english.exit_code, sentences(english.output, CHINESE)) == (1, [])


def test_a_report_says_in_chinese_what_intake_found(project):
    """A sum row that is set aside: told in the sealed checks, whoever made the report."""
    path = project / CASES
    text = path.read_text("utf-8-sig")
    row = "合计" + "," * text.splitlines()[0].count(",")
    path.write_text(f"{text.rstrip()}\n{row}\n", "utf-8")
    assert invoked("en", "run", "huli", "2020").exit_code == 0
    checks = json.loads((project / "outputs/huli/2020/current/checks.json").read_text("utf-8"))
    (found,) = [one["message"] for one in checks if one["id"] == "L2" and not one["holds"]]
    assert f"{CASES}:5: 案号为“合计”：合计行不计入，另列 [L-sum]" in found
    assert sentences(found, ENGLISH) == []
    page = (project / "outputs/huli/2020/current/audit.html").read_text("utf-8")
    assert "合计行不计入，另列" in page
    assert "a sum row" not in page
