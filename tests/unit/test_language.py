"""Texts in the reader's language: messages, and the catalogue of what they are translated by."""

import ast
import gettext
import json
import os
import pickle
import re
import string
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import catalogue
import click
import pytest
from babel.messages.pofile import read_po

from reportkit.cli.language import use_language
from reportkit.errors import InputError
from reportkit.language import Message, joined
from reportkit.language.catalogue import FOLDER, translator
from reportkit.language.message import (
    SEMICOLON,
    first_lines,
    of_library,
    packed,
    translated,
    unpacked,
)

CHINESE = translator("zh")
PLACE = FOLDER / "zh/LC_MESSAGES"
PO = read_po(BytesIO((PLACE / "reportkit.po").read_bytes()), "zh")
ENTRIES = [entry for entry in PO if entry.id]


def holes(text: str) -> set[str]:
    """Names that a text joins values for."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_text_is_translated_and_none_besides():
    ours = {
        entry.id for entry in ENTRIES if any(p[0][:4] in ("src/", "tool") for p in entry.locations)
    }
    assert ours == set(catalogue.texts())
    of_click = {text if isinstance(text, str) else text[0] for text in catalogue.texts_of_click()}
    assert of_click <= {e.id if isinstance(e.id, str) else e.id[0] for e in ENTRIES}
    wanting = [e.id for e in ENTRIES if not e.string or not all(e.string) or e.fuzzy]
    assert wanting == []


def texts_of(path: Path) -> Iterator[str]:
    """Literal texts that a file gives to errors and messages, found in another way."""
    for call in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
            at = {"Message": 0, "template": 0}.get(
                call.func.id, 1 if "Error" in call.func.id else 9
            )
            if at < len(call.args) and isinstance(call.args[at], ast.Constant):
                yield str(call.args[at].value)


def test_no_text_of_the_source_is_passed_over():
    paths = sorted((Path(catalogue.ROOT) / "src").rglob("*.py"))
    texts = {text for path in paths for text in texts_of(path) if re.search("[a-z]", bare(text))}
    assert len(texts) > 800
    assert texts <= set(catalogue.texts())


def bare(text: str) -> str:
    """Return a text without its holes."""
    return re.sub(r"\{[^{}]*\}", "", text)


def test_a_translation_has_the_same_holes():
    for entry in ENTRIES:
        if entry.pluralizable:
            assert holes(entry.string[0]) <= holes(entry.id[0]) | holes(entry.id[1]), entry.id
        elif re.search("librar(?:ies|y_texts)", entry.locations[0][0]):
            # Most are whole sentences, with any signs.
            assert set(re.findall(r"\{\w+\}", entry.string)) <= set(
                re.findall(r"\{\w+\}", entry.id)
            )
        elif entry.locations[0][0].startswith("click"):
            # Its words for kinds of values are English, and left out.
            assert holes(entry.string) <= holes(entry.id), entry.id
        else:
            assert holes(entry.string) == holes(entry.id), entry.id


def test_the_compiled_catalogue_is_of_its_source():
    assert (PLACE / "reportkit.mo").read_bytes() == catalogue.as_mo(PO)


def test_a_message_is_english_to_programs_and_chinese_to_readers():
    message = Message(
        "{file} is damaged: {problem}; open it in Excel or WPS and save it again",
        file="甲.xlsx",
        problem=Message("it has two values"),
    )
    assert (
        message
        == "甲.xlsx is damaged: it has two values; open it in Excel or WPS and save it again"
    )
    assert message.translated(CHINESE) == "甲.xlsx已损坏：有两个值；请用Excel或WPS打开后重新保存"


def test_an_error_is_reported_in_the_language_of_its_reader():
    fault = ValueError(Message("'{letters}' is no column", letters="{1"))
    error = InputError(
        "ledger-unreadable", "{file} cannot be read: {problem}", problem=fault, file="a.ods"
    )
    there = pickle.loads(pickle.dumps(error))
    assert str(there) == "a.ods cannot be read: '{1' is no column [ledger-unreadable; file a.ods]"
    expected = "a.ods不能读取：“{1”不是列号 [ledger-unreadable；文件 a.ods]"
    assert translated(str(there), CHINESE) == expected


def test_joined_texts_are_translated_one_by_one():
    texts = joined(SEMICOLON, [Message("it has two values"), "{a}", Message("is too long")])
    assert texts == "it has two values; {a}; is too long"
    assert translated(texts + "\n甲", CHINESE) == "有两个值；{a}；太长\n甲"
    assert translated("甲\n" + first_lines(texts + "\n乙", 1), CHINESE) == "甲\n有两个值；{a}；太长"
    assert translated(joined("", []), CHINESE) == ""


def test_a_message_comes_back_from_json_and_is_reported():
    message = InputError(
        "a", "{file} cannot be read: {problem}", file="甲", problem=of_library("x {")
    )
    text = joined(SEMICOLON, [message.message, Message("{count} to go", count=3)])
    back = unpacked(json.loads(json.dumps(packed(text))))
    assert back == "甲 cannot be read: x {; 3 to go"
    assert translated(back, CHINESE) == "甲不能读取：原文：x {；还有3份"


@pytest.mark.parametrize("setting", [{"LANGUAGE": "zh"}, {"LANG": "zh_CN.UTF-8"}])
def test_a_notebook_shows_errors_in_the_language_around_it(setting, monkeypatch):
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    error = InputError("ledger-missing", "{name} is not in {data}", name="甲", data="乙", line=3)
    assert error._render_traceback_() == [
        "InputError: 乙中没有甲",
        "  行号：3",
        "  原因代码：ledger-missing",
        "下一步：请改正后从第一格起重新执行笔记本；`reportkit intake`一次列出台账的全部问题",
    ]


@pytest.mark.parametrize(
    ("words", "locale", "language"),
    [
        ([], {}, "en"),
        ([], {"LANG": "zh_CN.UTF-8"}, "zh"),
        ([], {"LC_ALL": "C", "LANG": "zh_CN"}, "en"),
        (["--lang", "zh", "run"], {}, "zh"),
        (["--lang=en"], {"LC_MESSAGES": "zh_TW"}, "en"),
        (["--lang", "fr"], {"LANG": "zh"}, "zh"),
        (["run", "--lang", "zh"], {}, "en"),
    ],
)
def test_one_language_is_chosen_for_all(words, locale, language, monkeypatch):
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in locale.items():
        monkeypatch.setenv(name, value)
    group = click.Group("g", help="Report year.")
    use_language(group, words)
    assert (os.environ["LANGUAGE"], group.help) == (
        (language, "报告年度。") if language == "zh" else (language, "Report year.")
    )
    gettext.textdomain("messages")
