"""Which memory each value gets: a Variable's, an output's, a derived buffer, or a stay in the arena.

    new value of a Variable  written straight into it where nothing reads the old value any more, else copied at the end
    output                   written straight into the result array, else copied
    elementwise result       over an input that is read for the last time here
    reshape, stop_gradient   no step and no memory: the same bytes under another shape

What is left lives in the arena from the step that makes it to the last that reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from striate.compiler.aliases import ALIASES, root
from striate.compiler.derived import DerivedNodes
from striate.compiler.plan.inplace import may_share
from striate.compiler.plan.select import Choice, choose_copy, choose_kernel
from striate.ir.attrs import NO_ATTRS, Attrs
from striate.ir.graph import SOURCES, Graph, Node, Value
from striate.ir.types import TensorType

Array = np.ndarray[Any, Any]
Kind = Literal["arena", "input", "output", "variable", "constant", "derived"]


class Home:
    """A piece of memory that one value, or several after one another, live in. Equal only to itself."""

    __slots__ = ("first", "index", "kind", "last", "nbytes")

    def __init__(self, kind: Kind, index: int, nbytes: int) -> None:
        self.kind = kind
        self.index = index
        self.nbytes = nbytes
        #: first and last action that touches it, set for the arena's
        self.first = self.last = -1


@dataclass(frozen=True)
class Action:
    """One step to be: an op, by what kernel, from which homes to which."""

    op: str
    attrs: Attrs
    inputs: tuple[tuple[Home, TensorType], ...]
    outputs: tuple[tuple[Home, TensorType], ...]
    choice: Choice
    guard: int = -1


class _Assignment:
    def __init__(
        self,
        graph: Graph,
        order: Sequence[Node],
        derived: DerivedNodes,
        training: bool,
        chosen: Mapping[Node, Choice],
    ) -> None:
        self.graph = graph
        self.derived = derived
        self.steps = [n for n in order if n.op not in ALIASES]
        self.choices = {n: chosen.get(n) or choose_kernel(n, training=training) for n in self.steps}
        self.homes: dict[Value, Home] = {}
        self.constants: list[Array] = []
        #: copies before the first and after the last node: (from, to, type)
        self.start: list[tuple[Value | Home, Home, TensorType]] = []
        self.end: list[tuple[Value | Home, Home, TensorType]] = []
        self.variables = [Home("variable", i, n.types[0].nbytes) for i, n in enumerate(graph.variables)]
        #: the positions at which each root value is read
        self.readers: dict[Value, list[int]] = {}
        for position, node in enumerate(self.steps):
            for value in node.inputs:
                self.readers.setdefault(root(value), []).append(position)
        self.position = {n: i for i, n in enumerate(self.steps)}

    # -- sources, derived

    def home_of(self, value: Value) -> Home:
        """The home of a value that has one, sources included."""
        base = root(value)
        held = self.homes.get(base)
        if held is None and base.op in SOURCES:
            if base.op == "variable":
                held = self.variables[base.attrs.index]
            elif base.op == "input":
                held = Home("input", base.attrs.index, base.type.nbytes)
            else:
                held = Home("constant", len(self.constants), base.type.nbytes)
                self.constants.append(base.attrs.value)
            self.homes[base] = held
        assert held is not None, f"{value} has no home yet"
        return held

    # -- destinations

    def assign_derived(self) -> None:
        for value, index in self.derived.buffers.items():
            self.homes[value] = Home("derived", index, value.type.nbytes)

    def assign_updates(self) -> None:
        updates = [(i, root(v)) for i, v in self.graph.updates]
        updates = [(i, v) for i, v in updates if not (v.op == "variable" and v.attrs.index == i)]
        written = {i for i, _ in updates}
        for index, value in updates:
            target = self.variables[index]
            if value.op == "variable" and value.attrs.index in written:
                # Its own new value may be stored before the end: keep the old one.
                kept = Home("arena", 0, value.type.nbytes)
                self.start.append((value, kept, value.type))
                self.end.append((kept, target, value.type))
            elif value.op not in SOURCES and value not in self.homes and self._nobody_reads_old(index, value):
                self.homes[value] = target
            else:
                self.end.append((value, target, value.type))

    def _nobody_reads_old(self, index: int, value: Value) -> bool:
        """Whether the maker of `value` may write into Variable `index` at once."""
        made = self.position[value.node]
        old = self.graph.variables[index].result()
        if any(p > made for p in self.readers.get(old, ())):
            return False
        native = self.choices[value.node].kernel is not None
        return all(
            root(read) != old or may_share(value.node, native, value.index, operand)
            for operand, read in enumerate(value.node.inputs)
        )

    def assign_outputs(self) -> None:
        for index, output in enumerate(self.graph.outputs):
            value = root(output)
            target = Home("output", index, value.type.nbytes)
            if value.op in SOURCES:
                self.start.append((value, target, value.type))
            elif value not in self.homes:
                self.homes[value] = target
            else:
                self.end.append((value, target, value.type))

    def assign_arena(self) -> None:
        """The rest, in order, in place where an input dies."""
        last_read = {v: max(positions) for v, positions in self.readers.items()}
        last_read.update((v, len(self.steps)) for v, _, _ in self.end if isinstance(v, Value))
        # The position at which what now lies in a home is read last.
        until: dict[Home, int] = {}
        for position, node in enumerate(self.steps):
            taken: set[Home] = set()
            for index, value in enumerate(node.results):
                home = self.homes.get(value)
                if home is None:
                    dying = {h for h in map(self.home_of, node.inputs) if until.get(h) == position} - taken
                    home = self._shareable(node, index, dying) or Home("arena", 0, value.type.nbytes)
                    self.homes[value] = home
                taken.add(home)
                if home.kind == "arena":
                    until[home] = last_read.get(value, position)

    def _shareable(self, node: Node, index: int, dying: set[Home]) -> Home | None:
        """The home of an input that this result may take over."""
        native = self.choices[node].kernel is not None
        homes = [self.home_of(v) for v in node.inputs]
        for home in homes:
            if home in dying and all(
                may_share(node, native, index, operand) for operand, h in enumerate(homes) if h is home
            ):
                return home
        return None

    def actions(self) -> list[Action]:
        """Every step in order, with the homes' spans of life filled in."""
        made = [self._copy(*copy) for copy in self.start]
        for node in self.steps:
            inputs = tuple((self.home_of(v), v.type) for v in node.inputs)
            outputs = tuple((self.homes[v], v.type) for v in node.results)
            guard = self.derived.guard.get(node, -1)
            made.append(Action(node.op, node.attrs, inputs, outputs, self.choices[node], guard))
        made.extend(self._copy(*copy) for copy in self.end)
        for position, action in enumerate(made):
            for home, _ in (*action.inputs, *action.outputs):
                home.first = position if home.first < 0 else home.first
                home.last = position
        return made

    def _copy(self, source: Value | Home, target: Home, type_: TensorType) -> Action:
        home = source if isinstance(source, Home) else self.home_of(source)
        return Action("stop_gradient", NO_ATTRS, ((home, type_),), ((target, type_),), choose_copy(type_))


def assign(
    graph: Graph,
    order: Sequence[Node],
    derived: DerivedNodes,
    *,
    training: bool = False,
    chosen: Mapping[Node, Choice] | None = None,
) -> tuple[list[Action], list[Array]]:
    """The steps of a program, each with its kernel and the homes of its operands; and the constants, by index.

    Args:
        chosen: kernels that are settled; the others are chosen here.
    """
    work = _Assignment(graph, order, derived, training, chosen or {})
    work.assign_derived()
    work.assign_updates()
    work.assign_outputs()
    work.assign_arena()
    return work.actions(), work.constants
