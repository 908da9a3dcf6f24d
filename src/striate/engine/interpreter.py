"""Runs a Graph by the references of its ops: what a graph means, and the judge of every plan made from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from striate.core.errors import EngineError
from striate.ir.graph import ConstantAttrs, Graph, SourceAttrs, Value
from striate.ir.opdef import run_reference

Array = np.ndarray[Any, Any]


def interpret(graph: Graph, inputs: Sequence[Array], variables: Sequence[Array]) -> tuple[list[Array], list[Array]]:
    """The outputs of a graph, and the value of every variable afterwards (unchanged ones too). Nothing is written.

    Args:
        graph: any graph whose shapes are all known.
        inputs: one array for each of `graph.inputs`, of its type.
        variables: one array for each of `graph.variables`, of its type.

    Raises:
        EngineError: an op's reference gave another type than its shape rule promised.
    """
    values: dict[Value, Array] = {}
    last = {value: node for node in graph.nodes for value in node.inputs}
    kept = set(graph.roots)
    for node in graph.nodes:
        if node.op in ("input", "variable"):
            assert isinstance(node.attrs, SourceAttrs)
            given = (inputs if node.op == "input" else variables)[node.attrs.index]
            results: tuple[Array, ...] = (np.asarray(given),)
        elif node.op == "constant":
            assert isinstance(node.attrs, ConstantAttrs)
            results = (node.attrs.value,)
        else:
            results = run_reference(node.op, tuple(values[v] for v in node.inputs), node.attrs)
        for value, array in zip(node.results, results, strict=True):
            if array.shape != value.type.shape or array.dtype.name != value.type.dtype:
                raise EngineError(
                    f"{node.op}: received {array.dtype.name}{list(array.shape)}, expected {value.type}. "
                    "Mend the op's infer or reference, or the array that was given."
                )
            values[value] = array
        for value in node.inputs:
            if last[value] is node and value not in kept:
                values.pop(value, None)
    after = [np.asarray(v) for v in variables]
    for index, value in graph.updates:
        after[index] = values[value]
    return [np.array(values[v]) for v in graph.outputs], [np.array(v) for v in after]
