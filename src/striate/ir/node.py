"""Nodes and values: one application of an op, and one result of it. Both are immutable.

Three ops have no definition in `ir/ops`, since they compute nothing: "input", "variable" and "constant".
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.ir.attrs import Attrs
from striate.ir.types import TensorType

_serial = itertools.count()

SOURCES = frozenset({"input", "variable", "constant"})


@dataclass(frozen=True)
class SourceAttrs(Attrs):
    """Of "input" and "variable": the position in Graph.inputs or Graph.variables, and a name for people."""

    index: int
    name: str


@dataclass(frozen=True, eq=False)
class ConstantAttrs(Attrs):
    """Of "constant": its value. Compared by content, so that equal constants fold into one."""

    value: np.ndarray[Any, Any]

    def _key(self) -> tuple[str, tuple[int, ...], bytes]:
        return str(self.value.dtype), self.value.shape, self.value.tobytes()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConstantAttrs) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __str__(self) -> str:
        return f"{self.value.dtype}{list(self.value.shape)}"


class Node:
    """One application of an op. Equal only to itself; `serial` is its place in the order of tracing."""

    __slots__ = ("attrs", "inputs", "op", "serial", "types")

    def __init__(
        self,
        op: str,
        inputs: tuple[Value, ...],
        attrs: Attrs,
        types: tuple[TensorType, ...],
        serial: int | None = None,
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.attrs = attrs
        self.types = types
        self.serial = next(_serial) if serial is None else serial

    def result(self, index: int = 0) -> Value:
        return Value(self, index)

    @property
    def results(self) -> tuple[Value, ...]:
        return tuple(Value(self, i) for i in range(len(self.types)))

    def __repr__(self) -> str:
        return f"<{self.op} #{self.serial}: {', '.join(map(str, self.types))}>"


@dataclass(frozen=True, slots=True)
class Value:
    """One result of a node."""

    node: Node
    index: int = 0

    @property
    def type(self) -> TensorType:
        return self.node.types[self.index]

    @property
    def op(self) -> str:
        return self.node.op

    @property
    def attrs(self) -> Any:
        return self.node.attrs

    @property
    def inputs(self) -> tuple[Value, ...]:
        return self.node.inputs

    def __repr__(self) -> str:
        return f"%{self.node.serial}.{self.index}:{self.type}"


def replace(
    what: Node | Value,
    *,
    op: str | None = None,
    inputs: Sequence[Value] | None = None,
    attrs: Attrs | None = None,
    types: tuple[TensorType, ...] | None = None,
) -> Node:
    """A copy of a node with some parts changed, at the same place in the order."""
    node = what.node if isinstance(what, Value) else what
    return Node(
        op or node.op,
        node.inputs if inputs is None else tuple(inputs),
        node.attrs if attrs is None else attrs,
        types or node.types,
        node.serial,
    )


def input_node(index: int, name: str, type_: TensorType) -> Node:
    return Node("input", (), SourceAttrs(index, name), (type_,))


def variable_node(index: int, name: str, type_: TensorType) -> Node:
    return Node("variable", (), SourceAttrs(index, name), (type_,))


def constant_node(value: np.ndarray[Any, Any]) -> Node:
    held = np.array(value, copy=True)
    held.setflags(write=False)
    return Node("constant", (), ConstantAttrs(held), (TensorType(held.shape, held.dtype.name),))
