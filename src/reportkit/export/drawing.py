"""Chart drawings: an SVG that is safe inside a page, beside others."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from reportkit.errors import ExportError
from reportkit.language import Message

_SVG = "http://www.w3.org/2000/svg"
_SHAPES = re.compile(
    "svg|g|defs|path|use|rect|circle|ellipse|line|polyline|polygon|text|tspan|clipPath|"
    "linearGradient|radialGradient|stop|pattern|image|marker"
)
_LONG = re.compile(r"-?\d+\.\d{3,}")
_EMBEDDED = re.compile(r"data:image/(png|jpeg);base64,")


def clean(svg: str, prefix: str) -> str:
    """Return a drawing of shapes only, with its ids made its own.

    Two drawings of matplotlib share ids (``figure_1`` …), so that the second would borrow the
    clip paths and glyphs of the first; scripts, styles for the whole page and addresses have no
    place in a document that must stay as it is for ever.

    Parameters
    ----------
    svg : str
        An SVG document.
    prefix : str
        What to put before each id, such as the chart's own id.

    Raises
    ------
    ExportError
        ``drawing-unsafe`` if it holds anything but shapes, or points outside itself.
    """
    if "<!ENTITY" in svg:
        raise _unsafe(prefix, Message("it declares entities"))
    try:
        root = ElementTree.fromstring(svg)  # noqa: S314 - ours, and without entities
    except ElementTree.ParseError as error:
        raise _unsafe(prefix, Message("it is not well-formed: {error}", error=error)) from None
    if root.tag != f"{{{_SVG}}}svg" or "viewBox" not in root.attrib:
        raise _unsafe(prefix, Message("it is no <svg> with a viewBox"))
    for parent in list(root.iter()):
        for child in list(parent):
            if _name(child.tag) == "style":
                root.attrib.update(_for_all(child.text or "", prefix))
            if _name(child.tag) in ("style", "metadata", "title", "desc"):
                parent.remove(child)
    used = set(re.findall(r"(?:url\(|href=\")#([^\")]+)", svg))
    for element in root.iter():
        element.text = (element.text or "").strip() or None
        element.tail = None
        if element.get("id") not in used:
            element.attrib.pop("id", None)  # nothing points to it
        element.tag = _name(element.tag)
        if not _SHAPES.fullmatch(element.tag):
            raise _unsafe(prefix, Message("it holds <{tag}>", tag=element.tag))
        attributes = {_name(key): value for key, value in element.attrib.items()}
        element.attrib.clear()
        for key, value in attributes.items():
            element.set(key, _attribute(key, value, prefix))
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.set("xmlns", _SVG)
    return ElementTree.tostring(root, encoding="unicode")


def _attribute(key: str, value: str, prefix: str) -> str:
    if key.lower().startswith("on"):
        raise _unsafe(prefix, Message("it holds {key}", key=key))
    if key == "id":
        return f"{prefix}-{value}"
    if key == "href" and not _EMBEDDED.match(value):
        if not value.startswith("#"):
            raise _unsafe(prefix, Message("it points to {value}", value=value[:60]))
        return f"#{prefix}-{value[1:]}"
    if re.search(r"url\((?!#)|@import|expression\(", value):
        raise _unsafe(prefix, Message("it points outside in {key}", key=key))
    if key == "d":  # a hundredth of a point is more than a printer shows
        value = " ".join(_LONG.sub(lambda found: f"{float(found[0]):.2f}", value).split())
    return value.replace("url(#", f"url(#{prefix}-")


def _for_all(css: str, prefix: str) -> dict[str, str]:
    """Return the attributes of a style sheet that has one rule, for all shapes."""
    # matplotlib sets the line ends of all shapes; as attributes of the root they are inherited
    # inside the drawing, and do not leak into the page.
    rule = re.fullmatch(r"\s*\*\s*\{([^{}]*)\}\s*", css)
    if rule is None:
        raise _unsafe(prefix, Message("it holds a style sheet"))
    pairs = (part.split(":", 1) for part in rule[1].split(";") if ":" in part)
    return {key.strip(): value.strip() for key, value in pairs}


def _name(tag: object) -> str:
    return str(tag).rpartition("}")[2]


def _unsafe(chart: str, reason: str) -> ExportError:
    return ExportError(
        "drawing-unsafe", "the drawing cannot be published: {reason}", reason=reason, chart=chart
    )
