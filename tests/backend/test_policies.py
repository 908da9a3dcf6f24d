"""dtype policies as plain values."""

from __future__ import annotations

import pytest

from striate import dtype_policies, layers


def test_a_policy_comes_back() -> None:
    described = dtype_policies.serialize(dtype_policies.DTypePolicy("mixed_float16"))
    assert described["class_name"] == "DTypePolicy" and described["config"] == {"name": "mixed_float16"}
    assert dtype_policies.deserialize(described).name == "mixed_float16"
    assert layers.Dense(2, dtype="mixed_float16").get_config()["dtype"] == described


def test_another_class_is_no_policy() -> None:
    with pytest.raises(TypeError, match="Expected a DTypePolicy"):
        dtype_policies.deserialize({"class_name": "Dense", "config": {"name": "float16"}})
