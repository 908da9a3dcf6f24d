"""What a model costs and sees, counted on its layers: multiply-adds for one image, and the field of its last maps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from striate import backend
from striate.backend import FunctionalNode, KerasTensor
from striate.core.errors import StateError
from striate.core.registry import export
from striate.layers.base import Layer
from striate.models.graph import LayerGraph

#: weights each of which is multiplied once for each position of a layer's output.
_MULTIPLIED = ("kernel", "depthwise_kernel", "pointwise_kernel", "centers", "coefficient")

#: (window, distance of two neighbours) in pixels, along rows and along columns; None where the whole image is seen.
Field = tuple[tuple[int, int], tuple[int, int]] | None
_PIXEL: Field = ((1, 1), (1, 1))


def graph_of(model: Any) -> LayerGraph:
    """The calls of a model's layers."""
    graph = getattr(model, "_graph", None)
    if not isinstance(graph, LayerGraph):
        raise StateError(
            f"{model.name!r} has no Input, so what follows what is not known. Give a Sequential an Input, or call it "
            "on data; subclassed models are not counted."
        )
    return graph


def _calls(model: Any) -> Iterator[FunctionalNode]:
    """The calls of layers, those inside nested models among them."""
    for node in graph_of(model).nodes:
        if hasattr(node.operation, "_graph"):
            yield from _calls(node.operation)
        elif not node.is_input:
            yield node


@export("explain.multiply_adds")
def multiply_adds(model: Any) -> int:
    """How many products a model sums up for one image: those of convolutions and dense layers, as papers count.

    A kernel of n weights at p positions takes n * p; each product and its addition are one. Biases, normalization,
    activations and pools are left out.

    Not in Keras.

    Args:
        model: a Sequential or functional model of a known input shape.

    Raises:
        ValueError: a model whose shapes are not known.

    Example:
        >>> multiply_adds(keras.Sequential([keras.Input((5, 5, 2)), keras.layers.Conv2D(4, 3)]))
        648
    """
    return sum(products_of(node) for node in _calls(model))


def products_of(node: FunctionalNode) -> int:
    """The products of one call of a layer, for one image; a model's own are `multiply_adds`."""
    layer = node.operation
    if not isinstance(layer, Layer):
        return 0
    weights = [w for name in _MULTIPLIED if isinstance(w := getattr(layer, name, None), backend.Variable)]
    if not weights:
        return 0
    transposed = type(layer).__name__.endswith("Transpose")
    dims = (node.input_tensors if transposed else node.outputs)[0].shape[1:]
    shape = [d for d in dims if d is not None]
    if len(shape) < len(dims):
        raise StateError(f"{layer.name!r} gives maps of shape {dims}: counting needs an input of a known size.")
    channels = shape[0] if getattr(layer, "data_format", None) == "channels_first" else shape[-1]
    return sum(w.size for w in weights) * (math.prod(shape) // channels)


@export("explain.receptive_field")
def receptive_field(model: Any) -> tuple[int, int]:
    """How many rows and columns of the image one unit of the model's last maps sees, through the widest way.

        field += (window - 1) * dilation * distance;  distance *= stride       for each window on the way

    What follows a mean over the whole image sees all of it: dense layers and the factors of squeeze-and-excitation are
    left out. The field may be larger than the image; then the rest of it is padding.

    Not in Keras. Source: Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill
    2019.

    Args:
        model: a Sequential or functional model.

    Example:
        >>> conv, pool = keras.layers.Conv2D(4, 3), keras.layers.MaxPooling2D(2)
        >>> receptive_field(keras.Sequential([keras.Input((28, 28, 1)), conv, pool]))
        (4, 4)
    """
    seen = [f for f in fields_of(model).values() if f is not None]
    return max(f[0][0] for f in seen), max(f[1][0] for f in seen)


def fields_of(model: Any) -> dict[int, Field]:
    """id of a tensor -> how much of the image one of its units sees, inside nested models too."""
    fields: dict[int, Field] = {}
    _walk(graph_of(model), [_PIXEL], fields)
    return fields


def _walk(graph: LayerGraph, given: list[Field], fields: dict[int, Field]) -> list[Field]:
    """Note the field of every tensor of a graph; gives those of its outputs."""
    for i, tensor in enumerate(graph.inputs):
        fields[id(tensor)] = given[min(i, len(given) - 1)]
    for node in graph.nodes:
        if node.is_input:
            continue
        before = [fields.get(id(t)) for t in node.input_tensors]
        if hasattr(node.operation, "_graph"):
            after = _walk(graph_of(node.operation), before, fields)
        else:
            after = [_through(node.operation, before, node.outputs[0])] * len(node.outputs)
        fields.update((id(t), f) for t, f in zip(node.outputs, after, strict=True))
    return [fields[id(t)] for t in graph.outputs]


def _through(layer: Any, before: list[Field], output: KerasTensor) -> Field:
    """The widest of the inputs' fields, and what the layer's window adds."""
    known = [f for f in before if f is not None]
    if not known or len(output.shape) != 4 or type(layer).__name__.startswith("Global"):
        return None
    window = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    sizes = window or (1, 1)
    strides = layer.strides if window else (1, 1)
    dilations = getattr(layer, "dilation_rate", (1, 1))
    row, column = (_widened([f[axis] for f in known], sizes[axis], strides[axis], dilations[axis]) for axis in (0, 1))
    return row, column


def _widened(before: list[tuple[int, int]], size: int, stride: int, dilation: int) -> tuple[int, int]:
    field, distance = max(f for f, _ in before), max(d for _, d in before)
    return field + (size - 1) * dilation * distance, distance * stride
