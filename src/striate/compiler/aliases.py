"""Ops that only relabel a buffer: their result is the input's memory under another shape, so they are no steps."""

from __future__ import annotations

from striate.ir.graph import Value

ALIASES = frozenset({"reshape", "stop_gradient"})


def root(value: Value) -> Value:
    """The value whose memory this one is."""
    while value.op in ALIASES:
        value = value.inputs[0]
    return value
