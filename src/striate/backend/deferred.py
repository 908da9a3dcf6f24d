"""Weights whose first values nobody will read.

A file is about to give them: their initializers run only where it gives none. Drawing them would be in vain; and a file
of a few kB can name orthogonal matrices that take minutes to make. Or a model is only counted and drawn: then there are
none are drawn: AlexNet's 61 million take 10 s and 244 MB.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np


class _Variable(Protocol):
    version: int

    @property
    def shape(self) -> tuple[int, ...]: ...

    def write(self, value: np.ndarray[Any, Any]) -> None: ...


#: draws a Variable's first value.
Draw = Callable[[], "np.ndarray[Any, Any]"]


class _State(threading.local):
    #: id -> (Variable, how it is drawn); None outside a loading.
    waiting: dict[int, tuple[_Variable, Draw]] | None = None
    #: whether new Variables stay zeros.
    shapes_only: bool = False


_STATE = _State()


@contextmanager
def values_from_file() -> Iterator[None]:
    """Inside, initializers of new Variables wait; those that nothing was written to are drawn at the end."""
    outer, _STATE.waiting = _STATE.waiting, {}
    try:
        yield
        waiting, _STATE.waiting = _STATE.waiting, None  # drawing may make Variables
        _draw(waiting.values())
    finally:
        _STATE.waiting = outer


@contextmanager
def only_shapes() -> Iterator[None]:
    """Inside, new Variables are zeros that nobody has written: an initializer would draw them in vain.

    For a model that is made to be looked at (`summary`, counts, plans) and then forgotten. The system gives memory for
    zeros only where they are touched.
    """
    outer, _STATE.shapes_only = _STATE.shapes_only, True
    try:
        yield
    finally:
        _STATE.shapes_only = outer


def stays_zero() -> bool:
    """Whether what is made now is never drawn."""
    return _STATE.shapes_only


def wait(variable: _Variable, draw: Draw) -> bool:
    """Let a new Variable wait for its value; False outside a loading, where it is drawn now."""
    if _STATE.waiting is None:
        return False
    _STATE.waiting[id(variable)] = variable, draw
    return True


def draw_now(variables: Iterable[_Variable]) -> None:
    """Draw those that still wait: code of the user's is about to look at them."""
    waiting = _STATE.waiting
    if waiting is not None:
        _draw([waiting.pop(id(v)) for v in variables if id(v) in waiting])


def _draw(waiting: Iterable[tuple[_Variable, Draw]]) -> None:
    for variable, draw in waiting:
        if variable.version == 0:
            variable.write(draw())
