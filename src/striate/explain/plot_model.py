"""`utils.plot_model`: the graph of a model's layers as a picture, without Graphviz."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from striate.core.errors import ArgumentError
from striate.core.files import write_atomically
from striate.core.registry import export
from striate.explain.layer_boxes import Shown
from striate.explain.plot_layout import Layout
from striate.explain.scene import PIXELS

_DIRECTIONS = ("TB", "LR", "BT", "RL")
_SPLINES = ("ortho", "curved", "polyline", "spline", "line")


class Plot:
    """A plotted model; a notebook shows it.

    Args:
        svg: the picture as SVG.
        file: where it was written, or None.
    """

    def __init__(self, svg: str, file: str | None) -> None:
        self._svg, self._file = svg, file

    def _repr_svg_(self) -> str:
        return self._svg

    def __repr__(self) -> str:
        return f"<Plot, written to {self._file!r}>" if self._file else "<Plot>"


@export("utils.plot_model")
def plot_model(
    model: Any,
    to_file: str | os.PathLike[str] | None = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Plot:
    """Draw the graph of a model's layers: a box for each, a line for each tensor that goes from one to another.

    Needs neither Graphviz nor pydot. `explain.plot_architecture` draws maps as stacked planes, as papers do.

    Args:
        model: built. A subclassed model, whose inside is not known, is one box.
        to_file: path of the picture; its ending says of which kind: .svg, .png, .jpg, .webp or .pdf. Without an ending,
            .png is meant, as in Keras, and the file is called as it was given. None: nothing is written.
        show_shapes, show_dtype: of what comes into each layer and out of it.
        show_layer_names: beside their classes.
        rankdir: where the plot runs: "TB" downwards, "LR" to the right, "BT" upwards, "RL" to the left.
        expand_nested: models inside the model are drawn too, each in a frame, in place of one box.
        dpi: pixels an inch, of pictures made of pixels.
        show_layer_activations: of layers that have one.
        show_trainable: of layers with weights.
        splines: the lines: "ortho" (right angles), "polyline", "line", "curved" or "spline".

    Returns:
        What a notebook shows as a picture.

    Raises:
        ValueError: a model that is not built, an argument that is none of those named, too many pixels for a file.

    Source: `keras.utils.plot_model`, which draws by Graphviz.

    Example:
        >>> model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(8, 3), keras.layers.Flatten()])
        >>> plot_model(model, to_file=None, show_shapes=True)
        <Plot>
    """
    if kwargs.pop("layer_range", None) is not None:
        raise ArgumentError(
            "Argument `layer_range` is no longer supported, in Keras 3 neither. Plot a model of those layers."
        )
    if kwargs:
        raise ArgumentError(f"plot_model has no argument {', '.join(map(repr, kwargs))}. Received: {kwargs}.")
    if not getattr(model, "built", False):
        raise ArgumentError(
            "This model has not yet been built. Build the model first by calling `build()` or by calling the "
            f"model on a batch of data. Received: model={model!r}."
        )
    _check("rankdir", rankdir, _DIRECTIONS)
    _check("splines", splines, _SPLINES)
    if not dpi > 0:
        raise ArgumentError(f"`dpi` is a number of pixels an inch. Received: dpi={dpi}.")
    suffix = ".svg" if to_file is None else Path(to_file).suffix.lower() or ".png"
    if suffix != ".svg" and suffix not in PIXELS:
        raise ArgumentError(
            f"`to_file` ends in .svg, {', '.join(PIXELS)}. Received: to_file={os.fspath(to_file or '')!r}."
        )
    shown = Shown(
        show_shapes,
        show_dtype,
        show_layer_names,
        show_layer_activations,
        show_trainable,
        expand_nested,
        rankdir,
        splines,
    )
    scene = Layout(model, shown).scene()
    svg = scene.svg(f"{model.name}: its layers")
    if to_file is not None:
        content = (svg + "\n").encode() if suffix == ".svg" else scene.encoded(suffix, dpi)
        write_atomically(Path(to_file), content)
    return Plot(svg, None if to_file is None else os.fspath(to_file))


def _check(name: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ArgumentError(f"`{name}` is one of {', '.join(map(repr, known))}. Received: {name}={value!r}.")
