"""Charts: round ticks, points where they belong, well-formed SVG."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.core.errors import ShapeError
from striate.explain.charts import line_chart, nice_ticks
from striate.explain.confusion import _LEFT, _luminance, confusion_chart, confusion_matrix

FINITE = st.floats(-1e12, 1e12)


@given(FINITE, FINITE)
def test_ticks_are_round_even_and_around_the_values(a: float, b: float):
    low, high = min(a, b), max(a, b)
    ticks = nice_ticks(low, high)
    assert 2 <= len(ticks) <= 8
    step = ticks[1] - ticks[0]
    assert step > 0
    np.testing.assert_allclose(np.diff(ticks), step, rtol=1e-6)
    mantissa = step / 10.0 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(mantissa - m) for m in (1, 2, 5)) < 1e-6
    slack = 1e-6 * step
    assert ticks[0] <= low + slack and high - slack <= ticks[-1]


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.4, 0.9, [0.4, 0.5, 0.6, 0.7, 0.8, 0.9]),
        (-3, 12, [-5, 0, 5, 10, 15]),
        (0.8123, 0.8124, [0.8123, 0.81232, 0.81234, 0.81236, 0.81238, 0.8124]),
        (math.nan, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
    ],
)
def test_some_ticks(low, high, ticks):
    assert nice_ticks(low, high) == ticks


def parts(svg: str, kind: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter(kind))


def test_a_line_goes_through_its_values():
    svg = line_chart({"training": [0.0, 0.5, 1.0]}, "accuracy", width=400, height=300)
    (line,) = parts(svg, "polyline")
    points = [tuple(map(float, p.split(","))) for p in line.attrib["points"].split()]
    (x0, y0), (x1, y1), (x2, y2) = points
    assert x1 - x0 == pytest.approx(x2 - x1) and y0 - y1 == pytest.approx(y1 - y2)
    assert 0 < x0 < x2 < 400 and 0 < y2 < y0 < 300
    told = ElementTree.fromstring(svg).attrib["aria-label"]
    assert told == "accuracy: training from 0 to 1"


def test_gaps_single_points_and_nothing():
    svg = line_chart({"a": [1.0, math.nan, 2.0, 3.0, math.inf]}, "loss")
    assert len(parts(svg, "polyline")) == 1 and len(parts(svg, "circle")) == 3
    assert len(parts(line_chart({"a": [1.0]}, "loss"), "circle")) == 1
    assert parts(line_chart({}, "loss"), "polyline") == []
    assert parts(line_chart({"a": [math.nan]}, "loss"), "circle") == []


def test_spread_is_a_bar_around_each_value_beside_those_of_other_series():
    series = {"frozen": [0.5, 0.75], "scratch": [0.25, math.nan]}
    spread = {"frozen": [0.25, 0.0], "scratch": [0.125, 0.125]}
    svg = line_chart(series, "accuracy", "images", height=300, x_names=["10", "500"], spread=spread)
    at, dots = {}, parts(svg, "circle")
    for group in ElementTree.fromstring(svg).iter("g"):
        bars = [line.attrib for line in group if line.tag == "line" and "stroke" not in line.attrib]
        at.setdefault(group.attrib["class"], []).extend([float(b[k]) for k in ("x1", "x2", "y1", "y2")] for b in bars)
    (first, second), (other,) = at["series-0"], at["series-1"]
    assert first[0] == first[1] and first[2] > first[3] and second[2] == pytest.approx(second[3])
    centres = [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in dots]
    assert centres[0] == pytest.approx((first[0], (first[2] + first[3]) / 2), abs=0.11)  # tenths of pixels are written
    assert other[0] - first[0] == pytest.approx(5) and other[2] - other[3] == pytest.approx(
        (first[2] - first[3]) / 2, abs=0.2
    )
    assert {"10", "500"} < {text.text for text in parts(svg, "text")}
    assert max(first[2], other[2]) < 300 and "0.2" in {text.text for text in parts(svg, "text")}


def test_a_level_is_dashed_and_inside():
    svg = line_chart({"a": [0.1, 0.2]}, "accuracy", levels={"test": 0.9, "none": math.nan}, height=300)
    dashed = [line for line in parts(svg, "line") if "stroke-dasharray" in line.attrib]
    assert len(dashed) == 2  # in the legend, across
    assert 0 < float(dashed[-1].attrib["y1"]) < 100
    assert {"a", "test"} <= {t.text for t in parts(svg, "text")} and "none" not in {t.text for t in parts(svg, "text")}


def test_many_epochs_and_many_names_do_not_run_into_each_other():
    svg = line_chart({f"a rather long name {i}": np.linspace(0, i, 500) for i in range(6)}, "loss", width=400)
    assert parts(svg, "circle") == []
    texts = [(float(t.attrib["x"]), float(t.attrib["y"]), t.text or "") for t in parts(svg, "text")]
    axis = sorted(
        float(t.attrib["x"]) for t in parts(svg, "text") if (t.text or "").isdigit() and "middle" in t.attrib.values()
    )
    assert len(axis) <= 12 and min(np.diff(axis)) > 24
    for x, y, text in texts:
        for other_x, other_y, _ in texts:
            if other_y == y and other_x > x and "name" in text:
                assert x + 5.5 * len(text) < other_x


def test_names_are_escaped():
    svg = line_chart({"<script>": [1.0, 2.0]}, "a & b")
    assert "<script>" not in svg and {"<script>", "a & b"} <= {t.text for t in parts(svg, "text")}


def test_confusion_matrix_counts():
    got = confusion_matrix(np.array([0, 0, 1, 2, 2]), np.array([0, 1, 1, 0, 2]), 3)
    np.testing.assert_array_equal(got, [[1, 1, 0], [0, 1, 0], [1, 0, 1]])
    assert confusion_matrix(np.array([]), np.array([]), 2).tolist() == [[0, 0], [0, 0]]
    with pytest.raises(ShapeError, match="2 labels and 1 predictions"):
        confusion_matrix(np.array([0, 1]), np.array([0]), 2)
    with pytest.raises(ShapeError, match=r"classes 0 to 1\. Received classes 0 to 2"):
        confusion_matrix(np.array([0, 2]), np.array([0, 0]), 2)


def test_confusion_chart_shows_every_count():
    counts = np.array([[90, 10, 0], [0, 100, 0], [5, 15, 80]])
    names = ["cat", "<dog>", "a name longer than a row has room for"]
    svg = confusion_chart(counts, names)
    told = [t.text for t in parts(svg, "title")]
    assert told[:2] == ["cat, called cat: 90 (90.0%)", "cat, called <dog>: 10 (10.0%)"] and len(told) == 9
    shown = [t.text for t in parts(svg, "text")]
    assert [t for t in shown if t and t.isdigit()] == ["90", "10", "100", "5", "15", "80"]
    assert "a name longer t…" in shown
    opacity = [float(r.attrib["fill-opacity"]) for r in parts(svg, "rect")]
    assert opacity[4] == 1 and opacity[0] > opacity[1] > opacity[2] > 0
    assert ElementTree.fromstring(svg).attrib["aria-label"].endswith("270 of 300 are on the diagonal")


@pytest.mark.parametrize("share", np.linspace(0, 1, 21))
def test_numbers_can_be_read_on_their_cells(share: float):
    """Contrast of 4.5 on a light page (white) and a dark one (#16161a), with the inks of the page's style."""
    n = 1000
    counts = np.zeros((2, 2), int)
    counts[0] = [round(n * share), n - round(n * share)]
    for cell in ElementTree.fromstring(confusion_chart(counts, ["a", "b"])).iter("g"):
        rect, number = cell.find("rect"), cell.find("text")
        if number is None or rect is None:
            continue
        colour = [int(c) for c in rect.attrib["fill"][4:-1].split(",")]
        opacity = float(rect.attrib["fill-opacity"])
        inks = {"on-light": (0, 255), "on-deep": (255, 255), "on-bright": (0, 0)}[number.attrib["class"]]
        for ground, ink in zip((255, 22), inks, strict=True):
            behind = _luminance([ground + (c - ground) * opacity for c in colour])
            one, other = sorted((behind, _luminance([ink] * 3)))
            assert (other + 0.05) / (one + 0.05) >= 4.5
        assert float(number.attrib["x"]) > _LEFT
