"""What loops compute in Python (conversions of data, class weights, logs) rounds as the kernels do."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from striate import backend

P = ParamSpec("P")
R = TypeVar("R")


def rounds_to_nearest(method: Callable[P, R]) -> Callable[P, R]:
    """Give a method the usual rounding, whatever the caller has set (fesetround); the caller's comes back after it.

    Callbacks and data of users, which run inside, find the usual treatment of denormals too.
    """

    @wraps(method)
    def rounded(*args: P.args, **kwargs: P.kwargs) -> R:
        with backend.arithmetic(flush_denormals=False):
            return method(*args, **kwargs)

    return rounded
