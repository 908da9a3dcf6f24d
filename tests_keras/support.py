"""What several comparisons share."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

import striate

#: Arguments newer than the rest, which we leave out of files at their defaults so that older Keras reads them.
NEWER = {
    "quantization_config": None, "input_axes": None, "output_axes": None, "renorm": False, "renorm_clipping": None,
    "renorm_momentum": 0.99, "synchronized": False, "optional": False, "activity_regularizer": None,
    "mask": None, "training": False,
}  # fmt: skip
#: ... and those of single classes.
NEWER_OF: dict[str, dict[str, Any]] = {
    "Resizing": {"pad_to_aspect_ratio": False, "fill_mode": "constant", "fill_value": 0.0, "antialias": False},
    "ZeroPadding1D": {"data_format": "channels_last"},
    "Tversky": {"axis": None},
    "SparseCategoricalCrossentropy": {"ignore_class": None},
}
#: what `training` is in a call that was not given it: the default of the layer's own `call`, True for preprocessing.
TRAINING = (False, True)


class KerasError(Exception):
    """Real Keras raised; `kinds` are the names of the class and its bases."""

    def __init__(self, kinds: list[str], text: str, trace: str) -> None:
        super().__init__(f"{kinds[0]}: {text}\n{trace}")
        self.kinds = kinds
        #: the file that raised, where Keras did not wrap the error of another library.
        self.place = [line for line in trace.splitlines() if line.lstrip().startswith("File ")][-1]


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def same_config(ours: Any, theirs: Any, more: tuple[str, ...] = ()) -> None:
    """Two serialized objects say the same: same places and keys, but for newer ones at their defaults.

    Args:
        more: keys that only ours has.
    """
    _compare(_plain(ours), _plain(theirs), "", set(more), {})


def _left_out(described: dict[str, Any]) -> dict[str, Any]:
    """What the config of an object may lack: newer arguments, and an operation's name, which stands beside it too."""
    if str(described.get("module")).startswith("keras.src.ops."):
        return {"name": described.get("name", described["config"].get("name"))}
    return NEWER_OF.get(str(described.get("class_name")), {})


def _compare(ours: Any, theirs: Any, where: str, more: set[str], newer: dict[str, Any]) -> None:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        inside = _left_out(theirs) if isinstance(theirs.get("config"), dict) else {}
        extra = set(ours) - set(theirs) - more
        assert not extra, f"{where}: Keras does not know {sorted(extra)}"
        for key, value in theirs.items():
            if key in ("shared_object_id", "build_config"):
                continue
            if key in ours:
                _compare(ours[key], value, f"{where}.{key}", more, inside if key == "config" else {})
            else:
                known = value in TRAINING if key == "training" else key in NEWER and value == NEWER[key]
                known = known or (key in newer and value == newer[key])
                assert known, f"{where}: {key}={value!r} is missing"
    elif isinstance(ours, list) and isinstance(theirs, list):
        assert len(ours) == len(theirs), f"{where}: {ours} against {theirs}"
        for i, (a, b) in enumerate(zip(ours, theirs)):
            _compare(a, b, f"{where}[{i}]", more, {})
    elif isinstance(ours, float) or isinstance(theirs, float):
        assert abs(ours - theirs) <= 1e-6 * max(1, abs(theirs)), f"{where}: {ours} against {theirs}"
    else:
        assert ours == theirs, f"{where}: {ours!r} against {theirs!r}"


def same_both_ways(oracle: Any, ours: Any, theirs: Any, more: tuple[str, ...] = ()) -> None:
    """Configs say the same; real Keras makes an equal object of ours, and we make one of theirs."""
    described = striate.saving.serialize_keras_object(ours)
    same_config(described, theirs, more)
    same_config(described, oracle("revive", described=described)["config"], more)
    read = striate.saving.deserialize_keras_object(theirs)
    assert type(read) is type(ours)
    same_config(striate.saving.serialize_keras_object(read), theirs, more)


def close(got: Any, expected: Any, factor: float = 2e-5) -> None:
    """Compare element by element, with a bound relative to the largest magnitude of the expected array."""
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.shape == expected.shape, f"shape {got.shape}, expected {expected.shape}"
    scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    np.testing.assert_allclose(got, expected, rtol=factor, atol=factor * scale)


def ours(source: str, **given: Any) -> Any:
    """The answer of a script run with Striate in Keras's place; see oracle.run_script."""
    striate.utils.clear_session()
    scope: dict[str, Any] = {"keras": striate, "np": np, **given}
    exec(source, scope)
    return scope["result"]


def both(oracle: Any, source: str, **given: Any) -> tuple[Any, Any]:
    """(our answer, real Keras's) of one script."""
    return ours(source, **given), oracle("run_script", source=source, **given)


def all_close(got: Any, expected: Any, factor: float, where: str = "") -> None:
    """Nested results agree: the same structure and strings, numbers within `factor`."""
    if isinstance(expected, dict):
        assert isinstance(got, dict) and list(got) == list(expected), f"{where}: {list(got)}, expected {list(expected)}"
        for key in expected:
            all_close(got[key], expected[key], factor, f"{where}.{key}")
    elif isinstance(expected, list | tuple):
        assert len(got) == len(expected), f"{where}: {len(got)} items, expected {len(expected)}"
        for i, (a, b) in enumerate(zip(got, expected)):
            all_close(a, b, factor, f"{where}[{i}]")
    elif isinstance(expected, str | bool | type(None)):
        assert got == expected, f"{where}: {got!r}, expected {expected!r}"
    else:
        try:
            close(got, expected, factor)
        except AssertionError as error:
            raise AssertionError(f"{where}: {error}") from None
