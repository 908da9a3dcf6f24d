"""What a model is made of, as a paper's table has it: layers with what goes along with them, blocks, runs of blocks.

A tensor through which everything flows cuts the model in two. What lies between two cuts is a layer, or, where the way
forks and joins again, a block. Only the graph is looked at, not the names that layers bear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from striate.backend import FunctionalNode
from striate.explain import words
from striate.explain.branches import Branches, block_words
from striate.layers.base import Layer
from striate.models.measure import fields_of, graph_of, multiply_adds, products_of

#: Models of more parts than this are told in runs: "3×3, 64" twice.
MOST = 14


@dataclass(frozen=True)
class Part:
    """A layer with its companions, a block, or a run of blocks that are alike.

    Args:
        name: of the layer, or what the names of a block's layers begin with.
        last: that of a run's last.
        kind: "input", a layer's kind ("convolution", "max pool", ...), or a block's ("residual block", ...).
        what: the kind with its sizes, in words.
        plain: `what` without steps and shortcuts, as the later ones of a run have it.
        aside: those, in words.
        lines: the same for a drawing, under its arrow.
        key: parts of the same key are a run, where they follow one another; None: never.
        shape: of the output, without the batch.
        window: rows and columns of its window; None where it has none, and for blocks.
        parameters, multiply_adds: of all that is in it, for one image.
        field: rows and columns of the image that a unit sees; None where that is all of it.
        count: how many a run has.
        is_block: whether there is more than one way through it, or several layers that belong together.
        node: the layer's call, where it is one layer.
    """

    name: str
    last: str
    kind: str
    what: str
    plain: str
    aside: str
    lines: tuple[str, ...]
    key: Any
    shape: tuple[int | None, ...]
    window: tuple[int, ...] | None
    parameters: int
    multiply_adds: int
    field: tuple[int, int] | None
    count: int = 1
    is_block: bool = False
    node: FunctionalNode | None = None


def data_format_of(model: Any) -> str:
    """ "channels_first" where a layer of the model has its maps first."""
    formats = {getattr(n.operation, "data_format", None) for n in graph_of(model).nodes}
    return "channels_first" if "channels_first" in formats else "channels_last"


def anatomy(model: Any) -> list[Part]:
    """The parts of a model, from its input on.

    Raises:
        ValueError: a model without a graph of layers (not built, or subclassed).
    """
    parts = _runs(_with_units(list(_Reader(model).parts())), lambda part: part.is_block)
    return _runs(parts, lambda part: True) if len(parts) > MOST else parts


def segments(model: Any) -> Iterator[list[FunctionalNode]]:
    """The calls between one cut and the next, in order."""
    graph = graph_of(model)
    uses: dict[int, int] = {id(t): 1 for t in graph.outputs}
    for node in graph.nodes:
        for tensor in node.input_tensors:
            uses[id(tensor)] = uses.get(id(tensor), 0) + 1
    live: dict[int, int] = {}
    gathered: list[FunctionalNode] = []
    inputs_left = sum(node.is_input for node in graph.nodes)
    for node in graph.nodes:
        gathered.append(node)
        inputs_left -= node.is_input
        for tensor in node.input_tensors:
            live[id(tensor)] -= 1
        live.update({id(t): uses[id(t)] for t in node.outputs if id(t) in uses})
        live = {key: n for key, n in live.items() if n}
        if len(live) == 1 and not inputs_left:
            yield gathered
            gathered = []
    if gathered:
        yield gathered


class _Reader:
    """Walks through a model's segments and makes parts of them."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._fields = fields_of(model)
        self._format = data_format_of(model)
        self._counted: set[int] = set()

    def parts(self) -> Iterator[Part]:
        done: Part | None = None
        waiting: list[FunctionalNode] = []  # companions of the layer to come
        for segment in segments(self._model):
            if len(segment) == 1 and words.is_companion(segment[0]):
                node = segment[0]
                same = node.input_tensors[0].shape == node.outputs[0].shape
                if same and done is not None and done.kind != "input" and not waiting:
                    done = self._with_companion(done, node)
                else:
                    waiting.append(node)
                continue
            if done is not None:
                yield done
            done = self._part(segment)
            for node in waiting:
                done = self._with_companion(done, node, before=True)
            waiting = []
        for node in waiting:  # nothing is to come
            if done is not None and all(n == 1 for n in words.grid_of(done.shape, self._format)):
                done = replace(self._with_companion(done, node), shape=tuple(node.outputs[0].shape[1:]))
                continue
            if done is not None:
                yield done
            done = self._layer(node)
        if done is not None:
            yield done

    def _with_companion(self, part: Part, node: FunctionalNode, before: bool = False) -> Part:
        said = "" if before or part.is_block else words.companion_words(node)
        extra = self._parameters([node])
        return replace(part, parameters=part.parameters + extra, what=part.what + (f"; {said}" if said else ""))

    def _part(self, segment: list[FunctionalNode]) -> Part:
        inputs = [n for n in segment if n.is_input]
        if len(segment) == len(inputs) == 1:
            return self._input(segment[0])
        if len(segment) == 1:
            return self._layer(segment[0])
        return self._block(segment)

    def _input(self, node: FunctionalNode) -> Part:
        shape = tuple(node.outputs[0].shape[1:])
        name = node.operation.name
        what = "image" if len(shape) == 3 else "input"
        return Part(name, name, "input", what, what, "", (), None, shape, None, 0, 0, (1, 1))

    def _layer(self, node: FunctionalNode) -> Part:
        layer = node.operation
        name = layer.name
        kind: str
        what: str
        lines: tuple[str, ...]
        window = words.window_of(layer)
        if hasattr(layer, "_graph"):
            inside = [n for n in graph_of(layer).nodes if words.is_weighted(n) or words.is_pool(n)]
            count = f"{len(layer.layers)} layers"
            what, lines, kind = f"the model {name}, {count}", ("model", count), "model"
            if len(inside) == 1:  # little more than that layer
                kind, lines, window = (
                    words.kind_of(inside[0]),
                    words.below(inside[0]),
                    words.window_of(inside[0].operation),
                )
                what = words.sentence(inside[0], self._format)
        elif words.is_weighted(node) or words.is_pool(node):
            kind, lines = words.kind_of(node), words.below(node)
            what = words.sentence(node, self._format)
            activation = words.activation_words(layer)
            what += f"; {activation}" if activation else ""
        else:
            kind = words.class_name(layer)
            what, lines = kind, (kind,)
        return Part(
            name, name, kind, what, what, "", lines, ("layer", what, tuple(node.outputs[0].shape)),
            tuple(node.outputs[0].shape[1:]), window, *self._costs([node]), self._field(node),
            is_block=kind == "model", node=node,
        )  # fmt: skip

    def _block(self, segment: list[FunctionalNode]) -> Part:
        found = Branches(segment, self._format)
        name = common_name([n.operation.name for n in segment if words.is_weighted(n) and words.has_own_name(n)])
        name = name or found.join.operation.name
        last = segment[-1]
        shape = tuple(last.outputs[0].shape[1:])
        same = words.grid_of(shape, self._format) if found.kind == "dense block" else shape
        key = ("block", found.plain, same)
        return Part(
            name, name, found.kind, found.what, found.plain, found.aside, found.lines, key, shape, None,
            *self._costs(segment), self._field(last), is_block=True,
        )  # fmt: skip

    def _field(self, node: FunctionalNode) -> tuple[int, int] | None:
        field = self._fields.get(id(node.outputs[0]))
        return None if field is None else (field[0][0], field[1][0])

    def _costs(self, nodes: list[FunctionalNode]) -> tuple[int, int]:
        products = sum(
            multiply_adds(n.operation) if hasattr(n.operation, "_graph") else products_of(n)
            for n in nodes
            if all(d is not None for t in (*n.outputs, *n.input_tensors) for d in t.shape[1:])
        )
        return self._parameters(nodes), products

    def _parameters(self, nodes: list[FunctionalNode]) -> int:
        """Of layers that were not met before."""
        total = 0
        for node in nodes:
            layer = node.operation
            if isinstance(layer, Layer) and id(layer) not in self._counted:
                self._counted.add(id(layer))
                total += layer.count_params()
        return total


def _with_units(parts: list[Part]) -> list[Part]:
    """Layers in a row that papers count as one block, as one part."""
    made: list[Part] = []
    i = 0
    while i < len(parts):
        size = _unit_at(parts, i)
        made.append(_unit(parts[i : i + size]) if size else parts[i])
        i += size or 1
    return made


def _unit_at(parts: list[Part], i: int) -> int:
    """How many parts from i on are one block; 0 for none.

    [1×1,] depthwise, [squeeze and excitation,] 1×1: MobileNets; 1×1, then two windows side by side: SqueezeNet.
    """

    def is_a(test: Callable[[FunctionalNode], bool], at: int) -> bool:
        node = parts[at].node if at < len(parts) else None
        return node is not None and test(node)

    def is_kind(kind: str, at: int) -> bool:
        return at < len(parts) and parts[at].kind == kind

    j = i + is_a(words.is_pointwise, i)
    if j > i and is_kind("parallel block", j):
        return 2
    if not is_a(words.is_depthwise, j):
        return 0
    j += 1 + is_kind("squeeze and excitation", j + 1)
    return j + 1 - i if is_a(words.is_pointwise, j) else 0


def _unit(parts: list[Part]) -> Part:
    first, last = parts[0], parts[-1]
    items = tuple(p.what.split("; ")[0].removeprefix("convolution ") for p in parts)
    kind = "bottleneck block" if words.is_pointwise(first.node) else "separable block"  # type: ignore[arg-type]
    if last.kind == "parallel block":
        kind, items = "fire block", (items[0], last.what.removeprefix("parallel block: "))
    plain, what, aside, lines = block_words(kind, items)
    name = common_name([p.name for p in parts if p.kind != "squeeze and excitation"]) or last.name
    return replace(
        last, name=name, last=name, kind=kind, what=what, plain=plain, aside=aside, lines=lines,
        key=("block", plain, last.shape), window=None, parameters=sum(p.parameters for p in parts),
        multiply_adds=sum(p.multiply_adds for p in parts), is_block=True, node=None,
    )  # fmt: skip


def counted(part: Part, said: str) -> str:
    """What is said of a part, with how many there are: "3 × residual block"; a dense block is one, of many layers."""
    if part.count == 1:
        return said
    if part.kind == "dense block":
        return said.replace(part.kind, f"{part.kind} of {part.count}", 1)
    return f"{part.count} × {said}"


def common_name(names: list[str]) -> str:
    """What names begin with, where that is likely to tell one block from the next; else ""."""
    name = words.common_start(*names).rstrip("_-")
    return name if len(names) > 1 and ("_" in name or any(c.isdigit() for c in name)) else ""


def _runs(parts: list[Part], may: Callable[[Part], bool]) -> list[Part]:
    """Parts of the same key that follow one another, as one."""
    made: list[Part] = []
    for part in parts:
        before = made[-1] if made else None
        if before is None or part.key is None or before.key != part.key or not may(part):
            made.append(part)
            continue
        first = f" (the first: {before.aside})" if before.aside else ""
        made[-1] = replace(
            before, last=part.last, count=before.count + part.count, shape=part.shape, field=part.field,
            what=f"{before.plain}{first}", parameters=before.parameters + part.parameters,
            multiply_adds=before.multiply_adds + part.multiply_adds,
        )  # fmt: skip
    return made
