"""dtype policies as files hold them."""

from __future__ import annotations

from typing import Any

from striate.backend.dtypes import DTypePolicy, get_dtype_policy
from striate.backend.serialization import serialize_keras_object
from striate.core.registry import export


@export("dtype_policies.serialize")
def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """A policy as plain values. Source: `keras.dtype_policies.serialize`.

    Example:
        >>> serialize(DTypePolicy("mixed_float16"))["config"]
        {'name': 'mixed_float16'}
    """
    return dict(serialize_keras_object(dtype_policy))


@export("dtype_policies.deserialize")
def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> DTypePolicy:
    """The policy that `serialize` described. Source: `keras.dtype_policies.deserialize`.

    Raises:
        TypeError: another description.

    Example:
        >>> deserialize(serialize(DTypePolicy("mixed_float16"))).compute_dtype
        'float16'
    """
    del custom_objects  # there is one kind of policy
    return get_dtype_policy(config)
