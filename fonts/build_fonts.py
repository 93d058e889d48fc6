"""Make the five typefaces of reportkit-zwgk-fonts anew. For maintainers; users get them ready-made.

Needs fontTools (the lock has it) and one folder with these five files:

- FandolFang-Regular.otf and FandolKai-Regular.otf, version 0.3, from Debian's package
  texlive-lang-chinese (usr/share/texlive/texmf-dist/fonts/opentype/public/fandol/);
- NotoSerifSC_400Regular.ttf, NotoSerifSC_700Bold.ttf and NotoSansSC_500Medium.ttf, from the
  npm packages @expo-google-fonts/noto-serif-sc and @expo-google-fonts/noto-sans-sc, 0.4.3.

Run it as ``python build_fonts.py SOURCES OUTPUT``; it takes about a minute, and says for each file
whether it has the bytes of the shipped one.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from fontTools.misc.roundTools import otRound
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont, newTable

SHIPPED = Path(__file__).parent / "src" / "reportkit_fonts" / "fonts"

# ASCII, Latin-1 and Extended-A with pinyin, Greek, Cyrillic, punctuation, signs, CJK symbols,
# hanzi, full-width forms. Radicals and compatibility hanzi stay out: they look like hanzi, and text
# copied from a PDF would hold them in their place.
REPORT = [
    (0x20, 0x7E), (0xA0, 0x1DC), (0x2C7, 0x2C9), (0x391, 0x451), (0x2010, 0x20AB),
    (0x20AD, 0x254B), (0x25A0, 0x2642), (0x3000, 0x9FFF), (0xFF01, 0xFFE5),
]  # fmt: skip
# For the face that stands in for rare characters: all but radicals, kana, bopomofo, vertical and
# compatibility forms.
ALL = [(0x20, 0x2E7F), (0x3000, 0x3040), (0x3200, 0x9FFF), (0xFF00, 0xFFEF), (0x20000, 0x2FFFF)]
EXTRA = {ord(sign) for sign in "²³∋≅㎡"}
DATE = 3692217600  # 2021-01-01, in seconds since 1904


@dataclass(frozen=True)
class Face:
    """One typeface: where it comes from, its family, and the mark in its unique name."""

    source: str
    family: str
    mark: str = "reportkit-1"


FANG = Face("FandolFang-Regular.otf", "RK FangSong", "reportkit-subset-1")
KAI = Face("FandolKai-Regular.otf", "RK Kai", "reportkit-subset-1")
HEI = Face("NotoSansSC_500Medium.ttf", "RK Hei")
BIAOSONG = Face("NotoSerifSC_700Bold.ttf", "RK BiaoSong")
SONG = Face("NotoSerifSC_400Regular.ttf", "RK Song")


def within(font: TTFont, ranges: list[tuple[int, int]]) -> set[int]:
    """Return the font's characters that lie in the ranges."""
    return {c for c in font.getBestCmap() if any(first <= c <= last for first, last in ranges)}


def cut(font: TTFont, characters: set[int], *, features: list[str]) -> None:
    """Keep only these characters, and neither hinting, vertical metrics nor signature."""
    options = Options(
        drop_tables=["vhea", "vmtx", "VORG", "DSIG", "STAT"],
        glyph_names=False,
        hinting=False,
        layout_features=features,
        name_IDs=[*range(15), 16, 17],
        name_languages=[0x409],
        notdef_outline="CFF " in font,
        recalc_timestamp=False,
    )
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)


def to_truetype(font: TTFont) -> None:
    """Turn CFF outlines into TrueType ones, at most one unit (a thousandth of an em) away."""
    shapes = font.getGlyphSet()
    glyf = newTable("glyf")
    glyf.glyphOrder = font.getGlyphOrder()
    glyf.glyphs = {}
    for name in glyf.glyphOrder:
        pen = TTGlyphPen(shapes)
        shapes[name].draw(Cu2QuPen(pen, 1.0, reverse_direction=True))
        glyf.glyphs[name] = pen.glyph(round=otRound)
    font["glyf"] = glyf
    font["loca"] = newTable("loca")
    limits = font["maxp"]
    limits.tableVersion = 0x00010000
    for field in (
        "maxTwilightPoints", "maxStorage", "maxFunctionDefs", "maxInstructionDefs",
        "maxStackElements", "maxSizeOfInstructions", "maxComponentElements", "maxPoints",
        "maxContours", "maxCompositePoints", "maxCompositeContours", "maxComponentDepth",
    ):  # fmt: skip
        setattr(limits, field, 0)
    limits.maxZones = 1
    font["post"].formatType = 3.0
    del font["CFF "]
    font.sfntVersion = "\000\001\000\000"


def rename(font: TTFont, face: Face) -> None:
    """Give the face our family name (both licences want it), one style and a fixed date."""
    texts = {
        1: face.family,
        2: "Regular",
        3: f"{face.family};{face.mark}",
        4: face.family,
        6: face.family.replace(" ", "") + "-Regular",
        16: face.family,
        17: "Regular",
    }
    for record in font["name"].names:
        if record.nameID in texts:
            record.string = texts[record.nameID]
    font["OS/2"].usWeightClass = 400
    font["OS/2"].fsSelection = 0x40
    font["head"].macStyle = 0
    font["head"].created = font["head"].modified = DATE


def build(face: Face, characters: set[int], *, sources: Path, output: Path) -> bool:
    """Make one face; return whether it has the shipped bytes."""
    font = TTFont(sources / face.source, recalcBBoxes=False, recalcTimestamp=False)
    cff = "CFF " in font
    # In the Noto faces, vertical features would bring their glyphs back.
    features = ["*"] if cff else ["ccmp", "locl", "kern", "palt", "halt", "chws"]
    if not cff:
        del font["BASE"]
    cut(font, characters, features=features)
    if cff:
        to_truetype(font)
        font.recalcBBoxes = True
    rename(font, face)
    path = output / (face.family.replace(" ", "-") + ".ttf")
    font.save(path)
    shipped = SHIPPED / path.name
    same = shipped.is_file() and shipped.read_bytes() == path.read_bytes()
    print(f"{path.name}: {'the shipped bytes' if same else 'NOT the shipped bytes'}")
    return same


def main() -> int:
    """Make all five; return 1 if one differs from the shipped file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("sources", type=Path, help="folder with the five source files")
    parser.add_argument("output", type=Path, help="folder to write to")
    where = parser.parse_args()
    where.output.mkdir(parents=True, exist_ok=True)
    report = within(TTFont(where.sources / FANG.source), REPORT)
    same = [
        build(face, characters, sources=where.sources, output=where.output)
        for face, characters in (
            (FANG, report),
            (KAI, within(TTFont(where.sources / KAI.source), REPORT)),
            (HEI, report | EXTRA),
            (BIAOSONG, report | EXTRA),
            (SONG, within(TTFont(where.sources / SONG.source), ALL)),
        )
    ]
    return 0 if all(same) else 1


if __name__ == "__main__":
    sys.exit(main())
