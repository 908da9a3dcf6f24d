"""Older .h5 files that ask for more than loading data, or are damaged: refused quickly, with a clear error."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import striate as keras
from striate.core.errors import LoadError, UnsafeFileError
from striate.saving.older_h5 import load_older_model, read_older_weights
from tests.saving.files import frugal, watched

DENSE = {"class_name": "Dense", "config": {"units": 3, "name": "d", "batch_input_shape": [None, 4]}}
MODEL = {"class_name": "Sequential", "config": {"name": "s", "layers": [DENSE]}}
TRAINING = {"loss": "mse", "metrics": [], "optimizer_config": {"class_name": "Adam", "config": {"learning_rate": 0.5}}}


def small() -> Any:
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="d")])


def good(path: Path, change: Callable[[h5py.File], None] | None = None) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(MODEL)
        file.attrs["training_config"] = json.dumps(TRAINING)
        file.attrs["keras_version"] = "2.15.0"
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [b"d"]
        layer = weights.create_group("d")
        layer.attrs["weight_names"] = [b"d/kernel:0", b"d/bias:0"]
        layer["d/kernel:0"] = np.ones((4, 3), "float32")
        layer["d/bias:0"] = np.ones(3, "float32")
        if change is not None:
            change(file)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return good(tmp_path / "m.h5")


def test_the_hand_written_file_loads(path: Path) -> None:
    model = keras.models.load_model(path)
    assert model.predict(np.ones((1, 4), "float32"), verbose=0).tolist() == [[5.0, 5.0, 5.0]]
    assert float(model.optimizer.learning_rate) == 0.5


def renamed(config: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file.attrs["model_config"] = json.dumps(config)

    return change


def attribute(place: str, name: str, value: Any, kind: Any = None) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file[place].attrs.create(name, value, dtype=kind)

    return change


def soft(file: h5py.File) -> None:
    del file["model_weights/d/d/bias:0"]
    file["model_weights/d/d/bias:0"] = h5py.SoftLink("/model_weights/d/d/kernel:0")


def external(file: h5py.File) -> None:
    del file["model_weights/d"]
    file["model_weights/d"] = h5py.ExternalLink("/etc/passwd", "/d")


def elsewhere(file: h5py.File) -> None:
    del file["model_weights/d/d/bias:0"]
    file["model_weights/d/d"].create_dataset("bias:0", (3,), "float32", external=[("/etc/passwd", 0, 12)])


def bomb(file: h5py.File) -> None:
    del file["model_weights/d/d/kernel:0"]
    made = file["model_weights/d/d"].create_dataset("kernel:0", (1 << 14, 1 << 16), "float32", chunks=True)
    assert made.size == 1 << 30


def one_group(file: h5py.File) -> None:
    names = [f"l{i}".encode() for i in range(9000)]
    file["model_weights"].attrs["layer_names"] = np.asarray(names)
    for name in names:
        file["model_weights"][name.decode()] = file["model_weights/d"]


def deep(levels: int) -> Any:
    config: Any = MODEL
    for _ in range(levels):
        config = {"class_name": "Sequential", "config": {"name": "s", "layers": [config]}}
    return config


def dense(**config: Any) -> Any:
    return {"class_name": "Sequential", "config": {"layers": [{**DENSE, "config": {**DENSE["config"], **config}}]}}


LAMBDA = {"class_name": "Lambda", "config": {"name": "l", "function": ["4wEAAAA=", None, None], "module": "os"}}
WITH_CODE = {"class_name": "Sequential", "config": {"layers": [DENSE, LAMBDA]}}
HOSTILE: dict[str, tuple[Callable[[h5py.File], None], type[LoadError], str]] = {
    "code": (renamed(WITH_CODE), UnsafeFileError, "never runs"),
    "code by name": (
        renamed(dense(activation={"class_name": "__lambda__", "config": {"value": "x"}})), UnsafeFileError, "lambda",
    ),
    "any class": (renamed({"class_name": "os.system", "config": {"name": "x"}}), LoadError, "Unknown 'os.system'"),
    "any module": (
        renamed(dense(kernel_initializer={"module": "os", "class_name": "system", "config": {}})), LoadError, "Unknown",
    ),
    "units without end": (renamed(dense(units=10**12)), LoadError, "larger weights than the file"),
    "deep JSON": (renamed(deep(60)), LoadError, "nested deeper"),
    "no JSON": (attribute("/", "model_config", "{"), LoadError, "no valid JSON"),
    "no text": (attribute("/", "model_config", 7), LoadError, "Expected text"),
    "a list": (attribute("/", "model_config", [b"{}", b"{}"]), LoadError, "holds no model"),
    "no UTF-8": (attribute("/", "model_config", np.bytes_(b"\xff\xfe{}")), LoadError, "not in UTF-8"),
    "a soft link": (soft, UnsafeFileError, "SoftLink"),
    "an external link": (external, UnsafeFileError, "ExternalLink"),
    "values in another file": (elsewhere, UnsafeFileError, "other files"),
    "a shape bomb": (bomb, LoadError, r"shape \(16384, 65536\)"),
    "one group, often": (one_group, UnsafeFileError, "Two layers of the file have one group"),
    "a layer that is not there": (
        attribute("model_weights", "layer_names", [b"../../d"]), LoadError, "has no group '../../d'",
    ),
    "a weight that is not there": (
        attribute("model_weights/d", "weight_names", [b"d/kernel:0", b"x"]), LoadError, "no dataset /model_weights/d/x",
    ),
    "too few weights": (
        attribute("model_weights/d", "weight_names", [b"d/kernel:0"]), LoadError, "has 2 weights, but the file has 1",
    ),
    "numbers for names": (attribute("model_weights/d", "weight_names", [1, 2]), LoadError, "Expected text"),
    "names without end": (
        attribute("model_weights", "layer_names", np.full((60000,), b"d")), LoadError, "over 50000 names",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_refused(tmp_path: Path, kind: str) -> None:
    change, error, says = HOSTILE[kind]
    path = good(tmp_path / "m.h5", change)
    with watched(path), frugal(), pytest.raises(error, match=says) as raised:
        keras.models.load_model(path)
    assert len(str(raised.value)) < 5000


@pytest.mark.parametrize("kind", ["a soft link", "an external link", "a shape bomb", "one group, often"])
def test_weights_alone_are_refused_too(tmp_path: Path, kind: str) -> None:
    change, error, says = HOSTILE[kind]
    path, model = good(tmp_path / "m.h5", change), small()
    before = model.get_weights()
    with watched(path), frugal(), pytest.raises(error, match=says):
        model.load_weights(path)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


FEW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
PLACES = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), min_size=1, max_size=8)


@FEW
@pytest.mark.filterwarnings("ignore:.*(are|is) not loaded:UserWarning")
@given(places=PLACES, cut=st.floats(0, 1))
def test_changed_anywhere(path: Path, places: list[tuple[float, int]], cut: float) -> None:
    out = bytearray(path.read_bytes())
    for where, value in places:
        out[min(int(where * len(out)), len(out) - 1)] ^= value
    content = bytes(out if cut > 0.3 else out[: int(cut * len(out))])
    tried(lambda: load_older_model(content, "it"))
    tried(lambda: read_older_weights(small(), content))


def tried(load: Callable[[], Any]) -> None:
    """Any other error than a clean one is the test's failure."""
    try:
        load()
    except LoadError as error:
        assert 20 < len(str(error)) < 5000


def test_a_whole_model_is_refused_by_other_readers(path: Path) -> None:
    model = small()
    with pytest.raises(LoadError, match="expected at"):
        model.load_weights(_named(path, "w.weights.h5"))
    with pytest.raises(LoadError, match=r"no .keras file but HDF5"):
        keras.models.load_model(_named(path, "m.keras"))


def _named(path: Path, name: str) -> Path:
    other = path.with_name(name)
    other.write_bytes(path.read_bytes())
    return other


def test_readers_take_bytes_alone(path: Path) -> None:
    assert load_older_model(path.read_bytes(), "it").count_params() == 15
    with h5py.File(io.BytesIO(path.read_bytes()), "r") as file:
        assert "model_config" in file.attrs
