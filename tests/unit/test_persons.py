"""Persons in a text: the forms that are found, and what only looks like one."""

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportkit.persons import find, hide, plain_text, suspect, without_persons


def id_card(digits="11010119900307123"):
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(d) * w for d, w in zip(digits, weights, strict=True))
    return digits + "10X98765432"[total % 11]


WITH_X = next(card for n in range(100) if (card := id_card(f"350203198808080{n:02}"))[-1] == "X")
PIECES = [
    *"0123456789·・@＠²①٣８ -－—.．(）\u3000\u200b", "138", "1990", "0307", "12", "１３", "E", "ｇ",
    "X",
    "闽", "D", "京", "163.com", "买买提", "艾力", "电话", "护照", "卡号", id_card(), "13812345678",
    "05925722601", "A123456(3)",
]  # fmt: skip
WIDE = str.maketrans("0123456789X-.@ ", "０１２３４５６７８９Ｘ－．＠\u3000")


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        # Identity numbers.
        (f"身份证{id_card()}，请查", "身份证〔证件号码〕，请查"),
        (f"身份证{WITH_X}请查", "身份证〔证件号码〕请查"),
        (f"身份证{WITH_X.lower()}", "身份证〔证件号码〕"),
        (f"证件：{id_card().translate(WIDE)}。", "证件：〔证件号码〕。"),
        ("证件：110101 19900307 1233", "证件：〔证件号码〕"),
        ("证件：110101-1990-0307-1233号", "证件：〔证件号码〕号"),
        ("证件：1101 0119 9003 0712 33", "证件：〔证件号码〕"),
        ("证件：110101.19900307.1233", "证件：〔证件号码〕"),
        ("证件：" + " ".join(id_card()), "证件：〔证件号码〕"),
        ("证件：110101\u200b19900307\u200b1233", "证件：〔证件号码〕"),
        ("证件：110101－19900307－1233", "证件：〔证件号码〕"),
        ("旧证350203880808123号", "旧证〔证件号码〕号"),
        ("护照E12345678", "护照〔证件号码〕"),
        ("护照号码：EA1234567", "护照号码：〔证件号码〕"),
        ("持G38102983入境", "持〔证件号码〕入境"),
        ("护照Ｇ３８１０２９８３", "护照〔证件号码〕"),
        ("港澳通行证C12345678", "港澳通行证〔证件号码〕"),
        ("回乡证H1234567801", "回乡证〔证件号码〕"),
        ("台胞证12345678", "台胞证〔证件号码〕"),
        ("台湾居民来往大陆通行证 1234567890(B)", "台湾居民来往大陆通行证 〔证件号码〕"),
        ("香港身份证A123456(3)", "香港身份证〔证件号码〕"),
        ("香港身份证A123456（3）", "香港身份证〔证件号码〕"),
        ("澳门身份证1234567(8)", "澳门身份证〔证件号码〕"),
        # Telephones.
        ("电话13812345678。", "电话〔手机号码〕。"),
        ("电话138-1234-5678或+86 13912345678", "电话〔手机号码〕或〔手机号码〕"),
        ("电话8613912345678", "电话〔手机号码〕"),
        ("电话１３８１２３４５６７８", "电话〔手机号码〕"),
        ("电话138.1234.5678", "电话〔手机号码〕"),
        ("电话138 1234 5678", "电话〔手机号码〕"),
        ("电话138　1234　5678", "电话〔手机号码〕"),
        ("电话１３８－１２３４－５６７８", "电话〔手机号码〕"),
        ("电话138—1234—5678", "电话〔手机号码〕"),
        ("电话" + " ".join("13812345678"), "电话〔手机号码〕"),
        ("电话1380-123-4567", "电话〔手机号码〕"),
        ("座机0592-5722601", "座机〔电话号码〕"),
        ("座机（0592）5722601", "座机〔电话号码〕"),
        ("座机05925722601", "座机〔电话号码〕"),
        ("座机010 8888 6666", "座机〔电话号码〕"),
        ("座机０５９２－５７２２６０１", "座机〔电话号码〕"),
        ("联系电话：5722601", "联系电话：〔电话号码〕"),
        # Addresses.
        ("发到 a.b+c@mail.example.cn 即可", "发到 〔电子邮箱〕 即可"),
        ("发到zhang@某某.公司吧", "发到〔电子邮箱〕吧"),
        ("发到zhang@例子.中国", "发到〔电子邮箱〕"),
        ("发到zhang＠163．com。", "发到〔电子邮箱〕。"),
        # Cards and plates.
        ("卡6222021234567890128", "卡〔银行卡号〕"),
        ("卡6222 0212 3456 7890 128", "卡〔银行卡号〕"),
        ("银行卡号：4563510100892341230", "银行卡号：〔银行卡号〕"),
        ("车牌闽D12345违停", "车牌〔车牌号码〕违停"),
        ("车牌闽D·12A45", "车牌〔车牌号码〕"),
        ("车牌闽ＤＤ１２３４５", "车牌〔车牌号码〕"),
        ("车牌京A1234警", "车牌〔车牌号码〕"),
        # Names with a point.
        ("请向阿依古丽·买买提核实", "请向〔姓名〕核实"),
        ("买买提•艾力反映", "〔姓名〕反映"),
        ("（努尔・白克力）", "（〔姓名〕）"),
    ],
)
def test_personal_data_in_free_text_is_hidden(text, hidden):
    assert hide(text) == hidden
    assert suspected(text)


@pytest.mark.parametrize(
    "text",
    [
        "厦湖府〔2021〕1号", "24161987.13元", "索引号XM02100-0101-2019-00001",
        "913502000000000000", "sha256 13812345678abcdef", "20200819", "110101199013071230",
        "统计 12.13812345678", "1381234567", "138123456789", "XM00106-15-01-2021001",
        "索引号 FJ01105-0202-2021-00023", "2021-01-05 2021-03-04 2021-05-06", "G324国道",
        "登记号G20210001", "京ICP备05004276号", "粤B2-20090059", "GB/T 2260-2007", "海峡·平潭",
        "“魅力·厦门”", "6201022021000124", "350206202100123", "76 12 0 0 3 1 2", "12345热线",
        "统一社会信用代码11350206004131519X", "0.13812345678", "闽府〔2021〕1号", "云A栋",
        "2021年1月1日至12月31日", "微博@湖里发布", "1,234,567.89",
    ],
)  # fmt: skip
def test_what_is_no_personal_data_stays(text):
    assert hide(text) == text


def suspected(text):
    return pc.match_substring_regex(pa.scalar(text), suspect()).as_py()


@given(st.lists(st.sampled_from(PIECES) | st.characters(codec="utf-8"), max_size=20).map("".join))
def test_a_text_without_suspects_is_left_alone(text):
    assert suspected(text) or hide(text) == text


def test_most_texts_of_applications_are_not_suspect():
    texts = [
        "湖政〔2019〕12号批复",
        "2019年度预算、第3批次",
        "地铁2号线1.5公里工程",
        "GB/T 2260-2007",
    ]
    assert not any(map(suspected, texts))


@given(st.text())
def test_hiding_twice_changes_nothing(text):
    assert hide(hide(text)) == hide(text)


@given(st.text())
def test_the_plain_form_has_the_same_places(text):
    assert len(plain_text(text)) == len(text)


@given(
    st.from_regex(r"\A1[3-9][0-9]{9}\Z"), st.sampled_from("，。 （、"),
    st.sampled_from(["", "-", " ", "　", ".", "－", "\u200b"]), st.booleans(),
)  # fmt: skip
def test_every_mobile_number_is_found_in_every_form(number, mark, between, wide):
    number = between.join((number[:3], number[3:7], number[7:]))
    number = number.translate(WIDE) if wide else number
    assert [one.kind for one in find(f"手机{mark}{number}{mark}", certain=True)] == ["手机号码"]


@given(
    st.dates(date(1900, 1, 1), date(2020, 12, 31)), st.integers(0, 999),
    st.sampled_from(["110101", "350203", "830000"]),
    st.sampled_from(["", "-", " ", "　", "．"]), st.booleans(),
)  # fmt: skip
def test_every_identity_number_is_found_in_every_form(day, order, area, between, wide):
    number = id_card(f"{area}{day:%Y%m%d}{order:03}")
    number = between.join((number[:6], number[6:14], number[14:]))
    number = number.translate(WIDE) if wide else number
    assert [one.kind for one in find(f"证件{number}。", certain=True)] == ["证件号码"]


def test_a_text_of_megabytes_takes_a_moment():
    text = "2021-01-05,厦湖府〔2021〕1号,关于公开某事项的通知,12345,\n" * 50_000
    assert find(text, certain=True) == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("2021-13-40 欧阳小测", "2021-13-40 …"),
        ("张 三", "…"),
        ("申请人王小明要求公开", "…"),
        ("湖公申〔2021〕12号", "湖公申〔2021〕12号"),
        ("王某", "王某"),
        ("买买提·艾力", "…"),
        ("其他", "其他"),
    ],
)
def test_a_message_repeats_no_person(text, left):
    assert without_persons(text) == left


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("1 3 0 0 4 0 0 0 0 0 0 0 0 0 0", []),  # a row of table 4, as a PDF gives it
        ("0 1 3 0 0 4 0 0 0 0 0 0", []),
        ("3 1 4 1 1 7 1 0 3 2 6 3\r\n3 2 1", []),
        ("电话1 3 8 0 0 1 3 8 0 0 0", ["手机号码"]),
        ("1 3 8 0 0 1 3 8 0 0 0，李某", ["手机号码"]),
        ("12 1 3 8 0 0 1 3 8 0 0 0", ["手机号码"]),
    ],
)
def test_a_row_of_single_digits_is_no_mobile_number(text, kinds):
    assert [one.kind for one in find(text, certain=True)] == kinds
