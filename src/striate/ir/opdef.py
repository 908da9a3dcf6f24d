"""One definition an op: shape rule, gradient and NumPy meaning, in the op's own file under `ir/ops`.

    infer(*types, attrs)            -> TensorType, or a tuple of them; shapes may hold None
    reference(*arrays, attrs)       -> array, or a tuple: slow, obvious, summed in float64; the judge of every kernel
    vjp(emit, g, *inputs, attrs)    -> one Value (or None) an input: dL/dinput as new nodes from g = dL/dresult

`attrs` is left out of all three where the op has none. In a vjp, `emit(op, *values, attrs=...)` makes a node and gives
its Value (a tuple where it has several results), and `emit.y` is the node's own result (a tuple where several, and then
g is a tuple too, with None where a result is not used). `emit.constant(x)` makes a constant.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from striate.ir.attrs import NO_ATTRS, Attrs
from striate.ir.graph import Node, Value, constant_node
from striate.ir.types import TensorType, numpy_dtype

Results = TensorType | tuple[TensorType, ...]


class Emit(Protocol):
    """What a gradient rule makes nodes with."""

    y: Any

    def __call__(self, op: str, *inputs: Value, attrs: Attrs = ...) -> Any: ...

    def constant(self, value: Any, dtype: str = ...) -> Value: ...


@dataclass(frozen=True)
class OpDef:
    """What is known of an op; see the module's docstring."""

    name: str
    attrs: type[Attrs] | None
    infer: Callable[..., Results]
    reference: Callable[..., Any]
    vjp: Callable[..., Any] | None
    #: why there is no native kernel and never will be ("" where one is expected): shown in the op table.
    host: str
    #: the module that defines the op: its file is the place to read.
    module: str


OPS: dict[str, OpDef] = {}


def _defining_module() -> str:
    """The module whose lines call define_op, through what several modules share (`ir/ops/_*.py`) or not."""
    frame: Any = sys._getframe(2)
    while "._" in frame.f_globals["__name__"]:
        frame = frame.f_back
    name: str = frame.f_globals["__name__"]
    return name


def define_op(
    name: str,
    *,
    infer: Callable[..., Results],
    reference: Callable[..., Any],
    vjp: Callable[..., Any] | None = None,
    attrs: type[Attrs] | None = None,
    host: str = "",
) -> OpDef:
    """Enter an op into the one table. `vjp=None` says that no gradient flows through it."""
    assert name not in OPS, f"op {name} is defined twice"
    OPS[name] = OpDef(name, attrs, infer, reference, vjp, host, _defining_module())
    return OPS[name]


def _with_attrs(attrs: Attrs) -> tuple[Attrs, ...]:
    return () if attrs is NO_ATTRS else (attrs,)


def infer_types(op: str, types: tuple[TensorType, ...], attrs: Attrs) -> tuple[TensorType, ...]:
    """The types of an op's results."""
    got = OPS[op].infer(*types, *_with_attrs(attrs))
    return got if isinstance(got, tuple) else (got,)


def run_reference(op: str, arrays: tuple[np.ndarray[Any, Any], ...], attrs: Attrs) -> tuple[np.ndarray[Any, Any], ...]:
    """The meaning of an op on arrays. Infinities and NaNs are answers, not warnings."""
    with np.errstate(all="ignore"):
        got = OPS[op].reference(*arrays, *_with_attrs(attrs))
    return tuple(np.asarray(r) for r in got) if isinstance(got, tuple) else (np.asarray(got),)


def make_node(op: str, inputs: tuple[Value, ...], attrs: Attrs = NO_ATTRS) -> Node:
    """A node with its types inferred; what tracing and passes make nodes with."""
    return Node(op, inputs, attrs, infer_types(op, tuple(v.type for v in inputs), attrs))


class Emitter:
    """The `emit` that gradient rules get: makes nodes, in order, and knows the forward node's own results."""

    def __init__(self, node: Node | None = None) -> None:
        results = node.results if node is not None else ()
        self.y: Any = results[0] if len(results) == 1 else results

    def __call__(self, op: str, *inputs: Value, attrs: Attrs = NO_ATTRS) -> Any:
        results = make_node(op, inputs, attrs).results
        return results[0] if len(results) == 1 else results

    def constant(self, value: Any, dtype: str = "float32") -> Value:
        return constant_node(np.asarray(value, numpy_dtype(dtype))).result()


def call_vjp(node: Node, grads: tuple[Value | None, ...]) -> tuple[Value | None, ...]:
    """The gradient rule of a node, applied to the gradients of its results."""
    rule = OPS[node.op].vjp
    if rule is None:
        return (None,) * len(node.inputs)
    g: Any = grads[0] if len(node.types) == 1 else grads
    got = rule(Emitter(node), g, *node.inputs, *_with_attrs(node.attrs))
    got = got if isinstance(got, tuple) else (got,)
    assert len(got) == len(node.inputs), f"vjp of {node.op} gave {len(got)} gradients for {len(node.inputs)} inputs"
    return got
