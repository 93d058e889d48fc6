"""The pictures of the README, from the run of 湖里区 2020 that is in force (``make pictures``)."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pypdfium2
import reportkit_fonts
from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
RUN = ROOT / "outputs/huli/2020/current"
PICTURES = ROOT / "docs/pictures"
_PAGES = (0, 4, 5)
# A machine without Chinese typefaces draws empty boxes.
_FONTS = "<fontconfig><dir>/usr/share/fonts</dir><dir>{}</dir><cachedir>{}</cachedir></fontconfig>"
_GREY, _EDGE = (224, 226, 230), (176, 180, 186)


def main() -> None:
    """Write both pictures."""
    PICTURES.mkdir(exist_ok=True)
    save(pages(RUN / "report.pdf"), "report")
    save(page(RUN / "audit.html", "#fact=t3.granted.natural_person"), "audit")


def pages(pdf: Path) -> Image.Image:
    """The title page, table 3 and a page of charts, side by side."""
    document = pypdfium2.PdfDocument(pdf)
    shown = [document[number].render(scale=0.9).to_pil() for number in _PAGES]
    width, height = shown[0].size
    sheet = Image.new("RGB", (len(shown) * (width + 24) + 24, height + 48), _GREY)
    for number, one in enumerate(shown):
        left = 24 + number * (width + 24)
        sheet.paste(_EDGE, (left - 1, 23, left + width + 1, height + 25))
        sheet.paste(one, (left, 24))
    return sheet


def page(html: Path, fragment: str) -> Image.Image:
    """The audit page as somebody sees it who has chosen a number, in our own typefaces."""
    with TemporaryDirectory() as cache, sync_playwright() as playwright:
        config = Path(cache) / "fonts.conf"
        config.write_text(_FONTS.format(reportkit_fonts.folder(), cache), encoding="utf-8")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            env={**os.environ, "FONTCONFIG_FILE": str(config)},
        )
        shown = browser.new_page(viewport={"width": 1280, "height": 860})
        shown.goto(html.resolve().as_uri() + fragment)
        shown.wait_for_timeout(1500)
        picture = shown.screenshot()
        browser.close()
    return Image.open(io.BytesIO(picture)).convert("RGB")


def save(picture: Image.Image, name: str) -> None:
    """Write a picture as WebP, in few bytes."""
    picture.save(PICTURES / f"{name}.webp", quality=80, method=6)


if __name__ == "__main__":
    main()
