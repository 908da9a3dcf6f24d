"""What several comparisons share."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

#: Arguments newer than the rest, which we leave out of files at their defaults so that older Keras reads them.
NEWER = {
    "quantization_config": None, "input_axes": None, "output_axes": None, "renorm": False, "renorm_clipping": None,
    "renorm_momentum": 0.99, "synchronized": False, "optional": False, "activity_regularizer": None,
}  # fmt: skip


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def same_config(ours: Any, theirs: Any) -> None:
    """Two serialized objects say the same: same places and keys, but for newer ones at their defaults."""
    _compare(_plain(ours), _plain(theirs), "")


def _compare(ours: Any, theirs: Any, where: str) -> None:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        extra = set(ours) - set(theirs)
        assert not extra, f"{where}: Keras does not know {sorted(extra)}"
        for key, value in theirs.items():
            if key in ("shared_object_id", "build_config"):
                continue
            if key in ours:
                _compare(ours[key], value, f"{where}.{key}")
            else:
                assert key in NEWER and value == NEWER[key], f"{where}: {key}={value!r} is missing"
    elif isinstance(ours, list) and isinstance(theirs, list):
        assert len(ours) == len(theirs), where
        for i, (a, b) in enumerate(zip(ours, theirs)):
            _compare(a, b, f"{where}[{i}]")
    elif isinstance(ours, float) or isinstance(theirs, float):
        assert abs(ours - theirs) <= 1e-6 * max(1, abs(theirs)), f"{where}: {ours} against {theirs}"
    else:
        assert ours == theirs, f"{where}: {ours!r} against {theirs!r}"


def close(got: Any, expected: Any, factor: float = 2e-5) -> None:
    """Compare element by element, with a bound relative to the largest magnitude of the expected array."""
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.shape == expected.shape, f"shape {got.shape}, expected {expected.shape}"
    scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    np.testing.assert_allclose(got, expected, rtol=factor, atol=factor * scale)
