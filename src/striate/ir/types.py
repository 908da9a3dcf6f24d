"""What is known of a tensor before it has a value: shape and element type."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

#: Axis lengths; None where a functional model leaves one open (the batch). Programs have none.
Shape: TypeAlias = tuple[int | None, ...]

#: dtype name -> the code the engine knows it by (csrc/base/kernel.h, enum DType: the same order).
DTYPES: dict[str, int] = {
    "float32": 0,
    "int32": 1,
    "int64": 2,
    "uint8": 3,
    "bool": 4,
    "float64": 5,
    "float16": 6,
    "bfloat16": 7,
    "int8": 8,
    "int16": 9,
    "uint16": 10,
    "uint32": 11,
    "uint64": 12,
}


def numpy_dtype(name: str) -> np.dtype[Any]:
    """The NumPy dtype of one of our dtype names (bfloat16 comes from ml_dtypes)."""
    wanted: Any = name
    if name == "bfloat16":
        import ml_dtypes

        wanted = ml_dtypes.bfloat16
    dtype: np.dtype[Any] = np.dtype(wanted)
    return dtype


_NAMES = {np.dtype(name): name for name in DTYPES if name != "bfloat16"}


def dtype_name(dtype: np.dtype[Any]) -> str:
    """`dtype.name`, which NumPy puts together anew at each call (a microsecond, in every op that runs at once)."""
    return _NAMES.get(dtype) or str(dtype.name)


@dataclass(frozen=True, slots=True)
class TensorType:
    """Shape and dtype of one result of a node."""

    shape: Shape
    dtype: str = "float32"

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def is_static(self) -> bool:
        """True when every axis has a length."""
        return None not in self.shape

    @property
    def dims(self) -> tuple[int, ...]:
        """The shape, all lengths known (a Program's always are)."""
        assert self.is_static, f"shape {self.shape} has an open axis"
        return self.shape  # type: ignore[return-value]

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.dims)

    @property
    def nbytes(self) -> int:
        return self.size * numpy_dtype(self.dtype).itemsize

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join('?' if d is None else str(d) for d in self.shape)}]"
