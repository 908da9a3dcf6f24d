"""Elements: escaping by itself, and well-formed whatever is put in."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from striate.explain.markup import _CONTROL, Markup, element, joined, text


def test_elements():
    assert element("p", "a < b & c", element("b", 1)) == "<p>a &lt; b &amp; c<b>1</b></p>"
    assert element("img", src="x", alt='"quoted"', class_="y") == '<img src="x" alt="&quot;quoted&quot;" class="y"/>'
    assert element("p") == "<p></p>"
    assert element("rect", element("title", "x")) == "<rect><title>x</title></rect>"
    assert element("line", x1=1.25, x2=3.0, stroke_width=2, dash=None) == '<line x1="1.2" x2="3" stroke-width="2"/>'
    assert element("p", None, "a", None) == "<p>a</p>"
    assert joined(element("i"), "<") == "<i></i>&lt;"


def test_what_was_escaped_is_not_escaped_again():
    once = text("<b>")
    assert once == "&lt;b&gt;" and text(once) is once
    # Text put together outside an element is text again: forgetting an element cannot open a hole.
    assert not isinstance("" + once, Markup)


@given(st.text(), st.text())
def test_any_text_comes_back(inner: str, attribute: str):
    tree = ElementTree.fromstring(element("p", inner, title=attribute))
    assert (tree.text or "") == _CONTROL.sub("\ufffd", inner).replace("\r", "\n")  # as XML reads the ends of lines
    assert len(tree) == 0 and set(tree.attrib) == {"title"}
