"""Files that were cut off or changed in places: a clean error or a model, never anything else."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import striate as keras
from striate.core.errors import LoadError
from striate.saving.hdf5 import read_weights
from striate.saving.keras_archive import load_archive
from tests.saving.files import config_of, members, rewrite, saved, small, watched

pytestmark = pytest.mark.filterwarnings("ignore:.*are not loaded:UserWarning")
FEW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("good"))


def tried(content: bytes) -> Any:
    """The model of these bytes; None where they are refused. Any other error is the test's failure."""
    try:
        return load_archive(io.BytesIO(content))
    except LoadError as error:
        assert 20 < len(str(error)) < 5000
        return None


def flipped(content: bytes, places: list[tuple[float, int]]) -> bytes:
    out = bytearray(content)
    for where, value in places:
        out[min(int(where * len(out)), len(out) - 1)] ^= value
    return bytes(out)


PLACES = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), min_size=1, max_size=8)


@FEW
@given(at=st.floats(0, 1, exclude_max=True))
def test_cut_off(good: Path, at: float) -> None:
    content = good.read_bytes()
    assert tried(content[: int(at * len(content))]) is None


@FEW
@given(places=PLACES)
def test_changed_anywhere(good: Path, places: list[tuple[float, int]]) -> None:
    tried(flipped(good.read_bytes(), places))


@FEW
@given(places=PLACES)
def test_changed_in_the_weights(good: Path, tmp_path: Path, places: list[tuple[float, int]]) -> None:
    """The archive's checksums are right, so that HDF5 itself meets the damage."""
    model = small()
    content = flipped(members(good)["model.weights.h5"], places)
    try:
        read_weights(model, content)
    except LoadError as error:
        assert 20 < len(str(error)) < 5000


@FEW
@given(at=st.floats(0, 1, exclude_max=True))
def test_cut_off_weights(good: Path, at: float) -> None:
    content = members(good)["model.weights.h5"]
    with pytest.raises(LoadError):
        read_weights(small(), content[: int(at * len(content))])


@FEW
@given(places=PLACES)
def test_changed_in_the_config(good: Path, tmp_path: Path, places: list[tuple[float, int]]) -> None:
    path = tmp_path / "x.keras"
    path.write_bytes(good.read_bytes())
    tried(rewrite(path, config=flipped(members(good)["config.json"], places)).read_bytes())


KEYS = ["class_name", "config", "module", "name", "layers", "units", "x"]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8)
    | st.sampled_from(["Dense", "keras.layers", "__lambda__", "function", "relu", "Functional", "Sequential", "x"]),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inside, max_size=4),
    max_leaves=12,
)  # fmt: skip


def places_in(config: Any) -> list[tuple[Any, Any]]:
    """(container, key) of every value of a config."""
    found: list[tuple[Any, Any]] = []
    items = config.items() if isinstance(config, dict) else enumerate(config) if isinstance(config, list) else ()
    for key, value in items:
        found.append((config, key))
        found += places_in(value)
    return found


FUNCTIONAL = None


@FEW
@given(data=st.data())
@pytest.mark.parametrize("kind", ["sequential", "functional"])
def test_other_values_in_a_config(good: Path, tmp_path: Path, kind: str, data: st.DataObject) -> None:
    """Any value of config.json replaced by any other: layers' arguments, calls, names, the compilation."""
    path = tmp_path / "x.keras"
    if kind == "sequential":
        path.write_bytes(good.read_bytes())
    else:
        start = keras.Input((4, 4, 2), name="a")
        inside = keras.layers.Conv2D(2, 3, name="b", padding="same")(start)
        inside = keras.layers.Add(name="c")([inside, keras.layers.BatchNormalization(name="n")(start)])
        end = keras.layers.Dense(1, name="d")(keras.layers.Flatten(name="f")(keras.ops.relu(inside)[:, 1:]))
        model = keras.Model(start, end, name="m")
        model.compile("sgd", "mse", metrics=["mae"])
        model.save(path)
    config = config_of(path)
    for _ in range(data.draw(st.integers(1, 2))):
        places = places_in(config)
        container, key = places[data.draw(st.integers(0, len(places) - 1))]
        if data.draw(st.booleans()):
            container[key] = data.draw(ANYTHING)
        elif isinstance(container, dict):
            container[data.draw(st.sampled_from(["extra", "name", "module", "units"]))] = container.pop(key)
        else:
            del container[key]
    text = json.dumps(config).encode()
    rewrite(path, config=text)
    with watched(path):
        try:
            keras.models.load_model(path)
        except LoadError as error:
            assert 20 < len(str(error)) < 5000
