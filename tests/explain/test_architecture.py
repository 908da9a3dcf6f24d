"""Architectures drawn: what is said is what the model is, blocks are found whatever their names, no text on another."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import striate
from striate import layers, models
from striate.applications.zoo import ZOO
from striate.backend import only_shapes
from striate.explain import plot_architecture
from striate.explain.anatomy import anatomy
from striate.explain.stacks import Stack, planes
from striate.models.measure import multiply_adds, receptive_field

SVG = "{http://www.w3.org/2000/svg}"
EVERY = pytest.mark.parametrize("name", ZOO)


def made(name: str) -> models.Model:
    with only_shapes():
        return ZOO[name].make()


def told(model: models.Model) -> list[tuple[int, str]]:
    return [(part.count, part.what) for part in anatomy(model)]


@EVERY
def test_the_parts_add_up_to_the_model_and_no_text_lies_on_another(name: str) -> None:
    model = made(name)
    parts = anatomy(model)
    assert sum(p.parameters for p in parts) == model.count_params()
    assert sum(p.multiply_adds for p in parts) == multiply_adds(model)
    assert max(p.field for p in parts if p.field) == receptive_field(model)
    assert parts[-1].shape == model.output_shape[1:]
    assert len(parts) <= 19, "a page's table"
    check_texts(plot_architecture(model))


def check_texts(drawn: str) -> None:
    root = ET.fromstring(drawn)
    width, height = (float(root.attrib[side]) for side in ("width", "height"))
    assert width <= 940
    boxes = []
    for text in root.iter(f"{SVG}text"):
        x, y = float(text.attrib["x"]), float(text.attrib["y"])
        half = 6.4 * len(text.text or "") / 2  # wider than DejaVu Sans, the widest of the common ones, is on average
        if text.attrib.get("class") != "title":
            boxes.append((x - half, x + half, y - 9, y + 3, text.text))
    for left, right, top, bottom, said in boxes:
        assert left >= 0 and right <= width and top >= 24 and bottom <= height, said
    for one, other in itertools.combinations(boxes, 2):
        apart = one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2] or other[3] <= one[2]
        assert apart, (one, other)
    for shape in root.iter(f"{SVG}rect"):
        assert float(shape.attrib["x"]) >= 0 and float(shape.attrib["x"]) + float(shape.attrib["width"]) <= width


def test_lenet5_is_drawn_with_the_paper_s_sizes() -> None:
    texts = [t.text for t in ET.fromstring(plot_architecture(made("lenet5-1998"))).iter(f"{SVG}text")]
    assert texts[0] == "lenet5-1998"
    for said in (
        "1@32×32",
        "C1",
        "6@28×28",
        "6@14×14",
        "16@10×10",
        "16@5×5",
        "120@1×1",
        "84",
        "10",
        "subsampling",
        "RBF",
    ):
        assert said in texts, said


def test_blocks_of_the_families() -> None:
    assert (3, "residual block: 1×1, 64; 3×3, 64; 1×1, 256 (the first: shortcut 1×1, 256)") in told(made("resnet50"))
    assert (24, "dense block: 1×1, 128; 3×3, 32") in told(made("densenet121"))
    assert (2, "fire block: 1×1, 16; 1×1, 64 | 3×3, 64") in told(made("squeezenet"))
    assert (6, "separable block: 3×3 depthwise; 1×1, 512 (the first: step 2)") in told(made("mobilenet"))
    assert (1, "bottleneck block: 1×1, 96; 3×3 depthwise, step 2; 1×1, 24") in told(made("mobilenetv2"))
    inception = "inception block: 1×1, 64 | 1×1, 96; 3×3, 128 | 1×1, 16; 5×5, 32 | 3×3 max pool; 1×1, 32"
    assert (1, inception) in told(made("googlenet"))
    squeezed = "residual block: 1×1, 240; 5×5 depthwise; squeeze and excitation; 1×1, 40"
    assert (2, squeezed) in told(made("mobilenetv3-small"))


def test_blocks_are_found_by_the_graph_alone() -> None:
    x = inputs = layers.Input((16, 16, 3))
    x = layers.Conv2D(8, 3, padding="same")(x)
    for _ in range(2):
        y = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
        x = layers.Add()([x, layers.Conv2D(8, 3, padding="same")(y)])
    x = layers.Concatenate()([layers.Conv2D(4, 1)(x), layers.MaxPooling2D(3, 1, "same")(x)])
    model = models.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))
    assert told(model) == [
        (1, "image"),
        (1, "convolution 3×3, 8"),
        (2, "residual block: 3×3, 8; 3×3, 8"),
        (1, "parallel block: 1×1, 4 | 3×3 max pool"),
        (1, "mean"),
        (1, "dense 2"),
    ]


def test_what_else_models_are_made_of(tmp_path: Path) -> None:
    """Nested models, open sizes, sequences, several inputs and outputs, a layer of one's own, maps that come first."""

    class Own(layers.Layer):
        def call(self, x: object) -> object:
            return x

    base = models.Sequential([layers.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.Conv2D(5, 3)], name="base")
    nested = models.Sequential([layers.Input((8, 8, 3)), base, Own(), layers.Flatten(), layers.Dense(2)])
    assert told(nested) == [(1, "image"), (1, "the model base, 2 layers"), (1, "Own"), (1, "dense 2")]
    assert sum(p.parameters for p in anatomy(nested)) == nested.count_params()
    opened = models.Sequential([layers.Input((None, None, 1)), layers.Conv2D(4, 3), layers.GlobalMaxPooling2D()])
    assert "4@?×?" in plot_architecture(opened)
    signal = models.Sequential([layers.Input((100, 2)), layers.Conv1D(8, 5, strides=2), layers.Flatten()])
    assert "8@48" in plot_architecture(signal) and "384" in plot_architecture(signal)
    first = models.Sequential([layers.Input((3, 8, 9)), layers.Conv2D(4, 3, data_format="channels_first")])
    assert "4@6×7" in plot_architecture(first)
    a, b = layers.Input((4,)), layers.Input((4,))
    both = layers.Dense(3)(layers.Concatenate()([a, b]))
    several = models.Model([a, b], [layers.Dense(1)(both), layers.Dense(2)(both)])
    drawn = plot_architecture(several, tmp_path / "several.svg", title="Two & two")
    assert (tmp_path / "several.svg").read_text() == drawn + "\n" and "Two &amp; two" in drawn
    assert drawn._repr_svg_() == drawn


def test_planes_grow_with_maps_and_sides_with_sizes() -> None:
    assert [planes(n) for n in (None, 1, 8, 9, 2048)] == [1, 1, 8, 8, 24]
    sides = [Stack.of((n, n), 1, 224, "conv").width for n in (1, 7, 14, 112, 224)]
    assert sides == sorted(sides) and sides[0] >= 3.5 and len(set(sides)) == 5


def test_it_is_legible_on_light_and_dark_and_to_those_who_do_not_see_it() -> None:
    drawn = plot_architecture(made("lenet5-1998"))
    style = re.search(r"<style>(.*?)</style>", drawn, re.DOTALL)
    assert style is not None
    light, dark = style.group(1).split("@media (prefers-color-scheme: dark)")
    for name in ("ground", "text", "input", "conv", "pool", "dense", "joined", "other", "ray", "unit", "box"):
        assert re.search(rf"\b{name}\b[^{{]*{{", light) and re.search(rf"\b{name}\b[^{{]*{{", dark), name
    assert 'role="img"' in drawn and "convolution 5×5, 6; scaled tanh, giving 6@28×28" in drawn


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda: plot_architecture(models.Sequential([layers.Dense(2)])), "has no Input"),
        (lambda: plot_architecture(made("lenet5"), "x.png"), r"SVG file. Received: to_file='x.png'"),
        (lambda: plot_architecture(made("lenet5"), width=100), "width=100"),
    ],
)  # fmt: skip
def test_mistakes_are_named(call, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()


def test_it_is_public() -> None:
    assert striate.explain.plot_architecture is plot_architecture
