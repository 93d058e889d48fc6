"""Forms that are mostly personal, and may be something else in a text for the public.

Source: GA 36-2018 (number plates).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reportkit.persons.numbers import PROVINCES, Found, is_day
from reportkit.persons.plain import HAN

if TYPE_CHECKING:
    from collections.abc import Iterator

# Characters that names of other languages are written with; of place names one is none of them.
_SOUNDS = frozenset(
    "阿艾安奥巴白拜班贝本比别宾波伯勃布查达丹道德邓狄迪蒂丁东都杜多顿厄恩尔法菲费芬弗佛夫福盖甘戈格葛根古哈海"
    "汉汗翰豪赫亨胡华霍基吉济加贾江杰金卡凯坎康柯科克肯库奎拉莱兰朗劳勒雷蕾黎里力利丽莉莲列林琳留龙卢鲁路露"
    "伦罗洛吕马玛迈麦曼芒毛梅门蒙米密敏明摩莫默姆穆木拿娜纳奈南内能妮尼涅宁诺努欧帕潘佩彭皮匹普奇齐切钦琼丘"
    "曲热仁日茹汝若萨赛桑瑟森沙莎山珊尚史士斯丝苏孙索塔泰坦汤特提甜廷图吐托瓦万旺威维韦魏温文沃乌吾伍西锡夏"
    "先香肖谢辛欣休许雅亚延扬耶也依伊易因英尤于约再扎泽詹哲珍芝治朱兹卓孜祖佐才次仓措丹顿多嘉旦坚晋觉仲拥"
    "买买合不尕麦吐苏提力帕夏孜拜尔艾再热"
)
PAPERS = "护照|通行证|回乡证|台胞证|台湾居民|居住证|身份证|证件|签证|港澳"
PHONES = "电话|座机|联系方式|拨打"
PLATES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
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
        ("证件号码", rf"{_LETTERS}[A-Z]{{1,3}}[0-9]{{6,10}}{_END}", PAPERS),
        ("证件号码", rf"{_LETTERS}[0-9]{{8,10}}(?:\([A-Z0-9]{{1,2}}\)|{_END})", PAPERS),
        (
            "银行卡号",
            rf"{_LETTERS}(?:[0-9][ -]?){{11,18}}[0-9]{_END}",
            "银行卡|卡号|账号|帐号|账户|帐户|信用卡",
        ),
        (
            "车牌号码",
            rf"[{PLATES}使领][A-HJ-NP-Z][·. -]?(?=[A-Z]?[0-9][A-Z]?[0-9]|[A-Z]{{2}}[0-9]{{2}})"
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
            PHONES,
        ),
    )
]
_OLD_IDENTITY = re.compile(rf"{_LETTERS}[1-8][0-9]{{14}}{_END}")
_DOTTED = re.compile(rf"[{HAN}]{{1,12}}(?:·[{HAN}]{{1,12}}){{1,3}}")


def others(plain: str) -> Iterator[Found]:
    """Forms that may be something else in a text for the public."""
    for kind, pattern, words in _OTHERS:
        for match in pattern.finditer(plain):
            start = match.start()
            if words is None or words.search(plain, max(0, start - 20), start):
                yield Found(kind, start, match.end(), certain=False)
    for match in _OLD_IDENTITY.finditer(plain):
        number = match[0]
        if number[:2] in PROVINCES and is_day(1900 + int(number[6:8]), number[8:12]):
            yield Found("证件号码", *match.span(), certain=False)
    for match in _DOTTED.finditer(plain):
        # 请向买买提·艾力核实: only characters that write such sounds belong to the name.
        at = match[0].index("·")
        start, end = at, len(match[0])
        while start and match[0][start - 1] in _SOUNDS:
            start -= 1
        while end > at and match[0][end - 1] not in _SOUNDS:
            end -= 1
        if at - start >= 2 and end - at >= 3 and set(match[0][start:end]) <= _SOUNDS | {"·"}:
            yield Found("姓名", match.start() + start, match.start() + end, certain=False)
