"""Kernels that may write over an input give the same bits there as apart from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate.compiler.plan.inplace import ELEMENTWISE, PAIRS, may_share
from striate.compiler.plan.select import choose_kernel
from striate.engine.executable import Executable
from striate.engine.program import Buffer, Program, Step
from striate.ir.graph import Node, input_node
from striate.ir.opdef import OPS, make_node
from striate.ir.types import TensorType
from tests.support.cases import Case, all_cases

CASES = [c for c in all_cases() if c.op in ELEMENTWISE or c.op in PAIRS]


def test_every_op_named_is_an_op_and_has_cases() -> None:
    named = ELEMENTWISE | set(PAIRS)
    assert named <= set(OPS)
    assert named == {c.op for c in CASES}


def node_of(case: Case) -> Node:
    sources = [input_node(i, "", TensorType(a.shape, a.dtype.name)) for i, a in enumerate(case.inputs)]
    return make_node(case.op, tuple(s.result() for s in sources), case.attrs)


def run(case: Case, node: Node, kernel: str, over: dict[int, int]) -> list[np.ndarray[Any, Any]]:
    """The results, each in a Variable of its own or over the Variable that holds an input (`over`: result -> input)."""
    types = [v.type for v in node.inputs]
    places, variables = [], list(types)
    for i, t in enumerate(node.types):
        if i in over:
            places.append(Buffer(1 + over[i], 0, t))
        else:
            places.append(Buffer(1 + len(variables), 0, t))
            variables.append(t)
    inputs = tuple(Buffer(1 + i, 0, t) for i, t in enumerate(types))
    step = Step(node.op, kernel, inputs, tuple(places), node.attrs)
    program = Program(0, (step,), (), (), tuple(variables), writes=tuple(range(len(variables))))

    class Held:
        def __init__(self, array: np.ndarray[Any, Any]) -> None:
            self.array, self.version = array, 0

    held = [Held(a.copy()) for a in case.inputs]
    held += [Held(np.full(t.dims, 7, t.dtype)) for t in variables[len(types) :]]
    Executable(program).run([], held)
    return [held[p.base - 1].array.copy().view(t.dtype) for p, t in zip(places, node.types, strict=True)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_same_bits_in_place(case: Case) -> None:
    node = node_of(case)
    kernel = choose_kernel(node).kernel
    if kernel is None:  # another dtype, or no elements
        return
    apart = run(case, node, kernel, {})
    pairs = [(r, o) for r in range(len(node.types)) for o in range(len(node.inputs)) if may_share(node, True, r, o)]
    choices: list[dict[int, int]] = [{r: o} for r, o in pairs]
    for order in (pairs, pairs[::-1]):  # and as many results at once as there are inputs for
        together: dict[int, int] = {}
        for r, o in order:
            if r not in together and o not in together.values():
                together[r] = o
        choices.append(together)
    for over in choices:
        for got, wanted in zip(run(case, node, kernel, over), apart, strict=True):
            assert got.tobytes() == wanted.tobytes(), over
