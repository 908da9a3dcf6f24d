"""What loading a file may cost: bytes of new Variables, calls of layers, and how large a symbolic tensor may be.

A config of a few bytes can name a layer with 10**12 units, a tensor of 10**15 elements, or models that call each other
2**40 times. While a file is read everything that grows with its numbers is booked here before it is made.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from striate.core.errors import LoadError

#: elements of one sample's tensor: 8 GB of float32, more than any network's activation on a CPU.
MAX_ELEMENTS = 2**31
#: axes of a tensor; NumPy before 2.0 has no more.
MAX_RANK = 32


class _Budget:
    __slots__ = ("calls", "nbytes")

    def __init__(self, nbytes: int, calls: int) -> None:
        self.nbytes = nbytes
        self.calls = calls


class _State(threading.local):
    budget: _Budget | None = None


_STATE = _State()


@contextmanager
def loading_limits(nbytes: int, calls: int) -> Iterator[None]:
    """Inside, new Variables take at most `nbytes` bytes together, and models call layers at most `calls` times."""
    outer, _STATE.budget = _STATE.budget, _Budget(nbytes, calls)
    try:
        yield
    finally:
        _STATE.budget = outer


def is_limited() -> bool:
    """Whether a file is being read."""
    return _STATE.budget is not None


def book_allocation(nbytes: int, what: str) -> None:
    """Count memory that is about to be taken; nothing outside `loading_limits`.

    Raises:
        LoadError: the limit is reached.
    """
    budget = _STATE.budget
    if budget is None:
        return
    if nbytes > budget.nbytes:
        raise LoadError(
            f"The file describes a model with larger weights than the file can hold: {what} needs {nbytes} bytes. "
            "It is refused."
        )
    budget.nbytes -= nbytes


def book_call() -> None:
    """Count a call that a model makes of one of its layers; nothing outside `loading_limits`.

    Raises:
        LoadError: too many of them.
    """
    budget = _STATE.budget
    if budget is None:
        return
    budget.calls -= 1
    if budget.calls < 0:
        raise LoadError(
            "The file describes models that call each other more often than its size allows. It is refused."
        )


def check_tensor(shape: Sequence[int | None]) -> None:
    """Look at a symbolic tensor's size; nothing outside `loading_limits`.

    Raises:
        LoadError: one that no machine could hold.
    """
    if _STATE.budget is None:
        return
    if len(shape) > MAX_RANK or math.prod(d for d in shape if d is not None) > MAX_ELEMENTS:
        shown = f"of shape {tuple(shape)}" if len(shape) <= MAX_RANK else f"with {len(shape)} axes"
        raise LoadError(
            f"The file describes a tensor {shown}. Tensors of at most {MAX_ELEMENTS} elements a sample and {MAX_RANK} "
            "axes are read. It is refused."
        )
