"""Pages for analysts, auditors and operators are there in both languages, and say the same."""

import re
from io import BytesIO
from pathlib import Path

import pytest
import yaml
from babel.messages.pofile import read_po
from chinese import Translator
from reference import PAGES

from reportkit.language.catalogue import FOLDER

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
# How the program is made, for those who read its code.
ENGLISH_ONLY = {
    f"explanation/{name}.md"
    for name in ("architecture", "benchmarks", "decisions", "packages", "rap", "warm")
}
CHINESE = {path.relative_to(DOCS / "zh").as_posix() for path in (DOCS / "zh").rglob("*.md")}
HAN = re.compile("[\u4e00-\u9fff]")
BLOCK = re.compile(r"^ *```([^\n]*)\n(.*?)^ *```$", flags=re.M | re.S)


def test_each_page_is_there_in_both_languages():
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    english = {page for page in pages if not page.startswith("zh/")}
    assert english - CHINESE == ENGLISH_ONLY
    assert CHINESE - english == set()


def texts(page: str) -> tuple[str, str]:
    return (DOCS / page).read_text("utf-8"), (DOCS / "zh" / page).read_text("utf-8")


def bare(kind: str, block: str) -> list[str]:
    """Lines of a block without what is told to a reader: comments, and what a command prints."""
    lines = [line.strip() if kind == "console" else line for line in block.splitlines()]
    if kind == "console":
        lines = [line for line in lines if line.startswith("$ ")]
    return [re.sub(r"(^| +)# .*", "", line).rstrip() for line in lines]


@pytest.mark.parametrize("page", sorted(CHINESE))
def test_blocks_of_code_are_the_same_but_for_comments(page: str):
    english, chinese = (BLOCK.findall(text) for text in texts(page))
    assert [kind for kind, _ in chinese] == [kind for kind, _ in english]
    for (kind, one), (_, other) in zip(english, chinese, strict=True):
        if kind != "text":
            assert bare(kind, other) == bare(kind, one)


def shape(text: str) -> list[str]:
    """Return headings, rows, items, paragraphs and blocks of code in the order of the page."""
    prose = BLOCK.sub("\n```\n", text)
    blocks = re.split(r"\n\s*\n", prose.strip())
    kinds = r" *(#+|\|(?= )|-|\d+\.|```)"
    return [
        found[1] if (found := re.match(kinds, line)) else "paragraph"
        for block in blocks
        for number, line in enumerate(block.splitlines())
        if number == 0 or re.match(r" *(\| |- |\d+\. )", line)
    ]


@pytest.mark.parametrize("page", sorted(CHINESE))
def test_headings_rows_and_paragraphs_stand_in_the_same_order(page: str):
    english, chinese = texts(page)
    assert shape(chinese) == shape(english)


@pytest.mark.parametrize("page", sorted(CHINESE))
def test_links_lead_to_the_same_pages(page: str):
    english, chinese = (
        {link.removeprefix("../") for link in re.findall(r"\]\((?!http)([^)#]+\.md)", text)}
        for text in texts(page)
    )
    for_readers_of_code = {name.rpartition("/")[2] for name in ENGLISH_ONLY}
    kept = {link for link in english if link.rpartition("/")[2] not in for_readers_of_code}
    assert chinese == kept


def test_readers_of_chinese_are_reported_where_english_begins():
    text = (ROOT / "README.zh-CN.md").read_text("utf-8")
    elsewhere = re.findall(r"\]\((docs/(?!zh/|pictures/)[^)]*)\)(.{0,4})", text)
    assert [link for link, after in elsewhere if "英文" not in after] == []


def test_a_block_that_differs_is_found():
    assert bare("yaml", "a: 1 # one\n# two\n") == bare("yaml", "a: 1 # 一\n# 二\n")
    assert bare("yaml", "a: 1\n") != bare("yaml", "a: 2\n")
    assert bare("console", "$ make docs  # so\nbuilt\n") == bare("console", "$ make docs # 这样\n")
    page = "# A\n\nb\nc\n\n- d\n  e\n- f\n\n| g |\n|---|\n| h |\n"
    assert shape(page) == ["#", "paragraph", "-", "-", "|", "|"]


@pytest.mark.parametrize("page", sorted(CHINESE))
def test_chinese_pages_have_no_english_sentence(page: str):
    prose = re.sub(r"``.*?``|`[^`]*`|\]\([^)]*\)", "", BLOCK.sub("", texts(page)[1]))
    assert re.findall(r"\b[a-z]{2,} [a-z]{2,} [a-z]{2,}", prose) == []


def test_what_commands_print_is_said_as_they_say_it():
    messages = read_po(BytesIO((FOLDER / "zh/LC_MESSAGES/reportkit.po").read_bytes()))
    said = [re.sub(r"\{[^{}]*\}", "\0", str(one.string)) for one in messages if one.id]
    result = [re.escape(text).replace("\0", ".*") for text in said if len(HAN.findall(text)) > 1]
    pattern = re.compile("|".join(result))
    lines = [
        line
        for page in CHINESE
        for kind, block in BLOCK.findall(texts(page)[1])
        for line in block.splitlines()
        if kind in ("text", "console") and not line.lstrip().startswith("$ ") and HAN.search(line)
        if line not in texts(page)[0]  # the same in both languages, such as the words of a rule
    ]
    assert len(lines) > 20
    assert [line for line in lines if not pattern.search(line)] == []


def test_reference_pages_are_put_into_chinese_whole():
    translator = Translator()
    for name in PAGES:
        english, chinese = texts(f"reference/{name}")
        assert chinese == translator.page(english), "give `make reference`"
    assert translator.unused == set(), "tools/chinese.yaml translates what nothing says"


def test_text_without_a_translation_is_refused():
    with pytest.raises(SystemExit, match="does not translate: Nobody has said this"):
        Translator().page("# Rules\n\nNobody has said this.\n")


def test_both_parts_of_the_site_are_set_up_alike():
    english, chinese = (
        yaml.load((ROOT / name).read_text("utf-8"), yaml.BaseLoader)
        for name in ("mkdocs.yml", "mkdocs.zh.yml")
    )
    for name in ("markdown_extensions", "validation", "strict", "site_name"):
        assert english[name] == chinese[name]
    menus = [re.findall(r"[\w/-]+\.md", str(one["nav"])) for one in (english, chinese)]
    assert [page for page in menus[0] if page not in ENGLISH_ONLY] == menus[1]


def chinese_texts() -> dict[str, str]:
    """Every text in Chinese that people read, by its file."""
    source = ROOT / "src/reportkit"
    paths = [
        *(DOCS / "zh").rglob("*.md"),
        *source.rglob("*.j2"),
        *source.rglob("*.html"),
        *source.rglob("*.js"),
        *(source / "checks").glob("*.yaml"),
        *source.glob("forms/*/*.yaml"),
        *(source / "scaffold/texts").iterdir(),
        *(ROOT / "notebooks").glob("*.ipynb"),
        ROOT / "README.zh-CN.md",
    ]
    output = {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in paths}
    messages = read_po(BytesIO((FOLDER / "zh/LC_MESSAGES/reportkit.po").read_bytes()))
    return output | {"reportkit.po": "\n".join(str(one.string) for one in messages if one.id)}


def test_one_word_in_chinese_for_each_term():
    terms = yaml.safe_load((ROOT / "tools/terms.yaml").read_text("utf-8"))
    others = {name: one["not"] for name, one in terms.items() if "not" in one}
    texts = chinese_texts()
    assert len(texts) > 80
    found = [
        (name, of, match[0])
        for of, text in texts.items()
        for name, pattern in others.items()
        for match in re.finditer(pattern, text)
    ]
    assert found == []


def test_signs_in_chinese_texts_are_full_width():
    """No half-width comma, colon or bracket between characters, and no two full stops."""
    han = "[\u4e00-\u9fff]"
    half = re.compile(rf"{han}[,;:!](?={han})|{han}\({han}|。。|，，")
    messages = chinese_texts()["reportkit.po"]
    pages = {page: BLOCK.sub("", texts(page)[1]) for page in CHINESE}
    found = {page: half.findall(re.sub("`[^`]*`", "…", text)) for page, text in pages.items()}
    found["reportkit.po"] = half.findall(messages)
    assert {page: one for page, one in found.items() if one} == {}
