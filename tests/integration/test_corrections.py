"""A published report corrected by its office: what a run says, and what its documents prove."""

import json
import shutil

import yaml


def test_a_changed_report_asks_for_a_correction_and_tells_it(sealed, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(sealed.project, project, symlinks=True)
    office = type(sealed)(project, project, sealed.keys, sealed.key)
    ledger = project / "data/pingtan/cases-2019-2021.csv"
    text = ledger.read_text(encoding="utf-8-sig")
    line = next(one for one in text.splitlines() if ",2021-" in one and "结果维持" in one)
    added = ",".join(["补录〔2021〕99号", *line.split(",")[1:]])
    ledger.write_text(f"{text.rstrip()}\n{added}\n", encoding="utf-8")

    said = office.reportkit("run", "pingtan", 2021)
    assert said.returncode == 0, said.stderr
    assert f"2 figures are not as the final run {sealed.run.name} printed them" in said.stdout
    pasted = yaml.load(said.stdout[said.stdout.index("corrections:") :], yaml.BaseLoader)
    figures = {"t4.litigation_direct.maintain": "12", "t4.litigation_direct.total": "12"}
    assert pasted == {"corrections": [{"on": "", "text": "", "figures": figures}]}

    params = project / "params/reports/pingtan/2021.yaml"
    result = [{"on": "2022-03-01", "text": "台账漏登，现补录。", "figures": figures}]
    written = yaml.safe_dump({"corrections": result}, allow_unicode=True)
    params.write_text(params.read_text(encoding="utf-8") + written, encoding="utf-8")
    done = json.loads(office.reportkit("run", "pingtan", 2021, "--json").stdout)
    assert (done["draft"], done["untold"]) == (False, [])
    current = project / "outputs/pingtan/2021/current"
    page = (current / "report.html").read_text(encoding="utf-8")
    assert "（2022年3月1日更正）" in page
    assert "2022年3月1日更正：台账漏登，现补录。" in page
    proof = office.reportkit("verify", current, "--rerun", "--trust-notebook", "--json")
    (run,) = json.loads(proof.stdout)["runs"]
    held = {level["level"]: level["holds"] for level in run["levels"]}
    assert held == dict.fromkeys(
        ("files", "ledgers", "facts", "render", "environment", "rerun"), True
    )
