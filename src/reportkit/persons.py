"""Persons in a text: their numbers in the forms in which people write them, and their names.

A text is compared in a plain form first, one character for one: full-width letters and digits as
ASCII, all kinds of blanks, hyphens and points as one kind. So places in it are places in the text.

Source: GB 11643-1999 (identity numbers), GA 36-2018 (number plates), ISO/IEC 7812-1 (cards).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cache
from string import ascii_letters
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    import numpy.typing as npt

OUT = "…"
"""Stands in a message for what was taken out."""
_PROVINCES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 "
    "71 81 82 83".split()
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
# Of nineteen people in twenty; surnames that are mostly other words (年, 公, 通) are left out.
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹曾彭萧肖蔡潘田董袁于余叶蒋杜苏魏"
    "程吕丁沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎闫薛尹段雷黎史龙陶贺顾毛郝龚"
    "邵万钱严赖覃洪武莫孔汤向常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳"
    "甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟"
    "艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬"
    "师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝"
)
_COMPOUND = frozenset(
    (
        "欧阳 上官 司马 司徒 司空 诸葛 东方 皇甫 尉迟 公孙 慕容 令狐 长孙 宇文 夏侯 轩辕 端木 南宫 "
        "呼延 闻人 独孤 澹台 濮阳 淳于 单于 申屠 太史 公冶 宗政 赫连 钟离 鲜于 闾丘 万俟 拓跋"
    ).split()
)
# Words that begin like one and that tables of a report, or a careless column of persons, hold.
_NO_NAMES = frozenset(
    (
        "安全 常务 常委 车辆 成功 成立 成文 程序 单位 单元 党委 方面 方式 范围 房号 房屋 "
        "方便 费用 符合 高校 高新 高中 关闭 关于 管理 华侨 计划 计入 纪委 简称 季度 解读 解释 "
        "金额 金融 路段 明朝 明确 明细 农村 农户 农民 农业 平均 平台 齐全 全部 全会 全国 "
        "全年 全区 全省 全市 任何 任务 商户 商家 商业 尚未 申报 申请 时间 施工 师范 "
        "司法 水利 司机 宋体 万元 文本 文号 文件 文首 文书 文字 武装 席位 项目 项与 许可 严格 易地 "
        "应当 应为 余条 章程 周年 左边"
    ).split()
)
# Characters that names of other languages are written with; of place names one is none of them.
_SOUNDS = frozenset(
    "阿艾安奥巴白拜班贝本比别宾波伯勃布查达丹道德邓狄迪蒂丁东都杜多顿厄恩尔法菲费芬弗佛夫福盖甘戈格葛根古哈海"
    "汉汗翰豪赫亨胡华霍基吉济加贾江杰金卡凯坎康柯科克肯库奎拉莱兰朗劳勒雷蕾黎里力利丽莉莲列林琳留龙卢鲁路露"
    "伦罗洛吕马玛迈麦曼芒毛梅门蒙米密敏明摩莫默姆穆木拿娜纳奈南内能妮尼涅宁诺努欧帕潘佩彭皮匹普奇齐切钦琼丘"
    "曲热仁日茹汝若萨赛桑瑟森沙莎山珊尚史士斯丝苏孙索塔泰坦汤特提甜廷图吐托瓦万旺威维韦魏温文沃乌吾伍西锡夏"
    "先香肖谢辛欣休许雅亚延扬耶也依伊易因英尤于约再扎泽詹哲珍芝治朱兹卓孜祖佐才次仓措丹顿多嘉旦坚晋觉仲拥"
    "买买合不尕麦吐苏提力帕夏孜拜尔艾再热"
)
# What an office or a place ends in: 林业局 is nobody.
_OFFICES = frozenset("局委办处科厅院站所队部室镇乡街村县市省厂店")
_HAN = r"\u3400-\u4dbf\u4e00-\u9fff〇々"
_IS_HAN = re.compile(f"[{_HAN}]")
_SOMEONE = (
    "(?:申请人|当事人|第三人|代理人|联系人|代表人|负责人|原告|公民|居民|村民|市民|群众|业主|职工"
    "|学生|家长|姓名)"
)
_CALLED = re.compile(rf"{_SOMEONE}[^\w、，。；]{{0,3}}\Z")
_SOMEBODY = re.compile(rf"{_SOMEONE}[为是叫]?(..)")
_TITLED = re.compile(
    r"先生|女士|小姐|同志|老师|本人|等\d*[人名户]|[（(]申请人"
    r"|的(?:申请|来信|来电|身份证|证件|电话|手机|住址|地址)"
)
_DOES = re.compile("要求|申请|提出|反映|咨询|投诉|举报|来[电信函访]|不服|认为")
_TO = re.compile(r"(?:关于|答复|回复|告知|通知|联系|由|向|对|与|和|给)\Z")


@dataclass(frozen=True)
class Found:
    """A piece of personal data in a text: what kind, and where.

    Parameters
    ----------
    kind : str
        In Chinese.
    start, end : int
    certain : bool
        Whether it is one wherever it stands. Another form (eight digits after a letter, a
        telephone of an office) may be something else in a text that is for the public.
    """

    kind: str
    start: int
    end: int
    certain: bool = True


@cache
def _plain_codes() -> npt.NDArray[np.uint16]:
    """For each character up to U+FFFF the plain one that it is compared as."""
    codes = np.arange(1 << 16, dtype=np.uint16)
    # Not the thousands of Chinese and Korean characters, which stand for themselves.
    for code in (*range(0x80, 0x3400), *range(0xA000, 0xAC00), *range(0xD800, 1 << 16)):
        letter = chr(code)
        kind = unicodedata.category(letter)
        wide = unicodedata.normalize("NFKC", letter)
        if kind in ("Zs", "Cf"):
            codes[code] = ord(" ")
        elif kind == "Nd":
            codes[code] = ord(str(unicodedata.decimal(letter)))
        elif kind == "Pd" or letter == "\u2212":
            codes[code] = ord("-")
        elif len(wide) == 1 and wide.isascii():
            codes[code] = ord(wide)
        elif letter in "\u2022\u2027\u2219\u22c5\u30fb\uff65":
            codes[code] = ord("·")
        elif kind == "Cs":
            codes[code] = 0xFFFD
    return codes


def plain_text(text: str) -> str:
    """A text in its plain form, of the same length.

    Examples
    --------
    >>> plain_text("１３８－１２３４．５６７８　（ＡＢ）")
    '138-1234.5678 (AB)'
    """
    if text.isascii():
        return text
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    known = np.where(codes < 1 << 16, codes, 0xFFFD)
    return _plain_codes()[known].tobytes().decode("utf-16-le")


# One byte for each character: digits, what may stand between them, letters, all else.
_BYTES = bytes.maketrans(
    b"0123456789" + bytes(range(65, 91)) + bytes(range(97, 123)) + b" .-",
    b"0" * 10 + b"a" * 52 + b"-" * 3,
)
_RUN = re.compile(rb"0[0-]{10,}")
_DIGITS = re.compile("[0-9]+")
_ALNUM = re.compile("[0-9A-Za-z]")


def _numbers(plain: str) -> Iterator[Found]:
    """Identity numbers, mobile numbers and bank cards, with blanks, hyphens and points in them."""
    shape = plain.encode("ascii", "replace").translate(_BYTES)
    for run in _RUN.finditer(shape):
        parts = [one.span() for one in _DIGITS.finditer(plain, *run.span())]
        end = 0
        for at, (start, _) in enumerate(parts):
            if start >= end and (found := _number(plain, parts[at:])):
                end = found.end
                yield found


def _number(plain: str, parts: list[tuple[int, int]]) -> Found | None:
    """Return the number that begins with the first of these groups of digits, if it is one."""
    start = parts[0][0]
    before, digits, sizes = plain[max(0, start - 1) : start], "", []
    if before.isascii() and (before.isalnum() or before == "_"):
        return None
    last = start
    for first, end in parts[:19]:
        if first - last > 2:
            break
        last = end
        digits += plain[first:end]
        sizes.append(end - first)
        rest = plain[end : end + 3]
        if len(digits) > 19:
            break
        x = re.match("[ .-]{0,2}[Xx]", rest) if len(digits) == 17 else None
        if x and _is_identity(digits + "X") and not _ALNUM.match(plain, end + x.end()):
            return Found("证件号码", start, end + x.end())
        if _ALNUM.match(rest):
            continue
        if len(digits) == 18 and _is_identity(digits):
            return Found("证件号码", start, end)
        own = re.match(r"[+/=_]|[.-][0-9]", rest) is None and before not in (
            "+",
            "/",
            "=",
            ".",
            "-",
        )
        alone = set(sizes) != {1} or not _in_a_row(plain, start, end)
        if own and alone and _is_mobile(digits, sizes):
            return Found("手机号码", start - _code(plain, start), end)
        if own and _is_card(digits, sizes):
            return Found("银行卡号", start, end)
    return None


def _in_a_row(plain: str, start: int, end: int) -> bool:
    """Return True where more single digits stand beside these, as in cells of a table or chart."""
    before = re.search(r"(?:^|[^0-9])[0-9]\s{1,2}\Z", plain[max(0, start - 4) : start])
    after = re.match(r"\s{1,2}[0-9](?![0-9])", plain[end : end + 4])
    return before is not None or after is not None


def _is_identity(number: str) -> bool:
    # ISO 7064 mod 11-2 over the first 17 digits; a province and a birthday inside.
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    return (
        "10X98765432"[total % 11] == number[17]
        and number[:2] in _PROVINCES
        and number[6:8] in ("18", "19", "20")
        and _is_day(int(number[6:10]), number[10:14])
    )


def _is_day(year: int, month_and_day: str) -> bool:
    try:
        date(year, int(month_and_day[:2]), int(month_and_day[2:]))
    except ValueError:
        return False
    return True


def _is_mobile(digits: str, sizes: list[int]) -> bool:
    if digits[:2] == "86" and sizes[0] in (2, 13):
        sizes = sizes[1:] if sizes[0] == 2 else [11]
        digits = digits[2:]
    written = sizes in ([11], [3, 4, 4], [3, 8], [7, 4], [4, 3, 4], [3, 3, 5]) or set(sizes) == {1}
    return len(digits) == 11 and digits[0] == "1" and digits[1] in "3456789" and written


def _code(plain: str, start: int) -> int:
    """Return the length of a +86 that stands before the number."""
    found = re.search(r"\+?86[- ]?\Z|\+\Z", plain[max(0, start - 4) : start])
    return len(found[0]) if found else 0


def _is_card(digits: str, sizes: list[int]) -> bool:
    fours = sizes[:-1] == [4] * (len(sizes) - 1) and sizes[-1] <= 4
    written = len(sizes) == 1 or (len(sizes) > 3 and fours)
    # A number of an office begins with its area, and a year follows.
    of_office = digits[6:8] in ("19", "20")
    if not written or not 16 <= len(digits) <= 19 or of_office or digits[:2] != "62":
        return False
    doubled = [int(digit) * (2 if at % 2 else 1) for at, digit in enumerate(reversed(digits))]
    return sum(one - 9 if one > 9 else one for one in doubled) % 10 == 0


_BEFORE_AT = re.compile(r"[\w.+-]+\Z")
_DOMAIN = re.compile(
    rf"(?:[A-Za-z0-9{_HAN}-]{{1,63}}\.){{1,8}}(?:[A-Za-z]{{2,12}}(?![A-Za-z0-9_@-])"
    "|中国|中國|公司|网络|網絡|网址|政务|公益|商标|商城|中文网|在线|集团|我爱你|香港|台湾|移动"
    "|手机|信息|企业|机构)"
)


def _addresses(plain: str) -> Iterator[Found]:
    at, end = plain.find("@"), 0
    while at >= 0:
        domain = _DOMAIN.match(plain, at + 1)
        name = _BEFORE_AT.search(plain, max(end, at - 64), at) if domain else None
        if name and domain:
            # 发到zhang@163.com: Chinese words before it are no part of an address in letters.
            own = re.search(r"[A-Za-z0-9_.+-]+\Z", name[0]) or name
            yield Found("电子邮箱", at - len(own[0]), domain.end())
            end = domain.end()
        at = plain.find("@", max(at + 1, end))


def _forms(
    *forms: tuple[str, str, str],
) -> list[tuple[str, re.Pattern[str], re.Pattern[str] | None]]:
    return [(kind, re.compile(p), re.compile(w) if w else None) for kind, p, w in forms]


_PAPERS = "护照|通行证|回乡证|台胞证|台湾居民|居住证|身份证|证件|签证|港澳"
_PHONES = "电话|座机|联系方式|拨打"
_PLATES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_LETTERS, _END = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"
# Kind, pattern over the plain text, and words one of which must stand before it.
_OTHERS = [
    (kind, re.compile(pattern), re.compile(words) if words else None)
    for kind, pattern, words in (
        # Of Hong Kong and Macau, with the check digit in brackets.
        ("证件号码", rf"{_LETTERS}[A-Z]{{1,2}}[0-9]{{6}}\([0-9A]\)", ""),
        ("证件号码", rf"{_LETTERS}[157][0-9]{{6}}\([0-9]\)", ""),
        # Passports, permits to enter the mainland; a year after the letter is of an office.
        ("证件号码", rf"{_LETTERS}[EGHM](?!0|19|20)[0-9]{{8}}(?:[0-9]{{2}})?{_END}", ""),
        ("证件号码", rf"{_LETTERS}[A-Z]{{1,3}}[0-9]{{6,10}}{_END}", _PAPERS),
        ("证件号码", rf"{_LETTERS}[0-9]{{8,10}}(?:\([A-Z0-9]{{1,2}}\)|{_END})", _PAPERS),
        (
            "银行卡号",
            rf"{_LETTERS}(?:[0-9][ -]?){{11,18}}[0-9]{_END}",
            "银行卡|卡号|账号|帐号|账户|帐户|信用卡",
        ),
        (
            "车牌号码",
            rf"[{_PLATES}使领][A-HJ-NP-Z][·. -]?(?=[A-Z]?[0-9][A-Z]?[0-9]|[A-Z]{{2}}[0-9]{{2}})"
            rf"[A-HJ-NP-Z0-9]{{4,5}}[A-HJ-NP-Z0-9挂学警港澳领]{_END}",
            "",
        ),
        (
            "电话号码",
            r"(?<![0-9A-Za-z.-])\(?0[1-9][0-9]{1,2}\)?[ -]{0,2}[2-8][0-9]{2,3}[ -]?[0-9]{4}"
            r"(?![0-9])",
            "",
        ),
        (
            "电话号码",
            r"(?<![0-9A-Za-z.-])[2-8][0-9]{2,3}[ -]?[0-9]{4}(?![0-9A-Za-z.-])",
            _PHONES,
        ),
    )
]
_OLD_IDENTITY = re.compile(rf"{_LETTERS}[1-8][0-9]{{14}}{_END}")
_DOTTED = re.compile(rf"[{_HAN}]{{1,12}}(?:·[{_HAN}]{{1,12}}){{1,3}}")


def _others(plain: str) -> Iterator[Found]:
    """Forms that may be something else in a text for the public."""
    for kind, pattern, words in _OTHERS:
        for match in pattern.finditer(plain):
            start = match.start()
            if words is None or words.search(plain, max(0, start - 20), start):
                yield Found(kind, start, match.end(), certain=False)
    for match in _OLD_IDENTITY.finditer(plain):
        number = match[0]
        if number[:2] in _PROVINCES and _is_day(1900 + int(number[6:8]), number[8:12]):
            yield Found("证件号码", *match.span(), certain=False)
    for match in _DOTTED.finditer(plain):
        # 请向买买提·艾力核实: only what sounds so is of the name.
        at = re.search("·", match[0]).start()  # type: ignore[union-attr]  # the pattern has one
        start, end = at, len(match[0])
        while start and match[0][start - 1] in _SOUNDS:
            start -= 1
        while end > at and match[0][end - 1] not in _SOUNDS:
            end -= 1
        if at - start >= 2 and end - at >= 3 and set(match[0][start:end]) <= _SOUNDS | {"·"}:
            yield Found("姓名", match.start() + start, match.start() + end, certain=False)


def find(text: str, *, certain: bool = False) -> list[Found]:
    """Numbers and names of persons in a text, by their place; no two of them overlap.

    Parameters
    ----------
    text : str
    certain : bool
        Only what is personal wherever it stands: identity numbers with a right check digit, mobile
        numbers, bank cards and e-mail addresses. A file of megabytes takes milliseconds.

    Examples
    --------
    >>> [one.kind for one in find("护照E12345678，车牌闽D·12A45，０５９２－５７２２６０１")]
    ['证件号码', '车牌号码', '电话号码']
    """
    plain = plain_text(text)
    found = [*_numbers(plain), *_addresses(plain), *(() if certain else _others(plain))]
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


@cache
def suspect() -> str:
    """Pattern that matches every text that `hide` changes; a column is searched for it fast.

    Ten digits with what may stand between them, seven after a word or before a bracket, six after
    a letter, a letter after the name of a province, or a sign of addresses and foreign names.
    """
    codes = _plain_codes()

    def all_of(plain: str) -> str:
        found = np.flatnonzero(np.isin(codes, [ord(one) for one in plain]))
        return "[" + "".join(f"\\x{{{code:x}}}" for code in found.tolist()) + "]"

    digit, letter, signs = map(all_of, ("0123456789", ascii_letters, "@·"))
    more = f"(?:{all_of(' .-)')}{{0,3}}{digit})"
    words = f"(?s:(?:{_PAPERS}|{_PHONES}).{{0,20}})"
    return (
        f"{digit}{more}{{9}}|{words}{digit}{more}{{6}}|{digit}{{7}}{all_of('(')}"
        f"|{letter}{digit}{{6}}|[{_PLATES}使领]{letter}|{signs}"
    )


def hide(text: str) -> str:
    """A text with the personal data that can be recognised in it replaced by its kind.

    Examples
    --------
    >>> hide("请回电13812345678")
    '请回电〔手机号码〕'
    """
    return _replaced(text, lambda one: f"〔{one.kind}〕")


def _replaced(text: str, mark: Callable[[Found], str]) -> str:
    parts, end = [], 0
    for one in find(text):
        parts += [text[end : one.start], mark(one)]
        end = one.end
    return "".join(parts) + text[end:]


def looks_like_name(word: str) -> bool:
    """Return True where a word of Chinese characters has the shape of a personal name.

    Examples
    --------
    >>> [looks_like_name(word) for word in ("王小明", "欧阳小测", "买买提·艾力", "已公开", "王某")]
    [True, True, True, False, False]
    """
    if "·" in word.strip("·"):
        return True
    first, second = word[:1] in _SURNAMES, word[1:2] in _SURNAMES
    office = len(word) > 2 and word[-1] in _OFFICES
    if office or word[:2] in _NO_NAMES or word[1:2] in set("某氏姓总"):
        return False
    return (
        (first and len(word) in (2, 3))
        or (first and second and len(word) == 4)
        or (word[:2] in _COMPOUND and len(word) in (3, 4))
    )


def names_somebody(text: str) -> bool:
    """Return True where a text gives a name after a word such as 申请人: 申请人王小明要求公开.

    Examples
    --------
    >>> [names_somebody(text) for text in ("申请人王小明要求公开", "申请人类型", "申请人单位")]
    [True, False, False]
    """
    return any(looks_like_name(match[1]) for match in _SOMEBODY.finditer(text))


# A name of two or three characters with blanks in it, so that columns of names are even.
_PARTED = re.compile(rf"(?<![{_HAN}])([{_HAN}]{{1,2}})[ \u3000]+([{_HAN}]{{1,2}})(?![{_HAN}])")
_WORD = re.compile(f"[{_HAN}·]+")


def without_persons(text: str, known: Collection[str] = ()) -> str:
    """A text for a message, with numbers of persons and what looks like a name taken out.

    Parameters
    ----------
    text : str
    known : collection of str
        Words that are no names, whatever they look like.

    Examples
    --------
    >>> without_persons("湖公申〔2021〕12号 张三 13812345678"), without_persons("已公开")
    ('湖公申〔2021〕12号 … …', '已公开')
    """

    def parted(match: re.Match[str]) -> str:
        return OUT if looks_like_name(match[1] + match[2]) else match[0]

    def named(match: re.Match[str]) -> str:
        looks = looks_like_name(match[0]) or names_somebody(match[0])
        return OUT if looks and match[0] not in known else match[0]

    told = _WORD.sub(named, _PARTED.sub(parted, _replaced(text, lambda _: OUT)))
    # A message that holds none stays one, and can be told in another language.
    return text if told == text else told


def name_of_two(value: str) -> str:
    """A value as a personal name of two characters, without a blank between them; else nothing.

    Examples
    --------
    >>> name_of_two("张　三"), name_of_two("其他"), name_of_two("王小明")
    ('张三', '', '')
    """
    name = "".join(value.split())
    is_name = len(name) == 2 and name[0] in _SURNAMES and name[1] not in "某氏姓总"
    return name if is_name and _IS_HAN.fullmatch(name[1]) and name not in _NO_NAMES else ""


def is_named(before: str, after: str) -> bool:
    """Tell by their surroundings if two characters are a person's name, not part of words.

    They are between characters that are no Chinese ones, after 申请人 and the like, and before 先生
    and the like; a less certain word on one side is enough where the other side is bare.

    Examples
    --------
    >>> is_named("| 1 | ", " |"), is_named("申请人", "的"), is_named("云", "的")
    (True, True, False)
    """
    bare_left, bare_right = not _IS_HAN.search(before[-1:]), not _IS_HAN.match(after)
    return (
        (bare_left and bare_right)
        or bool(_CALLED.search(before) or _TITLED.match(after))
        or (bare_left and bool(_DOES.match(after)))
        or (bare_right and bool(_TO.search(before)))
    )
