"""Layers in the words of papers' figures and tables: "5×5, 6", "3×3 max pool, step 2", "ReLU"."""

from __future__ import annotations

import itertools
import re
from typing import Any

from striate import backend
from striate.backend import FunctionalNode
from striate.core.lookup import to_snake_case
from striate.models.measure import products_of

#: Files of layers that only go along with another: they are told in one breath with it.
_COMPANIONS = frozenset(
    ("norm", "norm_local", "norm_sample", "activation", "regularize", "preprocess", "edges", "reshape", "residual")
)
_ACTIVATIONS = {"relu": "ReLU", "relu6": "ReLU6", "elu": "ELU", "selu": "SELU", "gelu": "GELU"}
_NORMS = {
    "BatchNormalization": "batch norm",
    "LayerNormalization": "layer norm",
    "LocalResponseNormalization": "local response norm",
}


def class_name(operation: Any) -> str:
    """Of a layer, or of a function that was called on a model's tensors."""
    return str(getattr(operation, "class_name", type(operation).__name__))


def maps_of(shape: tuple[int | None, ...], data_format: Any) -> int | None:
    """The channels of a shape without the batch."""
    if not shape:
        return None
    return shape[0] if data_format == "channels_first" and len(shape) > 1 else shape[-1]


def grid_of(shape: tuple[int | None, ...], data_format: Any) -> tuple[int | None, ...]:
    """Rows and columns (whatever a map has) of a shape without the batch."""
    return shape[1:] if data_format == "channels_first" else shape[:-1]


def size_words(sizes: Any) -> str:
    """(5, 5) as "5×5"."""
    return "×".join("?" if n is None else str(n) for n in sizes)


def has_own_name(node: FunctionalNode) -> bool:
    """Whether a layer was given a name, and not one that its class gave it: "conv2d_3"."""
    return not re.fullmatch(to_snake_case(class_name(node.operation)) + r"(_\d+)?", node.operation.name)


def is_companion(node: FunctionalNode) -> bool:
    """Whether a call only goes along with the layer before or after it."""
    layer = node.operation
    home, _, file = type(layer).__module__.rpartition(".")
    return home == "striate.layers" and file in _COMPANIONS


def is_weighted(node: FunctionalNode) -> bool:
    """Whether a call is a convolution, a dense product, or another sum of weighted inputs."""
    if type(node.operation).__name__.endswith("Transpose"):
        return True
    sized = all(n is not None for n in node.outputs[0].shape[1:])
    if sized:
        return products_of(node) > 0
    names = ("kernel", "depthwise_kernel", "centers", "coefficient")
    return any(isinstance(getattr(node.operation, name, None), backend.Variable) for name in names)


def is_pool(node: FunctionalNode) -> bool:
    return "Pooling" in type(node.operation).__name__


def is_mean(node: FunctionalNode) -> bool:
    """Whether a call leaves one number of each map."""
    return type(node.operation).__name__.startswith("Global")


def is_depthwise(node: FunctionalNode) -> bool:
    """Whether a call filters each map by itself."""
    layer = node.operation
    groups = getattr(layer, "groups", 1)
    return type(layer).__name__.startswith("Depthwise") or (groups > 1 and groups == getattr(layer, "filters", 0))


def is_pointwise(node: FunctionalNode) -> bool:
    """Whether a call mixes the maps of each pixel by itself."""
    return type(node.operation).__name__ == "Conv2D" and tuple(node.operation.kernel_size) == (1, 1)


def window_of(layer: Any) -> tuple[int, ...] | None:
    """Of a convolution or a pool."""
    found = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    return tuple(found) if found else None


def steps_of(layer: Any) -> tuple[int, ...]:
    return tuple(getattr(layer, "strides", None) or ()) if window_of(layer) else ()


def _extras(layer: Any) -> str:
    """Steps, groups and dilation, where they are not one."""
    told = ""
    for word, values in (("step", steps_of(layer)), ("dilation", getattr(layer, "dilation_rate", ()))):
        values = tuple(values) if isinstance(values, list | tuple) else ()
        if any(n != 1 for n in values):
            told += f", {word} {values[0] if len(set(values)) == 1 else size_words(values)}"
    groups = getattr(layer, "groups", 1)
    return told + (f", {groups} groups" if isinstance(groups, int) and groups > 1 else "")


def kind_of(node: FunctionalNode) -> str:
    """What a call is, in a word or two."""
    name = type(node.operation).__name__
    if is_mean(node):
        return "mean" if "Average" in name else "maximum"
    if is_pool(node):
        return "max pool" if "Max" in name else "mean pool"
    if is_depthwise(node):
        return "depthwise"
    for start, word in (
        ("Separable", "separable"),
        ("TableConv", "convolution"),
        ("Subsampling", "subsampling"),
        ("Dense", "dense"),
        ("EuclideanRBF", "RBF"),
    ):
        if name.startswith(start):
            return word
    if name.startswith("Conv"):
        return "transposed" if name.endswith("Transpose") else "convolution"
    return class_name(node.operation)


def short(node: FunctionalNode, data_format: Any) -> str:
    """A weighted layer or a pool as tables have it: "3×3, 64, step 2", "dense 10"."""
    layer, kind = node.operation, kind_of(node)
    window = window_of(layer)
    maps = maps_of(node.outputs[0].shape[1:], data_format)
    if window is None and kind == "dense" and len(node.outputs[0].shape) == 4:
        return f"1×1, {maps}"  # what a dense layer is on maps
    if window is None:
        return kind if is_mean(node) else f"{kind} {maps}"
    said = size_words(window)
    if is_pool(node) or kind in ("depthwise", "subsampling"):
        return f"{said} {kind}" + _extras_of_pool(layer, kind)
    if kind in ("separable", "transposed"):
        said += f" {kind}"
    return f"{said}, {maps}" + _extras(layer)


def _extras_of_pool(layer: Any, kind: str) -> str:
    """A pool's steps are told where windows overlap or leave pixels out."""
    if kind != "depthwise" and steps_of(layer) == window_of(layer):
        return ""
    return _extras(layer).split(", " + str(getattr(layer, "groups", "")) + " groups")[0]


def sentence(node: FunctionalNode, data_format: Any) -> str:
    """A layer by itself: "convolution 5×5, 6", "dense 10", "2×2 max pool"."""
    said, kind = short(node, data_format), kind_of(node)
    pairs = getattr(node.operation, "connections", None)
    table = f", {sum(map(len, pairs))} pairs of maps connected" if isinstance(pairs, list) else ""
    return (said if kind in said else f"{kind} {said}") + table


def below(node: FunctionalNode) -> tuple[str, ...]:
    """The lines under an arrow of a drawing: "convolution", "5×5, step 2"."""
    layer, kind = node.operation, kind_of(node)
    window = window_of(layer)
    if window is None:
        return (kind,)
    pooled = is_pool(node) or kind == "subsampling"
    return kind, size_words(window) + (_extras_of_pool(layer, kind) if pooled else _extras(layer))


def companion_words(node: FunctionalNode) -> str:
    """What goes along with a layer, where it changes values: "batch norm", "ReLU", "dropout 0.5"; else ""."""
    layer = node.operation
    name = type(layer).__name__
    file = type(layer).__module__.rpartition(".")[2]
    if name in _NORMS:
        return _NORMS[name]
    if file == "activation":
        return activation_words(layer) if name == "Activation" else name
    if "Dropout" in name:
        return f"dropout {layer.rate:g}"
    return "" if file in ("reshape", "edges", "residual", "regularize") else name


def activation_words(layer: Any) -> str:
    """The name of a layer's activation; "" for none."""
    function = getattr(layer, "activation", None)
    name = str(getattr(function, "__name__", "") or "")
    return "" if name in ("", "linear") else _ACTIVATIONS.get(name, name.replace("_", " "))


def common_start(*names: str) -> str:
    """The characters that all of them begin with."""
    same = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    return "".join(letters[0] for letters in same)
