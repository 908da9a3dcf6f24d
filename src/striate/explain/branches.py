"""A block in words: what joins its ways, and what lies on each."""

from __future__ import annotations

from typing import Any

from striate.backend import FunctionalNode
from striate.explain import words


class Branches:
    """The ways through a block.

    Args:
        segment: its calls, in order.
        data_format: where maps have their channels.
    """

    def __init__(self, segment: list[FunctionalNode], data_format: str) -> None:
        self._segment, self._format = segment, data_format
        self._maker = {id(t): n for n in segment for t in n.outputs}
        joins = [n for n in segment if len(n.input_tensors) > 1]
        ways: list[list[FunctionalNode]] = []
        seen: set[int] = set()
        if joins:
            self.join = joins[-1]
            ways = [self._way(t, seen) for t in self.join.input_tensors]
        else:  # several inputs or outputs that meet nowhere
            self.join = segment[-1]
            ways = [segment]
        self._told = [self._items(way) for way in ways]
        self.kind = self._kind(ways)
        self.plain, self.what, self.aside, self.lines = self._describe()

    def _way(self, tensor: Any, seen: set[int]) -> list[FunctionalNode]:
        """The calls that lead to one input of the join, those of an earlier way left out."""
        found: list[FunctionalNode] = []
        stack = [tensor]
        while stack:
            node = self._maker.get(id(stack.pop()))
            if node is not None and id(node) not in seen:
                seen.add(id(node))
                found.append(node)
                stack += node.input_tensors
        order = {id(n): i for i, n in enumerate(self._segment)}
        return sorted(found, key=lambda n: order[id(n)])

    def _items(self, way: list[FunctionalNode]) -> tuple[str, ...]:
        items: list[str] = []
        for node in way:
            grid = words.grid_of(tuple(node.outputs[0].shape[1:]), self._format)
            if words.class_name(node.operation) == "Multiply" and len(node.input_tensors) > 1:
                items.append("squeeze and excitation")
            elif hasattr(node.operation, "_graph"):
                items.append(node.operation.name)
            elif words.is_mean(node) or (words.is_weighted(node) and grid and all(n == 1 for n in grid)):
                continue  # the factors of a squeeze and excitation
            elif (words.is_weighted(node) and (grid or not self._grids())) or (
                words.is_pool(node) and words.window_of(node.operation) != (1, 1)
            ):
                items.append(words.short(node, self._format))
        return tuple(items)

    def _grids(self) -> bool:
        """Whether maps come out of the block."""
        return len(self.join.outputs[0].shape) > 2

    def _kind(self, ways: list[list[FunctionalNode]]) -> str:
        joins = words.class_name(self.join.operation)
        if joins in ("Add", "Subtract"):
            return "residual block"
        if joins == "Concatenate":
            if any(not way for way in ways):
                return "dense block"
            return "inception block" if len(ways) > 2 else "parallel block"
        if joins == "Multiply" and any(words.is_mean(n) for n in self._segment):
            return "squeeze and excitation"
        return "block"

    def _describe(self) -> tuple[str, str, str, tuple[str, ...]]:
        told = [t for t in self._told if t]
        if self.kind == "squeeze and excitation":
            return self.kind, self.kind, "", ("squeeze and", "excitation")
        if self.kind in ("residual block", "dense block", "block"):
            told.sort(key=len, reverse=True)
            main, *others = told or [()]
            if (len(others) == 1 and len(others[0]) == 1) or not others:
                return block_words(self.kind, main, f"shortcut {others[0][0]}" if others else "")
        ways = f"{self.kind}: " + " | ".join("; ".join(t) or "as it is" for t in self._told)
        return ways, ways, "", (self.kind, f"{len(self._told)} ways")


def block_words(kind: str, items: tuple[str, ...], aside: str = "") -> tuple[str, str, str, tuple[str, ...]]:
    """(without steps, in full, what the first of a run has alone, lines of a drawing)."""
    plain = tuple(item.split(", step")[0] for item in items)
    said = f"{kind}: {'; '.join(items)}" + (f"; {aside}" if aside else "")
    steps = [item[at + 2 :] for item in items if (at := item.find(", step")) > 0]
    return f"{kind}: {'; '.join(plain)}", said, "; ".join([*steps[:1], *([aside] if aside else [])]), (kind, *plain)
