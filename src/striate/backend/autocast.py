"""Float Variables read in another dtype than they are kept in: mixed precision."""

from __future__ import annotations

from typing import Any

from striate.backend.context import STATE
from striate.backend.dtypes import is_float_dtype, standardize_dtype
from striate.core.errors import ArgumentError


class AutocastScope:
    """Inside, float Variables made with `autocast=True` are read as `dtype`; None ends an outer scope.

    Layers enter it around `call`, so that a user's layer of the policy "mixed_bfloat16" multiplies bfloat16 inputs by
    bfloat16 weights without a cast of its own. Assigning keeps the Variable's own dtype.

    Source: `keras.src.backend.AutocastScope`.

    Raises:
        ValueError: a dtype that is no float.

    Example:
        >>> v = Variable([0.1])
        >>> with AutocastScope("float16"):
        ...     print(v.dtype, v.value)
        float16 [0.1]
    """

    def __init__(self, dtype: Any) -> None:
        if dtype is not None and not is_float_dtype(dtype):
            raise ArgumentError(
                "`AutocastScope` can only be used with a floating-point target dtype, such as 'float16'. "
                f"Received: dtype={dtype!r}."
            )
        self.dtype = None if dtype is None else standardize_dtype(dtype)
        self._outer: list[str | None] = []

    def __enter__(self) -> AutocastScope:
        self._outer.append(STATE.autocast)
        STATE.autocast = self.dtype
        return self

    def __exit__(self, *error: object) -> None:
        STATE.autocast = self._outer.pop()


def scope_of(compute: str, variable: str, casts: bool) -> AutocastScope | None:
    """The scope that a layer of these dtypes enters, or None where what is around it will do."""
    around = STATE.autocast
    if around is None:
        return AutocastScope(compute) if casts and compute != variable and is_float_dtype(compute) else None
    if not casts or not is_float_dtype(compute):
        return AutocastScope(None)
    return AutocastScope(compute) if around != compute else None
