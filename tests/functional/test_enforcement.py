"""The second form, 行政执法数据: 庆元县 2024's published figures out of ledgers made from them."""

import csv

import commands
import pytest

import reportkit

# 庆元县2024年行政执法统计年报, zjqy.gov.cn, 2025-01-17. Kinds as decisions have them, each with a
# lighter one that stands beside it in every third.
PENALTIES = {
    "警告": (12_000, "其他"), "通报批评": (175, "警告"), "罚款": (94_929, "警告"),
    "没收违法所得": (200, "罚款"), "没收非法财物": (35, "没收违法所得"),
    "暂扣许可证": (150, "罚款"),
    "降低资质等级": (39, "暂扣执照"), "吊销许可证": (101, "限制从业"), "责令停产停业": (6, "罚款"),
    "责令关闭": (3, "责令停产停业"), "限制从业": (2, "罚款"), "行政拘留": (504, "吊销许可证"),
    "其他": (12, "其他"),
}  # fmt: skip
FIGURES = {
    "t1.permits.applied": "26569", "t1.permits.accepted": "26569", "t1.permits.granted": "26462",
    "t1.permits.refused": "102", "t1.permits.revoked": "5", "t2.warned.count": "12175",
    "t2.fine.count": "94929", "t2.confiscated.count": "235", "t2.suspended.count": "189",
    "t2.revoked.count": "101", "t2.restricted.count": "0", "t2.stopped.count": "11",
    "t2.detained.count": "504", "t2.otherwise.count": "12", "t2.total.count": "108156",
    "t2.fined.amount_wan": "1753.79",
}  # fmt: skip
FINED = 17_537_900


def write(path, heading, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([heading, *rows])


def make(folder, form, *, every=1):
    """A project with a district's ledgers; of each kind one decision in *every* only."""
    (folder / "params/districts").mkdir(parents=True)
    (folder / "params/districts/qingyuan.yaml").write_text(
        f"id: qingyuan\nname: 庆元县\nform: {form}\n", encoding="utf-8"
    )
    data = folder / "data/qingyuan"
    data.mkdir(parents=True)
    kinds = [
        f"{beside}、{kind}" if number % 3 == 0 and beside != kind else kind
        for kind, (count, beside) in PENALTIES.items()
        for number in range(-(-count // every))
    ]
    share, rest = divmod(FINED, len(kinds))
    rows = [
        (f"罚{n}", f"2024-{1 + n % 12:02}-{1 + n % 28:02}", kind, share + (rest if n == 0 else 0))
        for n, kind in enumerate(kinds)
    ]
    rows.append(("旧1", "2023-12-31", "罚款", 900))
    write(data / "penalties.csv", ("决定书文号", "决定日期", "处罚种类", "罚没金额（元）"), rows)
    permits = [
        (
            f"许{n}",
            "2024-05-06",
            "2024-05-07",
            "2024-05-09" if n < 26_564 else "",
            "准予变更"
            if n < 99
            else "准予许可"
            if n < 26_462
            else "不予许可"
            if n < 26_564
            else "",
            "2024-11-01" if n < 5 else "",
        )
        for n in range(0, 26_569, every)
    ]
    heading = ("申请编号", "申请日期", "受理日期", "决定日期", "许可结果", "撤销日期")
    write(data / "permits.csv", heading, permits)
    coercion = [
        ("强1", "行政强制措施", "扣押", "2024-03-01"),
        ("强2", "申请法院强制执行", "", "2024-03-02"),
    ]
    write(data / "coercion.csv", ("文书号", "类别", "方式", "日期"), coercion)
    write(data / "other_acts.csv", ("编号", "类别", "日期"), [("检1", "行政检查", "2024-03-01")])


def test_every_published_cell_of_qingyuan_comes_out(tmp_path):
    make(tmp_path, "xzzf-zhejiang")
    folders = {one: tmp_path / one for one in ("params", "data")}
    report = reportkit.open_report("qingyuan", 2024, **folders, out=tmp_path / "outputs")
    assert {name: report.facts[name].text for name in FIGURES} == FIGURES
    assert report.facts["t3.total.count"].text == "2"
    assert [one.message for one in report.all_checks if not one.holds] == []
    assert repr(report) == "庆元县2024年行政执法统计年报"


@pytest.mark.parametrize(
    ("form", "edition", "rows"),
    [
        ("xzzf", "广东2018", {"warned": 402, "stopped": 2, "otherwise": 1, "detained": 17}),
        (
            "xzzf-zhejiang",
            "浙江2021",
            {"warned": 406, "stopped": 3, "otherwise": 1, "detained": 17},
        ),
    ],
)
def test_a_run_is_verified_and_its_documents_are_whole(tmp_path, form, edition, rows):
    make(tmp_path, form, every=30)

    def command(*words):
        done = commands.reportkit(*words, cwd=tmp_path)
        return done.returncode, done.stdout + done.stderr

    status, messages = command("run", "qingyuan", "2024")
    # What the law before 2021 does not know is counted by no row of Guangdong's: F1 names each.
    assert status == (1 if form == "xzzf" else 0), messages
    run = tmp_path / "outputs/qingyuan/2024/current"
    facts = reportkit.open_run(run, params=tmp_path / "params", data=tmp_path / "data").facts
    assert {row: int(facts[f"t2.{row}.count"]["value"]) for row in rows} == rows
    assert edition in (run / "facts.json").read_text("utf-8")
    assert "行政处罚实施情况" in (run / "report.html").read_text("utf-8")
    status, messages = command("verify", str(run), "--rerun")
    assert status == 0, messages
    assert "facts: holds" in messages
