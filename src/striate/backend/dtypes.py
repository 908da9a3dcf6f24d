"""Names of element types, Keras's promotion between them, and dtype policies.

Promotion is Keras's (after JAX's lattice): Python numbers are weak and take the other side's type; integers and floats
meet in the float; float16 and bfloat16 meet in float32; among integers NumPy's rule holds, except that uint64 with a
signed type gives a float.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from striate.backend import settings
from striate.core.errors import ArgumentError, DTypeError
from striate.core.registry import export
from striate.ir.types import DTYPES, dtype_name

_ALIASES = {"float": "float32", "int": "int32", "double": "float64", "half": "float16", "bool_": "bool"}
_FLOAT_RANK = {"float16": 0, "bfloat16": 0, "float32": 1, "float64": 2}


@export("backend.standardize_dtype", "utils.standardize_dtype")
def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype given as a name, a NumPy dtype, a Python type or a policy; floatx for None.

    Raises:
        ValueError: no dtype of ours.
    """
    if dtype is None:
        return settings.floatx()
    if isinstance(dtype, str) and dtype in DTYPES:
        return dtype
    if isinstance(dtype, np.dtype):
        dtype = dtype_name(dtype)
    if dtype is float:
        return settings.floatx()
    if dtype is int:
        return "int32"
    if dtype is bool:
        return "bool"
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None) or getattr(dtype, "__name__", None)
    name = _ALIASES.get(str(name), str(name))
    if name not in DTYPES:
        raise ArgumentError(f"Invalid dtype: {dtype!r}. Expected one of {', '.join(DTYPES)}.")
    return name


@export("backend.is_float_dtype")
def is_float_dtype(dtype: Any) -> bool:
    """Whether a dtype is one of the floats. Source: `keras.backend.is_float_dtype`."""
    return standardize_dtype(dtype) in _FLOAT_RANK


@export("backend.is_int_dtype")
def is_int_dtype(dtype: Any) -> bool:
    """Whether a dtype is one of the integers. Source: `keras.backend.is_int_dtype`."""
    return "int" in standardize_dtype(dtype)


def python_dtype(values: np.ndarray[Any, Any]) -> str | None:
    """What numbers of Python become: floatx, or int32 (int64 where one of them needs it); None for all else."""
    if values.dtype.kind == "i":
        fits = not values.size or (values.min() >= -(2**31) and values.max() < 2**31)
        return "int32" if fits else "int64"
    return settings.floatx() if values.dtype.kind == "f" else None


def _pair(a: str, b: str) -> str:
    if a == b:
        return a
    if a == "weak float" or b == "weak float":
        other = b if a == "weak float" else a
        return other if other in _FLOAT_RANK else ("weak float" if other == "weak int" else settings.floatx())
    if a == "weak int" or b == "weak int":
        other = b if a == "weak int" else a
        return "int32" if other == "bool" else other
    if a in _FLOAT_RANK or b in _FLOAT_RANK:
        if a in _FLOAT_RANK and b in _FLOAT_RANK:
            if _FLOAT_RANK[a] == _FLOAT_RANK[b]:
                return "float32"
            return a if _FLOAT_RANK[a] > _FLOAT_RANK[b] else b
        return a if a in _FLOAT_RANK else b
    promoted = np.promote_types(a, b).name
    return settings.floatx() if promoted == "float64" else promoted


@lru_cache(maxsize=4096)
def _result(names: tuple[str, ...], floatx: str) -> str:
    del floatx  # only part of the key
    result = names[0]
    # Weak types last: they yield to any strong one, in whatever order they were given.
    for name in sorted(names, key=lambda n: n.startswith("weak")):
        result = _pair(result, name)
    return {"weak float": settings.floatx(), "weak int": "int32"}.get(result, result)


def weak_name(thing: Any) -> str:
    """A dtype's name; for Python numbers and NumPy float64 scalars, "weak int" or "weak float"."""
    if thing is bool or isinstance(thing, bool | np.bool_):
        return "bool"
    if thing is int or isinstance(thing, int):
        return "weak int"
    if thing is float or isinstance(thing, float):
        # np.float64 is a float: np.sqrt(2) must not turn a float32 network into a float64 one.
        return "weak float"
    dtype = getattr(thing, "dtype", thing)
    return standardize_dtype(dtype)


@export("backend.result_type")
def result_type(*dtypes: Any) -> str:
    """The dtype that the given dtypes (or Python types, which are weak) meet in.

    Example:
        >>> result_type("int32", float)
        'float32'
    """
    if not dtypes:
        raise ArgumentError("result_type() takes at least one dtype. Received none.")
    first = tuple(weak_name(d) for d in dtypes)
    return _result(first, settings.floatx())


@export("DTypePolicy", "dtype_policies.DTypePolicy")
class DTypePolicy:
    """The dtypes a layer computes in and keeps its variables in.

    Source: `keras.DTypePolicy`. "float32" has both alike; "mixed_float16" and "mixed_bfloat16" compute in the
    short type.

    Args:
        name: a dtype's name, or "mixed_float16" or "mixed_bfloat16".
    """

    def __init__(self, name: str | None = None) -> None:
        name = name or settings.floatx()
        if name.startswith("mixed_"):
            self._compute, self._variable = standardize_dtype(name.removeprefix("mixed_")), "float32"
        else:
            self._compute = self._variable = standardize_dtype(name)
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    @property
    def compute_dtype(self) -> str:
        return self._compute

    @property
    def variable_dtype(self) -> str:
        return self._variable

    def get_config(self) -> dict[str, Any]:
        return {"name": self._name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and other._name == self._name

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self._name}">'


_global_policy: list[DTypePolicy | None] = [None]


@export("dtype_policies.get")
def get_dtype_policy(identifier: Any) -> DTypePolicy:
    """A policy from a policy, a dtype, a name, a config as files hold it, or None (the global one)."""
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        name = identifier.get("config", {}).get("name")
        if identifier.get("class_name") not in ("DTypePolicy", "FloatDTypePolicy") or not isinstance(name, str):
            raise DTypeError(f"Cannot interpret a layer's `dtype` config: {identifier}. Expected a DTypePolicy.")
        return DTypePolicy(name)
    if isinstance(identifier, str):
        return DTypePolicy(identifier)
    return DTypePolicy(standardize_dtype(identifier))


@export("config.dtype_policy", "mixed_precision.dtype_policy", "mixed_precision.global_policy")
def dtype_policy() -> DTypePolicy:
    """The policy of layers that name none."""
    return _global_policy[0] or DTypePolicy(settings.floatx())


@export("config.set_dtype_policy", "mixed_precision.set_dtype_policy", "mixed_precision.set_global_policy")
def set_dtype_policy(policy: Any) -> None:
    """Set the policy of layers made from now on that name none."""
    _global_policy[0] = get_dtype_policy(policy)
