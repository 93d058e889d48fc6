"""Personal names: their shape, and the words around them that show them to be names."""

from __future__ import annotations

import re

from reportkit.persons.plain import HAN

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
# Last characters of offices and places: 林业局 is no person.
_OFFICES = frozenset("局委办处科厅院站所队部室镇乡街村县市省厂店")
_IS_HAN = re.compile(f"[{HAN}]")
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
