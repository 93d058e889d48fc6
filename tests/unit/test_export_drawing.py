"""Drawings inside a page: only shapes, with ids of their own."""

import re

import pytest

from reportkit.errors import ExportError
from reportkit.export.drawing import clean

OPEN = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
OPEN += 'viewBox="0 0 9 9" width="9pt" height="9pt">'


def svg(inside):
    return f'<?xml version="1.0"?>{OPEN}{inside}</svg>'


def test_two_drawings_share_no_id():
    drawing = svg(
        '<defs><clipPath id="p1"><rect width="1" height="1"/></clipPath></defs>'
        '<g id="figure_1" clip-path="url(#p1)"><use xlink:href="#p1"/></g>'
    )
    one, two = clean(drawing, "one"), clean(drawing, "two")
    ids = [set(re.findall(r'id="([^"]+)"', text)) for text in (one, two)]
    assert ids == [{"one-p1"}, {"two-p1"}]  # nothing points to figure_1
    assert 'clip-path="url(#one-p1)"' in one
    assert 'href="#one-p1"' in one


def test_the_page_sets_the_size_and_the_drawing_style():
    made = clean(svg("<style>*{stroke-linejoin: round; stroke-linecap: butt}</style><g/>"), "a")
    assert "<style" not in made
    assert 'stroke-linejoin="round"' in made
    assert not re.search(r'<svg[^>]* width="', made)
    assert 'viewBox="0 0 9 9"' in made


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        '<g onclick="alert(1)"/>',
        '<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">x</p></foreignObject>',
        '<image href="https://example.org/a.png"/>',
        '<image xlink:href="file:///etc/passwd"/>',
        '<a href="javascript:alert(1)"><path/></a>',
        '<path style="fill: url(https://example.org/a)"/>',
        "<style>@import 'https://example.org/a.css';</style>",
        "<style>body { display: none }</style>",
        '<animate attributeName="href" to="javascript:alert(1)"/>',
    ],
)
def test_anything_but_shapes_is_refused(inside):
    with pytest.raises(ExportError) as caught:
        clean(svg(inside), "outcomes")
    assert caught.value.reason == "drawing-unsafe"
    assert caught.value.fields["chart"] == "outcomes"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<svg>",
        "<p/>",
        '<svg xmlns="http://www.w3.org/2000/svg"/>',
        '<!DOCTYPE svg [<!ENTITY a "aa">]>' + OPEN + "&a;</svg>",
    ],
)
def test_what_is_no_drawing_is_refused(text):
    with pytest.raises(ExportError):
        clean(text, "outcomes")


def test_embedded_pictures_stay():
    made = clean(svg('<image href="data:image/png;base64,AAAA"/>'), "a")
    assert 'href="data:image/png;base64,AAAA"' in made
