"""The ledgers of an invented county as offices keep them: titles, own headings, sums, signatures.

云岭县 does not exist, and no person or paper here does. Every figure follows from the loops below.
"""

import csv
from datetime import date, timedelta
from pathlib import Path

import openpyxl

OUTCOMES = (
    "（一）予以公开", "部分公开", "本机关不掌握相关政府信息", "属于三类内部事务信息",
    "重复申请", "信访举报投诉类申请", "没有现成信息需要另行制作",
)  # fmt: skip
SUBJECTS = (
    "征地补偿安置方案", "农村饮水安全工程招标文件", "公租房分配名单", "城区停车收费批文",
    "学区划分依据", "集体土地使用权登记资料",
)  # fmt: skip
NAMES = "赵志强 钱桂芳 孙丽娟 李国栋 周海燕 吴建军 郑秀英 王永刚 冯晓东 陈美玲".split()


def applications(path: Path, *, wrong: bool) -> None:
    """63 applications under the office's own headings; *wrong*: one answered on 30 February."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "2024年"
    sheet.append(["云岭县2024年依申请公开登记台账"])
    sheet.merge_cells("A1:J1")
    sheet.append(
        [
            "序号",
            "登记编号",
            "申请人姓名",
            "申请人类别",
            "收到申请日期",
            "申请方式",
            "所需政府信息",
            "答复时间",
            "答复结果",
            "承办科室",
        ]
    )
    day = date(2023, 12, 18)
    for n in range(1, 64):
        person = n % 7 > 0
        name = NAMES[n % 10] if person else f"云岭{NAMES[n % 10][0]}氏建材有限公司"
        reply = f"{day + timedelta(days=9 + n % 11):%Y.%m.%d}" if n <= 60 else ""
        sheet.append(
            [
                n,
                f"云公开〔{day.year}〕{n:03d}号",
                name,
                "自然人" if person else "商业企业",
                f"{day:%Y/%m/%d}",
                ("网上", "当面", "信函")[n % 3],
                SUBJECTS[n % 6],
                "2024.02.30" if wrong and n == 8 else reply,
                OUTCOMES[(3 * n + n // 5) % 7] if reply else "",
                "办公室",
            ]
        )
        day += timedelta(days=6 if n % 4 else 5)
    sheet.append(["填表人：张敏", "审核人：刘伟"])
    book.save(path)


def fill(path: Path, records: list[dict[str, object]]) -> None:
    """Write records into an empty ledger of ours, below its heading."""
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    for record in records:
        sheet.append([record.get(cell.value.rstrip("*")) for cell in sheet[1]])
    book.save(path)


def fill_all(folder: Path) -> None:
    """Fill in the empty ledgers of a project, and put an export of another system among them."""
    fill(
        folder / "主动公开目录.xlsx",
        [
            {
                "索引号": f"YL-2024-{n:04d}",
                "标题": f"县政府信息第{n}号",
                "发布日期": date(2024, 1, 2) + timedelta(days=n % 360),
                "类别": ("政策解读", "通知公告", "财政预决算")[n % 3],
            }
            for n in range(1, 481)
        ],
    )
    fill(
        folder / "工作台账.xlsx",
        [
            {
                "编号": f"P{n}",
                "日期": date(2024, 3 * n, 15),
                "类别": "业务培训",
                "主题": f"第{n}期政务公开培训",
                "数量": 40,
            }
            for n in range(1, 4)
        ],
    )
    fill(
        folder / "规范性文件目录.xlsx",
        [
            {
                "文号": f"云政规〔{2019 + n}〕1号",
                "名称": f"云岭县管理办法之{n}",
                "种类": "行政规范性文件",
                "成文日期": date(2019 + n, 5, 8),
                "公布日期": date(2019 + n, 5, 20),
            }
            for n in range(6)
        ],
    )
    fill(
        folder / "复议诉讼台账.xlsx",
        [
            {
                "案号": "云府行复〔2024〕7号",
                "类型": "行政复议",
                "收到日期": date(2024, 4, 1),
                "结案日期": date(2024, 5, 28),
                "结果": "结果维持",
            }
        ],
    )
    with (folder / "行政执法决定2024.csv").open("w", encoding="gb18030", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["行政许可决定书文号", "种类", "许可决定日期", "许可机关"])
        for n in range(1, 213):
            day = date(2024, 1, 3) + timedelta(days=n)
            rows.writerow([f"云许准字〔2024〕{n}号", "行政许可", day.isoformat(), "县行政审批局"])
