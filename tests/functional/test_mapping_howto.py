"""A register with none of our headings becomes a right report: docs/how-to/mapping.md, walked."""

import json
import re
from pathlib import Path

import commands
import pytest
import yaml
from shipped import ZFXXGK

PAGE = (Path(__file__).parents[2] / "docs/how-to/mapping.md").read_text("utf-8")
(REGISTER,) = re.findall(r"^```csv\n(.*?)^```", PAGE, re.M | re.S)
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)
FILES, COLUMNS, VALUES, WHOLE, SEVERAL, CARRIED = BLOCKS


def mapping_in(text):
    return yaml.load(text, yaml.BaseLoader)["mapping"]["applications"] or {}


@pytest.fixture
def project(tmp_path):
    reportkit(
        "init",
        ".",
        "--district",
        "lantian",
        "--name",
        "某市蓝田区",
        "--year",
        "2023",
        folder=tmp_path,
    )
    (tmp_path / "data/lantian/依申请公开台账.xlsx").unlink()
    (tmp_path / "data/lantian/信息公开登记表.csv").write_text(REGISTER, encoding="utf-8")
    return tmp_path


def reportkit(*words, folder, status=0):
    return commands.reportkit(*words, cwd=folder, status=status).stdout


def paste(folder, words):
    """Put a mapping of applications into the district's file, in place of the one there."""
    file = folder / "params/districts/lantian.yaml"
    head = file.read_text("utf-8").partition("\nmapping:")[0] + "\n"
    text = yaml.safe_dump({"mapping": {"applications": words}}, allow_unicode=True)
    file.write_text(head + text, encoding="utf-8")


def printed(folder):
    """The mapping that intake prints."""
    out = reportkit("intake", "lantian", "2023", folder=folder, status=2)
    return out[out.index("mapping:") :]


def filled(block, answers):
    """A printed block with each question answered, and what has no answer left out."""
    lines = []
    for line in block.splitlines():
        if asked := re.fullmatch(r"( *)# (\S+): \?", line):
            lines += [f"{asked[1]}{asked[2]}: {answers[asked[2]]}"] if asked[2] in answers else []
        elif asked := re.fullmatch(r'( *)(\S+): "\?" # ×\d+', line):
            lines.append(f"{asked[1]}{asked[2]}: {answers[asked[2]]}")
        else:
            lines.append(line)
    return "\n".join(lines)


def test_what_intake_prints_is_pasted_completed_and_right(project):
    whole = mapping_in(WHOLE)
    block = printed(project)
    assert block.splitlines() == FILES.splitlines()
    words = mapping_in(block.replace("# files", "files"))
    paste(project, words)

    block = printed(project)
    assert block.splitlines() == COLUMNS.splitlines()
    words |= mapping_in(filled(block, whole["columns"]))
    assert words["columns"] == whole["columns"]
    paste(project, words)

    block = printed(project)
    shown = [line.split(" # ")[0] for line in block.splitlines()]
    assert shown == [line.split(" # ")[0] for line in VALUES.splitlines()]
    answers = {k: v for values in whole["values"].values() for k, v in values.items()}
    words |= mapping_in(filled(block, answers))
    # What it told of days is for a person to know.
    result = reportkit("intake", "lantian", "2023", "--all", folder=project, status=2)
    assert "信息公开登记表.csv:3: 收到日期 reads '3.15': not a day" in result
    words |= {name: whole[name] for name in ("fixed", "keep", "key", "dates")}
    words["values"]["答复日期"] = {"未办结": None}
    paste(project, words)

    result = reportkit("intake", "lantian", "2023", folder=project)
    assert "依申请公开台账: 4 read, 4 accepted" in result
    assert "登记号 (流水号)" in result
    assert "kept 年度、是否涉密; not read 序号、备注" in result
    assert "mapping:" not in result
    reportkit("run", "lantian", "2023", folder=project)
    current = project / "outputs/lantian/2023/current"
    facts = {
        one["id"]: one["value"] for one in json.loads((current / "facts.json").read_text())["facts"]
    }
    assert {
        name: facts[f"t3.{name}"]
        for name in (
            "new.natural_person",
            "new.commercial",
            "carried_in.natural_person",
            "granted.total",
            "deny_5_internal.commercial",
            "carried_out.natural_person",
        )
    } == {
        "new.natural_person": "2",
        "new.commercial": "1",
        "carried_in.natural_person": "1",
        "granted.total": "2",
        "deny_5_internal.commercial": "1",
        "carried_out.natural_person": "1",
    }
    audit = (current / "audit.html").read_text("utf-8")
    assert "受理时间 → 收到日期" in audit
    assert "张小样" not in audit
    assert "holds" in reportkit("verify", str(current), folder=project).splitlines()[0]
    words["values"]["办理结果"]["已公开"] = "部分公开"
    paste(project, words)
    assert "made" in reportkit("run", "lantian", "2023", folder=project)


def test_a_run_with_another_mapping_does_not_hold(project):
    paste(project, mapping_in(WHOLE))
    reportkit("run", "lantian", "2023", folder=project)
    run = (project / "outputs/lantian/2023/current").resolve()
    manifest = json.loads((run / "MANIFEST.json").read_text("utf-8"))
    (ledger,) = [one for one in manifest["ledgers"] if one["ledger"] == "applications"]
    ledger["mappings"][0]["values"]["办理结果"]["已公开"] = "部分公开"
    (run / "MANIFEST.json").write_text(json.dumps(manifest, ensure_ascii=False), "utf-8")
    from reportkit.proof.verify import data_levels

    _, facts = data_levels(run, data=project / "data", params=project / "params")
    assert facts.holds is False
    assert any("was read by another mapping" in one for one in facts.findings)
    assert any(one.startswith("t3.granted.natural_person moved") for one in facts.findings)


@pytest.mark.parametrize("block", [WHOLE, SEVERAL, CARRIED])
def test_mappings_of_the_page_are_good(block, project):
    from reportkit.ledgers.mapping_check import mappings_of
    from reportkit.params import Project

    file = project / "params/districts/lantian.yaml"
    file.write_text(file.read_text("utf-8") + block, encoding="utf-8")
    district = Project(project / "params", project / "data").district("lantian")
    assert set(mappings_of(ZFXXGK, district, file)) == set(
        yaml.load(block, yaml.BaseLoader)["mapping"]
    )


def test_several_districts_and_all_problems(project):
    reportkit(
        "init", ".", "--district", "huxi", "--name", "某市湖西区", "--year", "2023", folder=project
    )
    paste(project, mapping_in(WHOLE) | {"values": {}})
    out = reportkit("intake", "huxi", "lantian", "2023", folder=project, status=2)
    assert [line for line in out.splitlines() if line in ("huxi:", "lantian:")] == [
        "huxi:",
        "lantian:",
    ]
    assert "申请人类型 '个人' ×3 (data/lantian/信息公开登记表.csv:2, 3, 5)" in out
    assert "4 of 4 records of 依申请公开台账 are rejected, more than 1% [ledger-rejected]" in out
    every = reportkit("intake", "huxi", "lantian", "2023", "--all", folder=project, status=2)
    assert every.count("申请人类型 reads '个人'") == 3
    document = json.loads(
        reportkit("intake", "lantian", "2023", "--json", folder=project, status=2)
    )
    (ledger,) = [one for one in document["ledgers"] if one["ledger"] == "applications"]
    assert (ledger["read"], ledger["accepted"], ledger["quarantined"]) == (4, 0, 4)
    assert len([v for v in document["violations"] if v["found"] == "个人"]) == 3
    assert '个人: "?" # ×3' in document["mapping"]["lantian"]
    (columns,) = [one for one in document["columns"] if one["ledger"] == "applications"]
    assert (columns["kept"], columns["not_read"]) == (["年度", "是否涉密"], ["序号", "备注"])
    out = reportkit("intake", "nobody", "huxi", folder=project, status=2)
    assert "there is no district 'nobody'" in out
