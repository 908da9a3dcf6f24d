"""The gradient of an op by spelling it out in smaller ops and differentiating those: for rare gradients (second
derivatives), where a rule written by hand would only be a place for mistakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from striate.ir.attrs import Attrs
from striate.ir.graph import SOURCES, Node, Value
from striate.ir.opdef import Emit, call_vjp
from striate.ir.ops._terms import Term


def _between(inputs: tuple[Value, ...], results: tuple[Value, ...]) -> list[Node]:
    """The nodes from inputs to results, users first; the walk stops at the inputs, whatever they come from."""
    order: list[Node] = []
    seen = {v.node for v in inputs}

    def visit(node: Node) -> None:
        if node in seen or node.op in SOURCES:
            return
        seen.add(node)
        for v in node.inputs:
            visit(v.node)
        order.append(node)

    for v in results:
        visit(v.node)
    return order[::-1]


def gradients_of(parts: Callable[..., Any]) -> Callable[..., Any]:
    """A vjp for an op whose meaning is `parts(*inputs as Terms[, attrs])`."""

    def vjp(emit: Emit, g: Any, *rest: Any) -> tuple[Value | None, ...]:
        inputs = tuple(v for v in rest if isinstance(v, Value))
        attrs = [a for a in rest if isinstance(a, Attrs)]
        got = parts(*(Term(emit, v) for v in inputs), *attrs)
        results = tuple(t.value for t in (got if isinstance(got, tuple) else (got,)))
        grads: dict[Value, Value] = {}

        def add(v: Value, grad: Value | None) -> None:
            if grad is not None:
                grads[v] = emit("add", grads[v], grad) if v in grads else grad

        for v, grad in zip(results, g if isinstance(g, tuple) else (g,), strict=True):
            add(v, grad)
        for node in _between(inputs, results):
            own = tuple(grads.get(v) for v in node.results)
            if any(o is not None for o in own):
                for v, grad in zip(node.inputs, call_vjp(node, own), strict=True):
                    add(v, grad)
        # pop: an input given twice has its whole gradient once.
        return tuple(grads.pop(v, None) for v in inputs)

    return vjp
