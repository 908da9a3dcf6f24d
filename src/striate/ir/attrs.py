"""Attributes of a node: a frozen dataclass an op, encoded for the engine field by field.

The encoding is derived, so that a new op needs no lowering code of its own: fields in their order of definition,
int and bool as one integer, float as one float, a Literal of strings as its position in the Literal, a tuple of
ints as its length and then its items.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints


@cache
def _literals(cls: Any) -> dict[str, tuple[str, ...]]:
    hints = get_type_hints(cls)
    return {k: get_args(h) for k, h in hints.items() if get_origin(h) is Literal}


@dataclass(frozen=True)
class Attrs:
    """Base of every op's attributes; hashable, so that equal nodes can be found equal."""

    def encode(self) -> tuple[list[int], list[float]]:
        """(ints, floats) as `csrc/base/kernel.h` reads them from a StepSpec."""
        ints: list[int] = []
        floats: list[float] = []
        literals = _literals(type(self))  # type: ignore[arg-type]  # mypy takes a dataclass's __hash__ for the class's
        for field in dataclasses.fields(self):
            value: Any = getattr(self, field.name)
            if field.name in literals:
                ints.append(literals[field.name].index(value))
            elif isinstance(value, bool | int):
                ints.append(int(value))
            elif isinstance(value, float):
                floats.append(value)
            elif isinstance(value, tuple):
                ints.append(len(value))
                ints.extend(int(v) for v in value)
            else:
                raise AssertionError(f"{type(self).__name__}.{field.name}={value!r} has no encoding")
        return ints, floats

    def __str__(self) -> str:
        return ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in dataclasses.fields(self))


@dataclass(frozen=True)
class NoAttrs(Attrs):
    """For ops that are wholly said by their inputs."""

    def __str__(self) -> str:
        return ""


NO_ATTRS = NoAttrs()
