"""Personal data stays behind: pseudonyms for personal columns, patterns hidden in free text.

Source: 条例 第十五条 (personal privacy is not disclosed); 个人信息保护法 第六条, 第五十一条 (least
data, de-identification). A pseudonym is still personal data in the law's sense: it lets an analyst
see that two applications come from one applicant, and is shown in no document.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from reportkit.errors import InputError

KEY_VARIABLE = "REPORTKIT_PRIVACY_KEY_FILE"

SESSION_NOTE = (
    "未指定密钥文件，个人信息栏的化名由本次运行的临时密钥生成，与其他次运行的化名不能比对。"
)
SESSION_TOLD = (
    f"{KEY_VARIABLE} is not set: pseudonyms are of a key for this session only, "
    "those of another run differ"
)

_ID_CARD = re.compile(r"(?<![0-9A-Za-z])[1-9]\d{16}[\dXx](?![0-9A-Za-z])", re.ASCII)
_MOBILE = re.compile(
    r"(?<![\w.+/=-])(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?![\w+/=]|\.\d)", re.ASCII
)
_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,12}(?![\w@])", re.ASCII
)
# Where to try the patterns: digits all alike; or 1, 9 for 3-9, 0 for the others.
_DIGITS = bytes.maketrans(b"0123456789", b"0" * 10)
_SHAPE = bytes.maketrans(b"0123456789 ", b"0109999999-")
_LONG_NUMBER = re.compile(b"0" * 17 + b"0*")  # written out it is looked for as one text
_MOBILE_SHAPE = re.compile(rb"19(?=[019]-?[019]{4}-?[019]{4})")
_BEFORE_AT = re.compile(r"[\w.+-]+\Z", re.ASCII)
SUSPECT = r"1[3-9][0-9][- ]?[0-9]{4}|[0-9]{17}|@"
"""What every text has that `hide` changes; a column is searched for it fast."""
# Of nineteen people in twenty; surnames that are mostly other words (年, 公, 通) are left out.
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹曾彭萧肖蔡潘田董袁于余叶蒋杜苏魏"
    "程吕丁沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎闫薛尹段雷黎史龙陶贺顾毛郝龚"
    "邵万钱严赖覃洪武莫孔汤向常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳"
    "甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟"
    "艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬"
    "师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝"
)
# Words that begin like one and that tables of a report, or a careless column of persons, hold.
_WORDS = frozenset(
    (
        "安全 常务 常委 车辆 成功 成立 成文 程序 单位 单元 党委 方面 方式 范围 房号 房屋 "
        "方便 费用 符合 高校 高新 高中 关闭 关于 管理 华侨 计划 计入 纪委 简称 季度 解读 解释 "
        "金额 金融 路段 明朝 明确 明细 农村 农户 农民 农业 平均 平台 齐全 全部 全会 全国 "
        "全年 全区 全省 全市 任何 任务 商户 商家 商业 尚未 申报 申请 时间 施工 师范 "
        "司法 水利 司机 宋体 万元 文本 文号 文件 文首 文书 文字 武装 席位 项目 项与 许可 严格 易地 "
        "应当 应为 余条 章程 周年 左边"
    ).split()
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff〇々]")
_CALLED = re.compile(
    r"(?:申请人|当事人|第三人|代理人|联系人|代表人|负责人|原告|公民|居民|村民|市民|群众|业主|职工"
    r"|学生|家长|姓名)[^\w、，。；]{0,3}\Z"
)
_TITLED = re.compile(
    r"先生|女士|小姐|同志|老师|本人|等\d*[人名户]|[（(]申请人"
    r"|的(?:申请|来信|来电|身份证|证件|电话|手机|住址|地址)"
)
_DOES = re.compile("要求|申请|提出|反映|咨询|投诉|举报|来[电信函访]|不服|认为")
_TO = re.compile(r"(?:关于|答复|回复|告知|通知|联系|由|向|对|与|和|给)\Z")


@dataclass(frozen=True)
class Found:
    """A piece of personal data in a text: what kind, and where."""

    kind: str
    start: int
    end: int


def find(text: str) -> list[Found]:
    """Identity-card numbers (with a right check digit), mobile numbers and e-mail addresses.

    The patterns are tried only where the shape of the text allows them, so that a file of
    megabytes takes milliseconds.
    """
    found = []
    # One byte for each character, whatever it is: places in the shape are places in the text.
    raw = text.encode("ascii", "replace")
    for spot in _LONG_NUMBER.finditer(raw.translate(_DIGITS)):
        if (match := _ID_CARD.match(text, spot.start())) and _is_id(match[0]):
            found.append(Found("证件号码", *match.span()))
    end = 0
    for spot in _MOBILE_SHAPE.finditer(raw.translate(_SHAPE)):
        # The country code before it is part of the number.
        starts = range(max(end, spot.start() - len("+86-")), spot.start() + 1)
        if match := next(filter(None, (_MOBILE.match(text, at) for at in starts)), None):
            found.append(Found("手机号码", *match.span()))
            end = match.end()
    at, end = text.find("@"), 0
    while at >= 0:
        name = _BEFORE_AT.search(text, max(end, at - 64), at)
        if name and (match := _EMAIL.match(text, name.start())):
            found.append(Found("电子邮箱", *match.span()))
            end = match.end()
        at = text.find("@", at + 1)
    return sorted(found, key=lambda one: one.start)


def _is_id(number: str) -> bool:
    # GB 11643-1999: ISO 7064 mod 11-2 over the first 17 digits, and a month and day inside.
    total = sum(int(d) * w for d, w in zip(number[:17], _WEIGHTS, strict=True))
    month, day = int(number[10:12]), int(number[12:14])
    return "10X98765432"[total % 11] == number[17].upper() and 1 <= month <= 12 and 1 <= day <= 31


def name_of_two(value: str) -> str:
    """A value as a personal name of two characters, without a blank between them; else nothing.

    Examples
    --------
    >>> name_of_two("张　三"), name_of_two("其他"), name_of_two("王小明")
    ('张三', '', '')
    """
    name = "".join(value.split())
    is_name = len(name) == 2 and name[0] in _SURNAMES and name[1] not in "某氏姓总"
    return name if is_name and _HAN.fullmatch(name[1]) and name not in _WORDS else ""


def is_named(before: str, after: str) -> bool:
    """Whether two characters are the name of a person, and not inside words, from what is around.

    They are between characters that are no Chinese ones, after 申请人 and the like, and before 先生
    and the like; a less certain word on one side is enough where the other side is bare.

    Examples
    --------
    >>> is_named("| 1 | ", " |"), is_named("申请人", "的"), is_named("云", "的")
    (True, True, False)
    """
    bare_left, bare_right = not _HAN.search(before[-1:]), not _HAN.match(after)
    return (
        (bare_left and bare_right)
        or bool(_CALLED.search(before) or _TITLED.match(after))
        or (bare_left and bool(_DOES.match(after)))
        or (bare_right and bool(_TO.search(before)))
    )


def hide(text: str) -> str:
    """A text with the personal data that can be recognised in it replaced by its kind.

    Examples
    --------
    >>> hide("请回电13812345678")
    '请回电〔手机号码〕'
    """
    parts, end = [], 0
    for one in find(text):
        if one.start >= end:
            parts += [text[end : one.start], f"〔{one.kind}〕"]
            end = one.end
    return "".join(parts) + text[end:]


@dataclass(frozen=True)
class Pseudonyms:
    """Keyed pseudonyms: the same person gets the same one, and nobody without the key can tell who.

    Parameters
    ----------
    key : bytes
    of_session : bool
        Whether the key was drawn for this session, so that pseudonyms differ from the next one's.
    """

    key: bytes
    of_session: bool = False

    def __call__(self, column: str, value: str) -> str:
        """The pseudonym of one value of one column, such as ``申请人-7f3a91c2``."""
        # A number's plain digest is found by trying all numbers; a keyed one is not.
        told = hmac.digest(self.key, f"{column}\0{value}".encode(), "sha256")
        return f"{column}-{told[:6].hex()}"

    @classmethod
    def of_this_session(cls) -> Pseudonyms:
        """A key that nobody keeps."""
        return cls(secrets.token_bytes(32), of_session=True)

    @classmethod
    def from_environment(cls) -> Pseudonyms:
        """The key in the file that ``REPORTKIT_PRIVACY_KEY_FILE`` names, or one for the session.

        Raises
        ------
        InputError
            ``privacy-key``: the file is not there, too short, or open to others.
        """
        name = os.environ.get(KEY_VARIABLE)
        if not name:
            return cls.of_this_session()
        path = Path(name)
        try:
            key, mode = path.read_bytes().strip(), path.stat().st_mode
        except OSError as error:
            message = f"{KEY_VARIABLE} names {name}, which cannot be read: {error.strerror}"
            raise InputError("privacy-key", message) from None
        if len(key) < 32 or mode & 0o077:
            message = f"{name} must hold at least 32 bytes and be readable by its owner only (0600)"
            raise InputError("privacy-key", message)
        return cls(key)
