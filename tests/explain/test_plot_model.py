"""`utils.plot_model`: every layer a box, nothing on anything else, whatever the graph; files of all kinds."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import striate
from striate import layers, models
from striate.applications.zoo import ZOO
from striate.backend import only_shapes
from striate.explain.layer_boxes import Shown
from striate.explain.layered import arrange
from striate.explain.plot_layout import Layout
from striate.explain.scene import Line, Rect, Scene, Text, width_of
from striate.utils import plot_model

EVERYTHING = {"shapes": True, "dtype": True, "names": True, "activations": True, "trainable": True}


def scene_of(model: models.Model, **shown: object) -> Scene:
    options = dict.fromkeys(EVERYTHING, False) | {"expand": False, "direction": "TB", "splines": "ortho"}
    return Layout(model, Shown(**{**options, **shown})).scene()  # type: ignore[arg-type]


def texts(scene: Scene) -> list[str]:
    return [shape.text for shape in scene.shapes if isinstance(shape, Text)]


def titles(scene: Scene) -> list[Rect]:
    return [shape for shape in scene.shapes if isinstance(shape, Rect) and shape.fill == "#000000"]


def two_eyes() -> models.Model:
    """Two inputs through one encoder, then a model with two inputs and two outputs."""
    left, right = striate.Input((8, 8, 3), name="left"), striate.Input((8, 8, 3), name="right")
    encoder = models.Sequential([layers.Input((8, 8, 3)), layers.Conv2D(4, 3, activation="relu"), layers.Flatten()])
    encoder.name = "encoder"
    one, other = striate.Input((144,), name="one"), striate.Input((144,), name="other")
    hidden = layers.Dense(5, name="hidden")(layers.Concatenate(name="both")([one, other]))
    judge = models.Model([one, other], [layers.Dense(2, name="verdict")(hidden), hidden], name="judge")
    verdict, seen = judge([encoder(left), encoder(right)])
    return models.Model([left, right], layers.Concatenate(name="end")([verdict, seen, striate.ops.abs(seen)]))


def apart(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    left, top, width, height = one
    x, y, wide, high = other
    return left + width <= x + 0.1 or x + wide <= left + 0.1 or top + height <= y + 0.1 or y + high <= top + 0.1


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[tuple[float, float]], list[tuple[int, int]]]:
    count = draw(st.integers(1, 12))
    side = st.sampled_from([10.0, 40.0, 150.0])
    sizes = [(draw(side), draw(side)) for _ in range(count)]
    pairs = [(i, j) for j in range(count) for i in range(j)]
    return sizes, draw(st.lists(st.sampled_from(pairs), unique=True, max_size=24)) if pairs else []


@given(graphs())
def test_nothing_lies_on_anything(graph: tuple[list[tuple[float, float]], list[tuple[int, int]]]) -> None:
    sizes, edges = graph
    drawn = arrange(sizes, edges)
    boxes = [(*corner, *size) for corner, size in zip(drawn.corners, sizes, strict=True)]
    for i, box in enumerate(boxes):
        assert box[0] >= -0.1 and box[1] >= -0.1
        assert box[0] + box[2] <= drawn.width + 0.1 and box[1] + box[3] <= drawn.height + 0.1
        assert all(apart(box, other) for other in boxes[:i])
    for (start, end), path in zip(edges, drawn.paths, strict=True):
        assert path[0] == pytest.approx((boxes[start][0] + sizes[start][0] / 2, boxes[start][1] + sizes[start][1]))
        assert path[-1] == pytest.approx((boxes[end][0] + sizes[end][0] / 2, boxes[end][1]))
        for (a, b), (c, d) in pairwise(path):
            assert (a == c or b == d) and d >= b, "right angles, never upwards"
            passed = (min(a, c), b, abs(c - a), d - b)
            assert all(apart(passed, box) for i, box in enumerate(boxes) if i not in (start, end))


@given(graphs())
def test_what_must_stand_first_or_last_does(graph: tuple[list[tuple[float, float]], list[tuple[int, int]]]) -> None:
    sizes, edges = graph
    first, last = len(sizes), len(sizes) + 1
    ends = [(first, 0), (len(sizes) - 1, last)]
    drawn = arrange([*sizes, (0.0, 0.0), (0.0, 0.0)], [*edges, *ends], [first], [last])
    tops = [y for _, y in drawn.corners]
    assert tops[first] == min(tops)
    assert tops[last] >= max(y + size[1] for y, size in zip(tops, sizes, strict=False))


@pytest.mark.parametrize("direction", ["TB", "LR", "BT", "RL"])
@pytest.mark.parametrize("expand", [False, True])
def test_texts_lie_in_their_cells_and_cells_on_the_page(direction: str, expand: bool) -> None:
    scene = scene_of(two_eyes(), direction=direction, expand=expand, **EVERYTHING)
    cells = [shape for shape in scene.shapes if isinstance(shape, Rect) and not shape.dashed]
    for cell in cells:
        assert cell.x >= 0 and cell.x + cell.width <= scene.width
        assert cell.y >= 0 and cell.y + cell.height <= scene.height
    for text in (shape for shape in scene.shapes if isinstance(shape, Text)):
        half = width_of(text.text, text.size, text.bold) / 2
        frames = [shape for shape in scene.shapes if isinstance(shape, Rect)]
        assert any(
            f.x <= text.x - half
            and text.x + half <= f.x + f.width
            and f.y <= text.y - 5
            and text.y + 5 <= f.y + f.height
            for f in frames
        ), text
    for i, one in enumerate(cells):
        for other in cells[:i]:
            assert apart((one.x, one.y, one.width, one.height), (other.x, other.y, other.width, other.height))


@pytest.mark.parametrize("name", ["googlenet", "resnet20", "densenet121", "mobilenetv2", "lenet5-1998"])
def test_each_layer_of_an_architecture_has_a_box(name: str) -> None:
    with only_shapes():
        model = ZOO[name].make()
    scene = scene_of(model, names=True)
    said = texts(scene)
    every = getattr(model, "operations", model.layers)  # functions of `ops` too
    assert len(titles(scene)) == len(every) == len(set(said))
    assert all(any(text.startswith(f"{layer.name} (") for text in said) for layer in every)


def test_what_is_shown_of_a_layer() -> None:
    model = models.Sequential([striate.Input((8, 8, 1)), layers.Conv2D(2, 3, activation="relu", name="seen")])
    assert texts(scene_of(model)) == ["Conv2D"]
    assert texts(scene_of(model, **EVERYTHING)) == [
        "seen (Conv2D)",
        "Activation: relu",
        "Input shape: (None, 8, 8, 1)",
        "Output shape: (None, 6, 6, 2)",
        "Output dtype: float32",
        "Trainable",
    ]
    model.trainable = False
    assert "Non-trainable" in texts(scene_of(model, trainable=True))


def test_nested_models_are_boxes_or_frames() -> None:
    model = two_eyes()
    assert {"Sequential", "Functional"} <= set(texts(scene_of(model)))
    scene = scene_of(model, expand=True, names=True)
    assert {"encoder", "judge", "hidden (Dense)", "verdict (Dense)"} <= set(texts(scene))
    assert "Sequential" not in " ".join(texts(scene))
    frames = [shape for shape in scene.shapes if isinstance(shape, Rect) and shape.dashed]
    assert len(frames) == 2
    # each line that comes from outside goes on, inside, to a layer: no head where it meets the frame
    heads = [shape.points[-1] for shape in scene.shapes if isinstance(shape, Line) and shape.head]
    tops = {round(f.y) for f in frames}
    assert heads and not any(round(y) in tops for _, y in heads)


def test_a_model_given_a_dict_is_entered_where_its_names_say() -> None:
    """Whatever the order of its own inputs, and what else the dict holds."""
    one, other = striate.Input((4,), name="one"), striate.Input((4,), name="other")
    inner = models.Model([other, one], layers.Subtract()([one, other]), name="inner")
    x, y = striate.Input((4,), name="x"), striate.Input((4,), name="y")
    model = models.Model([x, y], inner({"one": x, "other": y, "more": x}))
    scene = scene_of(model, expand=True, names=True, direction="TB")
    at = {shape.text.split()[0]: shape for shape in scene.shapes if isinstance(shape, Text)}
    ways = [shape.points for shape in scene.shapes if isinstance(shape, Line)]
    for outer, within in (("x", "one"), ("y", "other")):
        (end,) = {p[-1] for p in ways if p[0][0] == pytest.approx(at[outer].x) and p[0][1] < at["inner"].y}
        assert end[0] == pytest.approx(at[within].x)
    assert len(ways) == 2 + 2 + 2 + 1


def test_a_shared_layer_has_one_box_unless_a_way_would_lead_back() -> None:
    a, b = striate.Input((4,), name="a"), striate.Input((4,), name="b")
    shared = layers.Dense(4, name="shared")
    beside = models.Model([a, b], layers.Add()([shared(a), shared(b)]))
    assert texts(scene_of(beside, names=True)).count("shared (Dense)") == 1
    behind = models.Model(a, shared(layers.ReLU()(shared(a))))
    assert texts(scene_of(behind, names=True)).count("shared (Dense)") == 2


def test_a_subclassed_model_is_one_box() -> None:
    class Own(models.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, x: object) -> object:
            return self.dense(x)

    model = Own()
    with pytest.raises(ValueError, match=r"has not yet been built. Build the model first"):
        plot_model(model)
    model(striate.ops.ones((1, 3)))
    assert texts(scene_of(model, shapes=True)) == ["Own", "Input shape: ?", "Output shape: ?"]


@pytest.mark.parametrize("splines", ["ortho", "curved", "polyline", "spline", "line"])
def test_an_svg_is_well_formed(tmp_path: Path, splines: str) -> None:
    plotted = plot_model(two_eyes(), tmp_path / "model.svg", expand_nested=True, splines=splines)
    root = ET.parse(tmp_path / "model.svg").getroot()
    assert root.tag.endswith("svg") and "encoder" in plotted._repr_svg_()
    assert repr(plotted) == f"<Plot, written to {str(tmp_path / 'model.svg')!r}>"


@pytest.mark.parametrize(
    ("name", "kind"), [("m.png", "PNG"), ("m.jpg", "JPEG"), ("m.webp", "WEBP"), ("M.PNG", "PNG"), ("model", "PNG")]
)
def test_pictures_have_the_size_asked_for(tmp_path: Path, name: str, kind: str) -> None:
    model = two_eyes()
    scene = scene_of(model)
    plot_model(model, str(tmp_path / name), dpi=100)
    image = Image.open(io.BytesIO((tmp_path / name).read_bytes()))
    assert image.format == kind
    assert image.size == (round(scene.width * 100 / 72), round(scene.height * 100 / 72))
    colors = image.convert("L").getextrema()
    assert colors[0] < 20 and colors[1] > 235, "something is drawn"


def test_a_pdf_is_written(tmp_path: Path) -> None:
    plot_model(two_eyes(), tmp_path / "m.pdf")
    assert (tmp_path / "m.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"to_file": "model.gif"}, r"ends in .svg, .png, .jpg, .jpeg, .webp, .pdf. Received: to_file='model.gif'"),
        ({"rankdir": "top"}, r"`rankdir` is one of 'TB', 'LR', 'BT', 'RL'. Received: rankdir='top'"),
        ({"splines": "round"}, r"`splines` is one of .* Received: splines='round'"),
        ({"dpi": 0}, r"Received: dpi=0"),
        ({"dpi": 100_000}, r"pixels, more than a .png file can hold here.* Pass a dpi of \d+ or less"),
        ({"layer_range": ["a", "b"]}, r"`layer_range` is no longer supported"),
        ({"show_names": True}, r"no argument 'show_names'"),
    ],
)
def test_wrong_arguments_are_told(tmp_path: Path, given_: dict[str, object], said: str) -> None:
    model = models.Sequential([striate.Input((4,)), layers.Dense(2)])
    target = tmp_path / "model.png"
    with pytest.raises(ValueError, match=said):
        plot_model(model, **{"to_file": target, **given_})
    assert not list(tmp_path.iterdir())
