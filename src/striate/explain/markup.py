"""HTML and SVG by elements: text is escaped by itself, and what comes out is well-formed XML too."""

from __future__ import annotations

import re
from html import escape

#: Elements without an end tag.
_VOID = frozenset(("img", "br", "meta", "line", "rect", "circle", "polyline", "polygon", "path"))
#: Characters that neither HTML nor XML may hold.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Markup(str):
    """Text that is markup already; any other text is escaped where it enters an element."""

    __slots__ = ()


def text(value: object) -> Markup:
    """Any value as text of a page: escaped, characters that no page may hold replaced."""
    return value if isinstance(value, Markup) else Markup(escape(_CONTROL.sub("\ufffd", str(value))))


def element(name: str, /, *children: object, **attributes: object) -> Markup:
    """`<name attribute="...">children</name>`.

    Args:
        name: of the element.
        children: markup, or text, which is escaped; None is left out.
        attributes: values are escaped; floats are written with one decimal, which is a tenth of a pixel; None is left
            out. `class_` is class, `stroke_width` is stroke-width.

    Example:
        >>> print(element("p", "a < b", element("b", 1), class_="soft"))
        <p class="soft">a &lt; b<b>1</b></p>
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(_number(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID and not children:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{joined(*children)}</{name}>")


def joined(*children: object) -> Markup:
    """Children one after the other, without an element around them."""
    return Markup("".join(text(child) for child in children if child is not None))


def _number(value: object) -> object:
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    return value
