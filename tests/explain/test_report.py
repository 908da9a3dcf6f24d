"""The report: well-formed, self-contained, escaped, and about the run it is given."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

import striate
from striate.core.errors import ShapeError
from striate.explain.charts import COLOURS
from striate.explain.confusion import _luminance
from striate.explain.page import _STYLE, page, percent, probability
from striate.explain.report import RunReport

NAMES = ["T-shirt/top", "Trouser", "<b>Boot & Co</b>"]


@pytest.fixture(scope="module")
def report() -> RunReport:
    striate.utils.set_random_seed(1)
    model = striate.Sequential(
        [
            striate.Input((12, 12, 1)),
            striate.layers.Conv2D(70, 5, padding="same", activation="relu", name="<first>"),
            striate.layers.MaxPooling2D(2, name="pool"),
            striate.layers.Conv2D(4, 3, name="second"),
            striate.layers.Flatten(),
            striate.layers.Dense(3, activation="softmax"),
        ]
    )
    rng = np.random.default_rng(0)
    images = rng.random((50, 12, 12, 1), "float32")
    probabilities = np.asarray(model.predict(images, verbose=0))
    labels = probabilities.argmax(-1)
    labels[::5] = (labels[::5] + 1) % 3  # ten mistakes
    return RunReport(
        title="A <run>",
        facts={"model": "some & more", "<x>": 3},
        history={
            "accuracy": [0.5, 0.6],
            "val_accuracy": [0.4, float("nan")],
            "loss": [1.0, 0.9],
            "learning_rate": [1, 0],
        },
        images=images,
        labels=labels,
        probabilities=probabilities,
        class_names=NAMES,
        model=model,
    )


@pytest.fixture(scope="module")
def tree(report: RunReport) -> ElementTree.Element:
    return ElementTree.fromstring(report.html())


def words(node: ElementTree.Element) -> str:
    return " ".join("".join(node.itertext()).split())


def test_sections_in_order(tree):
    assert [words(h) for h in tree.iter("h2")] == [
        "Learning curves",
        "Which classes are taken for which",
        "The first 40 test images",
        "The worst mistakes",
        "What the first layer looks for: 70 filters",
        f"One garment on its way through the layers: {NAMES[_first_right(tree)]}",
    ]
    assert [words(h) for h in tree.iter("h3")] == ["<first>", "pool", "second"]


def _first_right(tree) -> int:
    alt = next(
        i.attrib["alt"] for i in tree.iter("img") if "called" not in i.attrib["alt"] and "Test image" in i.attrib["alt"]
    )
    return NAMES.index(alt.partition(": ")[2])


def test_what_it_says_is_so(tree, report):
    told = words(tree)
    assert "Of 50 test images, which the training never saw, the model called 40 by their right name: 80.0%." in told
    assert "Of the 10 mistakes" in told
    assert "70 maps of 12x12; map k is the picture seen through filter k of those above" in told
    assert "the first 64 are shown" in told
    assert "each neuron keeps the strongest answer of 2x2 places of one map" in told
    assert "each neuron sees 3x3 places of all maps of the layer before" in told
    assert report.facts["model"] in told
    charts = [svg.attrib["aria-label"] for svg in tree.iter("svg")]
    assert charts[0].startswith("accuracy: training images from 0.5 to 0.6, validation images from 0.4 to 0.4, test")
    assert charts[1].startswith("loss: ") and charts[2].startswith("Confusion matrix: 40 of 50")
    assert len(charts) == 3  # the learning rate is no curve of learning


def test_cards_tell_prediction_and_truth(tree, report):
    cards = [f for f in tree.iter("figure") if "card" in f.attrib.get("class", "")]
    assert len(cards) == 40 + 10
    said = report.probabilities.argmax(-1)
    for i, card in enumerate(cards[:40]):
        wrong = i % 5 == 0
        assert card.attrib["class"] == ("card wrong" if wrong else "card")
        assert words(card).startswith(f"{NAMES[said[i]]} {probability(report.probabilities[i].max())}")
        assert (f"true: {NAMES[report.labels[i]]}" in words(card)) == wrong
    worst = [int(re.search(r"image (\d+)", c.find("img").attrib["alt"]).group(1)) for c in cards[40:]]
    held = [report.probabilities[i, report.labels[i]] for i in worst]
    assert held == sorted(held) and all(i % 5 == 0 for i in worst)


def test_it_fetches_nothing_and_runs_nothing(tree, report):
    html = report.html()
    assert not re.search(r"https?:|@import|url\(|<script|<link|<iframe|onload|srcset", html)
    for node in tree.iter():
        for name, value in node.attrib.items():
            assert name not in ("href", "action") and (name != "src" or value.startswith("data:image/png;base64,"))
    policy = next(m.attrib["content"] for m in tree.iter("meta") if m.attrib.get("http-equiv"))
    assert policy.startswith("default-src 'none'")
    assert len(html.encode()) < 1_500_000


def test_it_is_html(report):
    open_elements: list[str] = []
    void = {"meta", "img", "br"}

    class Checker(HTMLParser):
        def handle_starttag(self, tag, attrs):
            assert len({k for k, _ in attrs}) == len(attrs)
            if tag not in void:
                open_elements.append(tag)

        def handle_startendtag(self, tag, attrs):
            assert tag in void or "svg" in open_elements

        def handle_endtag(self, tag):
            assert open_elements.pop() == tag

    html = report.html()
    assert html.startswith('<!DOCTYPE html>\n<html lang="en">')
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert open_elements == []


def test_every_picture_has_words(tree):
    pictures = list(tree.iter("img"))
    assert len(pictures) == 50 + 1 + 1 + 3
    assert all(p.attrib["alt"].strip() for p in pictures)
    assert all(svg.attrib["role"] == "img" and svg.attrib["aria-label"] for svg in tree.iter("svg"))
    assert all(d.attrib["aria-label"] for d in tree.iter("div") if d.attrib.get("class") == "wide")


def test_text_has_contrast_on_both_grounds():
    light, dark = (dict(re.findall(r"--(\w[\w-]*): (#\w+)", part)) for part in _STYLE.split("@media (prefers-color", 1))

    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
        return _luminance([int(digits[i : i + 2], 16) for i in (0, 2, 4)])

    for scheme in (light, dark):
        for ground in ("ground", "card"):
            for ink in ("ink", "soft", "good", "bad"):
                one, other = sorted((luminance(scheme[ground]), luminance(scheme[ink])))
                assert (other + 0.05) / (one + 0.05) >= 4.5, (ground, ink)
        for bar in ("bar", "bar-bad"):
            one, other = sorted((luminance(scheme["card"]), luminance(scheme[bar])))
            assert (other + 0.05) / (one + 0.05) >= 3
    assert COLOURS[0] == light["bar"]


def test_a_run_without_mistakes_model_or_history(report):
    few = replace(report, labels=report.probabilities.argmax(-1), model=None, history={})
    told = words(ElementTree.fromstring(few.html()))
    assert "None: every test image was called by its right name." in told
    assert "Learning curves" not in told and "filters" not in told and "most frequent mistake" not in told


def test_other_models_and_images(report):
    flat = striate.Sequential([striate.Input((12, 12, 1)), striate.layers.Flatten(), striate.layers.Dense(3)])
    ElementTree.fromstring(replace(report, model=flat).html())
    rng = np.random.default_rng(0)
    colour = striate.Sequential(
        [striate.Input((6, 6, 3)), striate.layers.Conv2D(2, 3), striate.layers.AveragePooling2D(2)]
    )
    images = rng.normal(size=(50, 6, 6, 3)).astype("float32")
    told = words(ElementTree.fromstring(replace(report, model=colour, images=images, garment=7).html()))
    assert "each neuron is the mean of 2x2 places" in told
    grey = replace(report, images=report.images[..., 0])
    assert words(ElementTree.fromstring(grey.html())) == words(ElementTree.fromstring(report.html()))


def test_numbers_that_do_not_fit_are_told(report):
    with pytest.raises(ShapeError, match=r"50 images and 3 classes .* Received shapes \(49,\) and \(50, 3\)"):
        replace(report, labels=report.labels[:49])
    with pytest.raises(ShapeError, match="0 images"):
        replace(report, images=report.images[:0])


def test_percents():
    assert [percent(s) for s in (0, 0.004, 0.5, 0.994, 0.9999, 1)] == ["0%", "<1%", "50%", ">99%", ">99%", "100%"]
    assert [probability(s) for s in (0, 0.5, 1)] == ["<1%", "50%", ">99%"]


def test_control_characters_do_not_break_a_page():
    ElementTree.fromstring(page("a\x00b", "\x1b[2J\x07"))
