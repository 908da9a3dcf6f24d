"""to_keras and from_keras where there is no Keras; how files name what only Striate has. With Keras: tests_keras."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate
from striate.backend.closed_table import OURS_ALONE
from striate.core.errors import ArgumentError, LoadError
from tests.saving.files import config_of, saved, small, with_config

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def no_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keras", None)  # import keras raises ImportError


@pytest.mark.usefixtures("no_keras")
@pytest.mark.parametrize("call", [lambda: striate.to_keras(small()), striate.saving.register_in_keras])
def test_without_keras(call: Any) -> None:
    with pytest.raises(ImportError, match=r"needs real Keras 3 .*pip install keras jax"):
        call()


@pytest.mark.parametrize("version", ["2.15.0", ""])
def test_an_older_keras_is_not_enough(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    old = types.ModuleType("keras")
    old.__version__ = version  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keras", old)
    with pytest.raises(ImportError, match=f"Received: keras {version or 'without a version'}"):
        striate.to_keras(small())


def test_what_is_no_model_of_keras() -> None:
    with pytest.raises(ArgumentError, match=r"takes a model of real Keras. Received: Sequential of Striate.*to_keras"):
        striate.from_keras(small())
    with pytest.raises(ArgumentError, match=r"takes a model of Keras. Received: builtins.dict"):
        striate.from_keras({})


# What only Striate has -----------------------------------------------------------------------------------------------


def test_the_list_is_complete() -> None:
    """Everything that a config may name and that the table of Keras's signatures calls `not in Keras`."""
    lines = (ROOT / "tests/golden/keras_signatures.txt").read_text().splitlines()
    alone = {line.partition(":")[0] for line in lines if line.endswith(": not in Keras")}
    kinds = ("activations", "constraints", "initializers", "layers", "losses", "metrics", "optimizers", "regularizers")
    expected = {name for name in alone if name.partition(".")[0] in kinds}
    # A function that Keras has as losses.cosine_similarity, where its files find it; layers beside its ConvNeXt; a
    # function that makes a MultiOptimizer.
    elsewhere = {
        "metrics.cosine_similarity", "layers.LayerScale", "layers.StochasticDepth", "optimizers.discriminative"
    }  # fmt: skip
    assert expected - elsewhere == OURS_ALONE


def own() -> Any:
    model = striate.Sequential(
        [
            striate.Input((6, 6, 2)),
            striate.layers.LocalResponseNormalization(3),
            striate.layers.TableConv2D([[0, 1], [1]], 3, activation="scaled_tanh"),
            striate.layers.Flatten(),
            striate.layers.Dense(84, kernel_initializer=striate.initializers.FanInUniform(2.0)),
            striate.layers.EuclideanRBF(10, centers_initializer=striate.initializers.DigitCodes()),
        ]
    )
    model.compile("sgd", striate.losses.sparse_penalty, metrics=[striate.metrics.SparsePenaltyAccuracy()])
    return model


def test_files_name_it_as_registered(tmp_path: Path) -> None:
    path = saved(tmp_path, own())
    config = config_of(path)["config"]["layers"]
    assert [layer["registered_name"] for layer in config] == [
        None, "striate>LocalResponseNormalization", "striate>TableConv2D", None, None, "striate>EuclideanRBF",
    ]  # fmt: skip
    assert config[2]["config"]["activation"]["registered_name"] == "striate>scaled_tanh"
    x = np.random.default_rng(1).normal(size=(2, 6, 6, 2)).astype("float32")
    loaded = striate.models.load_model(path)
    assert loaded.loss is striate.losses.sparse_penalty
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), own_with(loaded, x))


def own_with(other: Any, x: Any) -> Any:
    model = own()
    model.set_weights(other.get_weights())
    return model.predict(x, verbose=0)


def test_older_files_called_it_keras_s(tmp_path: Path) -> None:
    path = saved(tmp_path, own())
    text = json.dumps(config_of(path)).replace("striate.", "keras.").replace("striate>", "")
    with_config(path, lambda _: json.loads(text))
    loaded = striate.models.load_model(path)
    assert type(loaded.layers[0]) is striate.layers.LocalResponseNormalization
    assert loaded.layers[1].activation is striate.activations.scaled_tanh


@pytest.mark.parametrize(
    "named",
    [
        {"module": "striate.core.files", "class_name": "write_atomically", "config": {}},
        {"module": "striate.layers", "class_name": "Lambda", "config": {}, "registered_name": "striate>Lambda"},
        {"module": "striate.layers", "class_name": "Dense", "config": {"units": 1}, "registered_name": "striate>Dense"},
    ],
)
def test_nothing_else_is_found_by_our_own_name(tmp_path: Path, named: Any) -> None:
    path = saved(tmp_path)
    with_config(path, lambda c: c["config"]["layers"].append(named))
    with pytest.raises(LoadError, match="Unknown"):
        striate.models.load_model(path)


def test_a_user_s_class_does_not_stand_in_for_ours(tmp_path: Path) -> None:
    path = saved(tmp_path, own())

    class Mine(striate.layers.Layer):
        pass

    loaded = striate.models.load_model(path, custom_objects={"TableConv2D": Mine, "striate>TableConv2D": Mine})
    assert type(loaded.layers[1]) is striate.layers.TableConv2D
