"""Dtypes meet as Keras's do (read off Keras 3.15.1; int64 is kept, as on TensorFlow)."""

from __future__ import annotations

import numpy as np
import pytest

from striate import ops

# x1, x2 -> add, divide, power, equal
PROMOTION = [
    ("int32", "float32", "float32", "float32", "float32"),
    ("uint8", "int32", "int32", "float32", "int32"),
    ("uint8", "float16", "float16", "float16", "float16"),
    ("float16", "float32", "float32", "float32", "float32"),
    ("int64", "int32", "int64", "float32", "int64"),
    ("bool", "int32", "int32", "float32", "int32"),
    ("bool", "bool", "bool", "float32", "int32"),
    ("int32", 2, "int32", "float32", "int32"),
    ("uint8", 2, "uint8", "float32", "uint8"),
    ("bool", 2, "int32", "float32", "int32"),
    ("int32", 2.5, "float32", "float32", "float32"),
    ("float16", 2.5, "float16", "float16", "float16"),
    ("float32", np.float64(2.5), "float32", "float32", "float32"),
]


@pytest.mark.parametrize(("first", "second", "add", "divide", "power"), PROMOTION)
def test_two_tensors_meet(first: str, second: object, add: str, divide: str, power: str) -> None:
    a = np.ones((2, 2), first)
    b = np.ones((2, 2), second) if isinstance(second, str) else second
    assert ops.add(a, b).dtype == add
    assert ops.add(b, a).dtype == add
    assert ops.divide(a, b).dtype == divide
    assert ops.power(a, b).dtype == power
    assert ops.equal(a, b).dtype == "bool"
    assert ops.where(a > 0, a, b).dtype == add


UNARY = {
    "exp sqrt sin floor mean var softmax gelu": {"int32": "float32", "bool": "float32", "float16": "float16"},
    "sum square cumsum": {"int32": "int32", "bool": "int32", "float16": "float16"},
    "sum prod": {"uint8": "uint32"},
    "max abs": {"bool": "bool", "uint8": "uint8", "int32": "int32"},
    "relu": {"bool": "int32", "int32": "int32", "float16": "float16"},
    "argmax argsort": {"float32": "int32", "uint8": "int32"},
    "isnan logical_not any": {"int32": "bool", "float32": "bool"},
}


@pytest.mark.parametrize("names", UNARY)
def test_one_tensor_gives(names: str) -> None:
    for name in names.split():
        for given, wanted in UNARY[names].items():
            assert getattr(ops, name)(np.ones((2, 2), given)).dtype == wanted, (name, given)


def test_numbers_and_lists() -> None:
    assert ops.add(1, 2).dtype == "int32"
    assert ops.add(1, 2.0).dtype == "float32"
    assert ops.add([1, 2], [3.0, 4.0]).dtype == "float32"
    assert ops.zeros(2).dtype == "float32"
    assert ops.full((2,), 3).dtype == "float32"
    assert ops.arange(3).dtype == "int32"
    assert ops.arange(3.0).dtype == "float32"
