"""On a functional model's tensors: shapes with open axes, and what is remembered under which name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from striate import backend, ops
from striate.backend import KerasTensor
from striate.core.errors import ArgumentError, ShapeError, SymbolicError

ONES = np.ones((5, 2), "float32")

SHAPES: list[tuple[Callable[[Any], Any], tuple[int | None, ...]]] = [
    (lambda x: x[:, 0], (None, 5)),
    (lambda x: x[..., None], (None, 4, 5, 1)),
    (lambda x: x[:2], (2, 4, 5)),
    (lambda x: 1 - x, (None, 4, 5)),
    (lambda x: ops.reshape(x, (-1, 20)), (None, 20)),
    (lambda x: ops.mean(x, axis=(1, 2)), (None,)),
    (lambda x: ops.concatenate([x, x], 1), (None, 8, 5)),
    (lambda x: ops.repeat(x, 2, axis=1), (None, 8, 5)),
    (lambda x: ops.repeat(x, 2, axis=0), (None, 4, 5)),
    (lambda x: ops.stack([x, x]), (2, None, 4, 5)),
    (lambda x: ops.softmax(x, axis=(1, 2)), (None, 4, 5)),
    (lambda x: ops.pad(x, ((0, 0), (1, 1), (0, 2))), (None, 6, 7)),
    (lambda x: ops.split(x, 2, axis=1)[1], (None, 2, 5)),
    (lambda x: ops.einsum("bij,jk->bik", x, ONES), (None, 4, 2)),
    (lambda x: ops.dot(x, ONES), (None, 4, 2)),
    (lambda x: ops.transpose(x), (5, 4, None)),
    (lambda x: ops.full_like(x, 2), (None, 4, 5)),
    (lambda x: ops.broadcast_to(x, (None, 4, 5)), (None, 4, 5)),
    (lambda x: ops.layer_normalization(x, axis=(1, 2)), (None, 4, 5)),
    (lambda x: ops.cond(ops.sum(x) > 0, lambda: x, lambda: -x), (None, 4, 5)),
    (lambda x: ops.max_pool(x, 2), (None, 2, 5)),
    (lambda x: ops.cast(x, "int32"), (None, 4, 5)),
]


@pytest.mark.parametrize(("function", "wanted"), SHAPES)
def test_open_axes_stay_open(function: Callable[[Any], Any], wanted: tuple[int | None, ...]) -> None:
    y = function(KerasTensor((None, 4, 5)))
    assert y.shape == wanted
    assert y._keras_history is not None


def _made_by(tensor: KerasTensor) -> tuple[str, str, dict[str, Any]]:
    operation = tensor._keras_history.operation
    config = operation.get_config()
    config.pop("name")
    return operation.module, operation.class_name, config


def test_calls_are_remembered_under_keras_names() -> None:
    x = KerasTensor((None, 4, 5))
    assert _made_by(ops.relu(x)) == ("keras.src.ops.nn", "Relu", {})
    assert _made_by(x + 1) == ("keras.src.ops.numpy", "Add", {})
    assert _made_by(x * x) == ("keras.src.ops.numpy", "Multiply", {})
    assert _made_by(ops.mean(x, axis=1)) == ("keras.src.ops.numpy", "Mean", {"axis": 1})
    assert _made_by(ops.cast(x, "int32")) == ("keras.src.ops.core", "Cast", {"dtype": "int32"})
    assert _made_by(x[:, 0]) == ("keras.src.ops.numpy", "GetItem", {})
    image, last = KerasTensor((None, 4, 5, 3)), {"data_format": "channels_last"}
    assert _made_by(ops.image.rgb_to_grayscale(image)) == ("keras.src.ops.image", "RGBToGrayscale", last)
    assert _made_by(ops.image.rgb_to_hsv(image)) == ("keras.src.ops.image", "RGBToHSV", last)
    assert _made_by(ops.image.hsv_to_rgb(image)) == ("keras.src.ops.image", "HSVToRGB", last)
    moved = ops.image.affine_transform(image, np.zeros(8, "float32"), fill_mode="wrap")
    assert moved.shape == (None, 4, 5, 3)
    assert _made_by(moved) == ("keras.src.ops.image", "AffineTransform", {"fill_mode": "wrap", **last})
    read = ops.image.map_coordinates(image, np.zeros((4, 6, 2), "float32"), order=1)
    assert read.shape == (6, 2)
    assert _made_by(read) == ("keras.src.ops.image", "MapCoordinates", {"order": 1})


def test_tensors_after_plain_arguments_are_given_by_name() -> None:
    x, scale = KerasTensor((None, 4, 5)), np.ones(5, "float32")
    y = ops.batch_normalization(x, scale, scale, -1, scale=scale)
    node = y._keras_history.operation._inbound_nodes[0]
    assert len(node.args) == 3 and list(node.kwargs) == ["scale"]
    assert node.operation.get_config()["axis"] == -1
    again = node.operation(np.ones((1, 4, 5), "float32"), *node.args[1:], **node.kwargs)
    assert again.shape == (1, 4, 5)


def test_errors_say_what_to_do() -> None:
    x = KerasTensor((None, 4))
    with pytest.raises(ShapeError, match="open length"):
        x[1:]
    with pytest.raises(ArgumentError, match="open length"):
        ops.flip(x, axis=0)
    with pytest.raises(ShapeError, match="out of bounds for axis 1 of length 4"):
        x[:, 7]
    with pytest.raises(SymbolicError, match=r"ops\.where"):
        backend.TracedFunction(lambda t: t[t > 0])(np.ones(3, "float32"))
    with pytest.raises(ArgumentError, match="out of bounds for a tensor of rank 2"):
        ops.sum(np.ones((2, 2)), axis=2)
    with pytest.raises(ShapeError, match="Cannot squeeze axis=0"):
        ops.squeeze(np.ones((2, 1)), axis=0)
    with pytest.raises(ArgumentError, match="divisor"):
        ops.split(np.ones(5), 2)
    with pytest.raises(ShapeError, match="or be a multiple of it"):
        ops.conv(np.ones((1, 5, 5, 3)), np.ones((3, 3, 2, 4)))
