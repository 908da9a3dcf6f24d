"""Pickles of plain data read without running any code: numbers, bytes, texts, lists, dicts, arrays of unsigned bytes.

A pickle is a program: it may ask for any function of any module, and call it. Here the only names it gets are the three
that NumPy's arrays are written with, in NumPy 1's spelling and NumPy 2's. What stands behind them is not NumPy's but
the inert objects below, which take the arguments apart and make an array of exactly the bytes given.
"""

from __future__ import annotations

import io
import math
import pickle
from typing import Any

import numpy as np

from striate.core.errors import UnsafeFileError

#: what NumPy writes for unsigned bytes: their order does not matter
_UNSIGNED_BYTES = (b"u1", "u1", b"uint8", "uint8")
#: (version, byte order, subtype, names, fields, size, alignment, flags)
_DTYPE_STATE = (3, "|", None, None, None, -1, -1, 0)
_PLAIN = (bytes, str, int, float, bool, type(None))


class _ArrayType:
    """Stands for numpy.ndarray: it is only ever named."""

    __slots__ = ()


class _ByteType:
    """Stands for a numpy.dtype of unsigned bytes."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        texts = tuple(part.decode("latin-1") if isinstance(part, bytes) else part for part in state)
        if texts != _DTYPE_STATE:
            raise UnsafeFileError(f"An array's type is described by {state!r}. Only unsigned bytes are read.")


class _MakeType:
    """Stands for numpy.dtype, called with ("u1", align, copy)."""

    __slots__ = ()

    def __call__(self, name: Any, *more: Any) -> _ByteType:
        if name not in _UNSIGNED_BYTES:
            raise UnsafeFileError(f"An array of type {name!r} is refused: only unsigned bytes are read.")
        return _ByteType()


class _Bytes:
    """An array that is being read: first empty, then given its state (version, shape, type, by columns, bytes)."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: np.ndarray[Any, Any] | None = None

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, by_columns, content = state
        sides = isinstance(shape, tuple) and all(type(side) is int and side >= 0 for side in shape)
        if not sides or not isinstance(kind, _ByteType) or not isinstance(content, bytes):
            raise UnsafeFileError("An array is not written as NumPy writes arrays of unsigned bytes. It is refused.")
        if math.prod(shape) != len(content):
            raise UnsafeFileError(f"An array says that its shape is {shape}, but {len(content):,} bytes follow.")
        self.values = np.frombuffer(content, np.uint8).reshape(shape, order="F" if by_columns else "C")


class _Reconstruct:
    """Stands for NumPy's function that makes an empty array, called with (ndarray, (0,), b"b")."""

    __slots__ = ()

    def __call__(self, kind: Any, *more: Any) -> _Bytes:
        if not isinstance(kind, _ArrayType):
            raise UnsafeFileError("Something else than an array is made where arrays are. It is refused.")
        return _Bytes()


class _Plain(pickle.Unpickler):
    """An unpickler that knows four names; nothing else can be asked of it."""

    def find_class(self, module: str, name: str) -> Any:
        made: dict[tuple[str, str], Any] = {
            ("numpy", "ndarray"): _ArrayType(),
            ("numpy", "dtype"): _MakeType(),
            ("numpy.core.multiarray", "_reconstruct"): _Reconstruct(),
            ("numpy._core.multiarray", "_reconstruct"): _Reconstruct(),
        }
        if (module, name) not in made:
            raise UnsafeFileError(
                f"The pickle asks for {module}.{name}. A pickle may run any code by such names, so only plain data is "
                "read: numbers, bytes, texts, lists, dicts, and arrays of unsigned bytes."
            )
        return made[module, name]


def _plain(value: Any, depth: int = 0) -> Any:
    """The value with its arrays in place, and a proof that nothing else is in it."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, _Bytes) and value.values is not None:
        return value.values
    if depth < 8:  # CIFAR's are two deep; a list may hold itself
        if type(value) in (list, tuple):
            return type(value)(_plain(inner, depth + 1) for inner in value)
        if type(value) is dict:
            return {_plain(key, depth + 1): _plain(inner, depth + 1) for key, inner in value.items()}
    raise UnsafeFileError(f"The pickle holds {type(value).__name__.strip('_')}, nested {depth} deep. It is refused.")


def read_plain_pickle(content: bytes, what: str) -> Any:
    """What a pickle of plain data holds; texts that Python 2 wrote are bytes.

    Args:
        content: the pickle.
        what: its name, for errors.

    Raises:
        UnsafeFileError: it holds or asks for anything else, or is damaged.
    """
    try:
        return _plain(_Plain(io.BytesIO(content), encoding="bytes").load())
    except UnsafeFileError as error:
        raise UnsafeFileError(f"{what}: {error}") from error
    except Exception as error:
        # A damaged pickle can fail in as many ways as there are instructions.
        raise UnsafeFileError(f"{what} is no pickle of plain data, or damaged: {error!r}.") from error
