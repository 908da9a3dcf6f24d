"""Configs of a few bytes that ask for everything there is: bounded before it is allocated, in little time."""

from __future__ import annotations

import contextlib
import inspect
import json
from pathlib import Path
from typing import Any

import pytest

import striate as keras
from striate import layers, ops
from striate.backend import KerasTensor, loading_limits
from striate.backend.functional_node import TENSOR_ARGUMENTS
from striate.backend.symbolic import OPERATIONS
from striate.core.errors import LoadError, StriateError
from tests.saving.files import described, frugal, layer, refused, rewrite, saved, sequential

BIG = 10**12
IMAGE = (None, 8, 8, 4)


def normalization(n: int) -> dict[str, Any]:
    return layer("Normalization", mean=0.0, variance=1.0, axis=-1)


HUGE = {
    "units": (sequential(layer("Dense", units=BIG)), "larger weights|elements"),
    "units within int32": (sequential(layer("Dense", units=2_000_000_000)), "larger weights"),
    "units beyond int64": (sequential(layer("Dense", units=10**30)), "no size, count or seed"),
    "units of many digits": (sequential(layer("Dense", units=10**3000)), "no size, count or seed"),
    "units negative": (sequential(layer("Dense", units=-5)), "units"),
    "units 1e9 as a float": (sequential(layer("Dense", units=1e9)), "units"),
    "filters": (sequential(layer("Conv2D", filters=10**9, kernel_size=3), shape=IMAGE), "larger weights|elements"),
    "kernel_size": (
        sequential(layer("Conv2D", filters=2, kernel_size=10**9, padding="same"), shape=IMAGE),
        "larger weights",
    ),
    "groups": (
        sequential(layer("Conv2D", filters=10**9, kernel_size=1, groups=10**9), shape=(None, 8, 8, 10**9)),
        "elements|larger",
    ),
    "depth_multiplier": (
        sequential(layer("DepthwiseConv2D", kernel_size=1, depth_multiplier=10**9), shape=IMAGE),
        "larger weights|elements",
    ),
    "strides": (sequential(layer("Conv2D", filters=2, kernel_size=1, strides=10**30), shape=IMAGE), "no size"),
    "input": (sequential(layer("Flatten"), shape=(None, BIG)), "elements"),
    "input of many axes": (sequential(layer("Flatten"), shape=(None, *[2] * 100)), "axes"),
    "input of a million axes": (sequential(layer("Flatten"), shape=(None, *[1] * 100_000)), "axes"),
    "batch": (sequential(layer("Dense", units=2), shape=(BIG, 4)), "elements"),
    "flatten into dense": (
        sequential(layer("Flatten"), layer("Dense", units=4), shape=(None, 10**4, 10**4, 9)),
        "larger",
    ),
    "padding": (sequential(layer("ZeroPadding2D", padding=10**9), shape=IMAGE), "elements"),
    "reshape": (sequential(layer("Reshape", target_shape=[1] * 50_000)), "axes|total size"),
    "normalization": (sequential(normalization(BIG), shape=(None, 2**30)), "larger|needs"),
    "batch normalization": (sequential(layer("BatchNormalization"), shape=(None, 2**30)), "larger weights"),
    "orthogonal": (
        sequential(layer("Dense", units=10**5, kernel_initializer=described("keras.initializers", "Orthogonal"))),
        "",
    ),
    "constant of a large array": (
        sequential(
            layer("Dense", units=2, kernel_initializer=described("keras.initializers", "Constant", value=[1] * 9999))
        ),
        "",
    ),
    "build_config": (
        sequential({**layer("Dense", units=2), "build_config": {"input_shape": [None, BIG]}}),
        "larger weights",
    ),
    "build_input_shape": (
        described("keras", "Sequential", layers=[layer("Dense", units=2)], build_input_shape=[None, BIG]),
        "larger weights|elements",
    ),
    "a name": (sequential(layer("Dense", units=2, name="n" * 10**6)), ""),
}


@pytest.mark.parametrize("kind", HUGE)
def test_huge_arguments(path: Path, kind: str) -> None:
    config, says = HUGE[kind]
    refused(rewrite(path, config=config), says or None)


def nested(depth: int, times: int) -> dict[str, Any]:
    """A functional model that calls another one `times` times, which does the same, and so on."""

    def tensor(name: str, call: int = 0) -> dict[str, Any]:
        config = {"shape": [None, 4], "dtype": "float32", "keras_history": [name, call, 0]}
        return {"class_name": "__keras_tensor__", "config": config}

    inside: Any = {**layer("ReLU", name="end"), "name": "end"}
    for level in range(depth):
        inner = inside["name"]
        calls = [{"args": [tensor("x" if i == 0 else inner, max(i - 1, 0))], "kwargs": {}} for i in range(times)]
        start = {**layer("InputLayer", batch_shape=[None, 4], name="x"), "name": "x", "inbound_nodes": []}
        body = {**inside, "inbound_nodes": calls}
        last = times if level else times - 1  # calls of models count from 1 here
        config = {
            "name": f"m{level}", "layers": [start, body], "input_layers": [["x", 0, 0]],
            "output_layers": [[inner, last, 0]],
        }  # fmt: skip
        inside = {
            "module": "keras.src.models.functional",
            "class_name": "Functional",
            "config": config,
            "name": f"m{level}",
        }
    return inside


def test_models_that_call_each_other_ever_more_often(path: Path) -> None:
    """2**20 calls in 20 models: the file's size says how many are reasonable."""
    refused(rewrite(path, config=nested(20, 2)), "call each other more often")


def test_a_few_calls_of_nested_models_are_fine(tmp_path: Path) -> None:
    inputs = keras.Input((4,))
    inside = keras.Model(inputs, layers.Dense(4)(inputs))
    for _ in range(4):
        start = keras.Input((4,))
        inside = keras.Model(start, inside(inside(start)))
    path = saved(tmp_path, inside)
    keras.models.load_model(path)


def sequentials(depth: int) -> dict[str, Any]:
    inside = layer("Dense", units=2)
    for level in range(depth):
        inside = described("keras", "Sequential", name=f"s{level}", layers=[inside])
    return inside


@pytest.mark.parametrize("depth", [60, 1000, 20_000])
def test_models_in_models_without_end(path: Path, depth: int) -> None:
    text = json.dumps(sequentials(50))
    head, tail = text.split(json.dumps(layer("Dense", units=2)))
    config = head * (depth // 50 + 1) + json.dumps(layer("Dense", units=2)) + tail * (depth // 50 + 1)
    refused(rewrite(path, config=config.encode()), "nested")


@pytest.mark.parametrize("text", ["[" * 10**6, '{"a":' * 10**6, "[" * 10**5 + "]" * 10**5, '{"a":[' * 119 + "]}" * 119])
def test_depth_of_json(path: Path, text: str) -> None:
    refused(rewrite(path, config=text.encode()), "nested deeper|over 1000000 values|no valid JSON")


def test_strings_may_hold_brackets(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, name="[" * 500 + '"\\')])
    assert keras.models.load_model(saved(tmp_path, model)).layers[0].name == "[" * 500 + '"\\'


@pytest.mark.parametrize("n", [20_000, 300_000])
def test_a_million_layers(path: Path, n: int) -> None:
    text = json.dumps(sequential(layer("Flatten")))
    one = json.dumps({"class_name": "ReLU", "module": "keras.layers", "config": {}})
    many = text.replace(json.dumps(layer("Flatten")), ",".join([one] * n))
    refused(rewrite(path, config=many.encode()), "layers. At most|over 1000000 values|would unpack")


def test_many_small_values(path: Path) -> None:
    refused(rewrite(path, config=b"[" + b"[]," * 5_000_000 + b"[]]"), "over 1000000 values")
    refused(rewrite(path, config=b'"' + b'\\"' * 7_000_000 + b'"'), "JSON object")
    refused(rewrite(path, config=b'["' + b'\\"' * 7_000_000), "no valid JSON")


def test_a_config_of_many_bytes(path: Path) -> None:
    refused(rewrite(path, config=b" " * (17 << 20)), "would unpack")


def operation(module: str, name: str, *args: Any, **config: Any) -> dict[str, Any]:
    start = {**layer("InputLayer", batch_shape=[None, 8, 8, 4], name="x"), "name": "x", "inbound_nodes": []}
    made = {
        **described(module, name, name="op", **config),
        "name": "op",
        "inbound_nodes": [{"args": args, "kwargs": {}}],
    }
    inside = {"layers": [start, made], "input_layers": [["x", 0, 0]], "output_layers": [["op", 0, 0]], "name": "m"}
    return described("keras.src.models.functional", "Functional", **inside)


TENSOR = {
    "class_name": "__keras_tensor__",
    "config": {"shape": [None, 8, 8, 4], "dtype": "float32", "keras_history": ["x", 0, 0]},
}
NUMPY = "keras.src.ops.numpy"
OPERATIONS_OF_MUCH = {
    "repeat": operation(NUMPY, "Repeat", TENSOR, repeats=10**9, axis=1),
    "tile": operation(NUMPY, "Tile", TENSOR, repeats=[1, 1, 10**9, 1]),
    "pad": operation(NUMPY, "Pad", TENSOR, pad_width=[[0, 0], [0, 0], [10**9, 0], [0, 0]], mode="reflect"),
    "broadcast": operation(NUMPY, "BroadcastTo", TENSOR, shape=[10**9, 8, 8, 4]),
    "split": operation(NUMPY, "Split", TENSOR, indices_or_sections=10**9, axis=1),
    "constants": operation(NUMPY, "Tile", [1.0], repeats=[10**10]),
    "constants of zeros": operation(NUMPY, "Full", shape=[10**10], fill_value=0.0),
    "one hot": operation("keras.src.ops.nn", "OneHot", TENSOR, num_classes=10**12),
}


@pytest.mark.parametrize("kind", OPERATIONS_OF_MUCH)
def test_operations_of_much(path: Path, kind: str) -> None:
    refused(rewrite(path, config=OPERATIONS_OF_MUCH[kind]))


assert ops.relu  # imports all of them
REFUSALS = (StriateError, ValueError, TypeError, IndexError, OverflowError, NotImplementedError)


@pytest.mark.parametrize("where", sorted(OPERATIONS), ids=lambda w: w[1])
def test_every_operation_is_bounded(where: tuple[str, str]) -> None:
    """Whatever numbers a file gives to an operation: no memory is taken while it is read."""
    function = OPERATIONS[where]
    parameters = list(inspect.signature(function).parameters.values())
    for shape in ((None, 8, 8, 4), (2, 3), (2**30, 2)):
        for value in (10**9, [10**9], [10**9] * 4, [[10**9, 10**9]] * 4, -(10**9)):
            given: list[Any] = []
            named: dict[str, Any] = {}
            for parameter in parameters:
                if parameter.kind is parameter.VAR_KEYWORD:
                    continue
                if parameter.name in TENSOR_ARGUMENTS and parameter.name not in ("key", "indices", "fill_value"):
                    many = parameter.name in ("xs", "arrays", "tensors")
                    tensor = KerasTensor(shape)
                    named[parameter.name] = [tensor, tensor] if many else tensor
                elif parameter.kind is parameter.VAR_POSITIONAL:
                    given.append(KerasTensor(shape))
                elif parameter.default is parameter.empty or isinstance(parameter.default, int | type(None)):
                    named[parameter.name] = value
            with frugal(64, 2), loading_limits(1 << 20, 1000), contextlib.suppress(*REFUSALS):
                function(*given, **named)


def test_limits_end_with_the_loading(path: Path) -> None:
    """After a file was read or refused, models of any size can be made."""
    keras.models.load_model(path)
    with pytest.raises(LoadError):
        keras.models.load_model(rewrite(path, config=HUGE["units"][0]))
    assert keras.Sequential([keras.Input((100,)), layers.Dense(100_000)]).count_params() == 10_100_000
