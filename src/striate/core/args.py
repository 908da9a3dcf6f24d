"""Arguments as Keras takes them (int or tuple, "same" or "SAME"), made uniform once; errors say how to mend."""

from __future__ import annotations

import difflib
import operator
from collections.abc import Iterable, Sequence
from typing import Any

from striate.core.errors import ArgumentError


def _index(value: Any) -> int | None:
    """An int from int, NumPy integer and the like; None for anything else. A bool is no size."""
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def int_tuple(value: Any, n: int, name: str, *, allow_zero: bool = False) -> tuple[int, ...]:
    """`value` (one int, or n of them) as a tuple of n ints > 0 (>= 0 with allow_zero).

    Example:
        >>> int_tuple(3, 2, "kernel_size")
        (3, 3)
    """
    least = 0 if allow_zero else 1
    single = _index(value)
    if single is not None:
        items: list[int | None] = [single] * n
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        items = [_index(v) for v in value]
    else:
        items = []
    if len(items) != n or any(v is None or v < least for v in items):
        raise ArgumentError(
            f"`{name}` must be one integer or a tuple of {n} integers, each at least {least}. "
            f"Received: {name}={value!r}. Give e.g. {name}={max(least, 2)} or {name}={(max(least, 2),) * n}."
        )
    return tuple(v for v in items if v is not None)


def positive_int(value: Any, name: str) -> int:
    """`value` as an int of at least 1."""
    got = _index(value)
    if got is None or got < 1:
        raise ArgumentError(f"`{name}` should be a positive integer. Received: {name}={value!r}. Give e.g. {name}=32.")
    return got


def one_of(value: Any, name: str, allowed: Sequence[str]) -> str:
    """`value` in lower case, which must be one of `allowed`."""
    got = value.lower() if isinstance(value, str) else None
    if got not in allowed:
        hint = _closest(got, allowed)
        listed = " or ".join(repr(a) for a in allowed)
        raise ArgumentError(f"`{name}` must be {listed}. Received: {name}={value!r}.{hint}")
    return str(got)


def whole_number(value: Any, name: str) -> int:
    """An integer of any sign, NumPy's too."""
    got = _index(value)
    if got is None:
        raise ArgumentError(f"`{name}` is an integer. Received: {value!r} (of type {type(value).__name__}).")
    return got


def padding(value: Any, *, allow_causal: bool = False) -> str:
    """ "valid" or "same", in any case of letters ("causal" too for one dimension)."""
    return one_of(value, "padding", ("valid", "same", "causal") if allow_causal else ("valid", "same"))


def data_format(value: Any, default: str) -> str:
    """ "channels_last" or "channels_first"; None means `default`, the configured one."""
    return one_of(default if value is None else value, "data_format", ("channels_last", "channels_first"))


def fraction(value: Any, name: str) -> float:
    """`value` as a number in [0, 1]."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ArgumentError(
            f"Invalid value received for argument `{name}`. Expected a float value between 0 and 1. "
            f"Received: {name}={value!r}. Give e.g. {name}=0.5."
        )
    return value


def _closest(got: str | None, allowed: Iterable[str]) -> str:
    names = list(allowed)
    words = set(got.split("_")) if got else set()
    # "sparse_crossentropy" lacks a word of what is meant; by letters alone it is nearer to "binary_crossentropy".
    longer = [name for name in names if len(words) > 1 and words < set(name.split("_"))]
    close = difflib.get_close_matches(got, names, n=1, cutoff=0.65) if got else []
    found = longer if len(longer) == 1 else close
    return f" Did you mean {found[0]!r}?" if found else ""


def unknown_name(kind: str, name: object, known: Iterable[str]) -> ArgumentError:
    """The error for a name that is in no table, with the nearest one that is."""
    names = sorted(set(known))
    hint = _closest(name, names) if isinstance(name, str) else ""
    return ArgumentError(
        f"Could not interpret {kind} identifier: {name!r}.{hint} Give one of {', '.join(names)}, an object, or a "
        f"serialised config."
    )
