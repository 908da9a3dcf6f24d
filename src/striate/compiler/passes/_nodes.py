"""What passes make nodes with: a new node takes the place of an old one in the order of tracing."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.ir.attrs import NO_ATTRS, Attrs
from striate.ir.graph import ConstantAttrs, Node, Value
from striate.ir.opdef import infer_types
from striate.ir.types import TensorType

Array = np.ndarray[Any, Any]


def node_at(place: Node, op: str, *inputs: Value, attrs: Attrs = NO_ATTRS) -> Node:
    """A node with its types inferred, run where `place` was."""
    return Node(op, inputs, attrs, infer_types(op, tuple(v.type for v in inputs), attrs), place.serial)


def value_at(place: Node, op: str, *inputs: Value, attrs: Attrs = NO_ATTRS) -> Value:
    return node_at(place, op, *inputs, attrs=attrs).result()


def constant_at(place: Node, array: Array) -> Value:
    held = np.array(array, copy=True)
    held.setflags(write=False)
    return Node("constant", (), ConstantAttrs(held), (TensorType(held.shape, held.dtype.name),), place.serial).result()


def constant_value(value: Value) -> Array | None:
    """The array of a constant; None for anything else."""
    return value.attrs.value if isinstance(value.attrs, ConstantAttrs) else None


def is_filled_with(value: Value, number: float) -> bool:
    """Whether every element is known to be `number`."""
    if value.op == "broadcast_to":
        return is_filled_with(value.inputs[0], number)
    array = constant_value(value)
    return array is not None and array.size > 0 and bool((array == number).all())
