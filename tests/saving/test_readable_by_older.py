"""What is left out of configs so that older Keras 3 reads them, and what its files have elsewhere. Tried with those:
docs/files.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import striate as keras
from striate import layers, losses, metrics, ops
from tests.saving.files import config_of, rewrite, saved, small, with_weights
from tests.saving.own import same_bits, state

#: object -> keys that Keras 3.0 does not know there, while they have their defaults.
NEWER: list[tuple[Any, tuple[str, ...]]] = [
    (lambda: layers.Resizing(2, 2), ("pad_to_aspect_ratio", "fill_mode", "fill_value", "antialias")),
    (lambda: layers.ZeroPadding1D(1), ("data_format",)),
    (lambda: losses.Tversky(), ("axis",)),
    (lambda: metrics.SparseCategoricalCrossentropy(), ("ignore_class",)),
    (lambda: layers.BatchNormalization(), ("renorm", "renorm_clipping", "renorm_momentum")),
    (lambda: layers.Dense(1), ("quantization_config", "lora_rank", "lora_alpha")),
    (lambda: keras.initializers.HeNormal(), ("input_axes", "output_axes")),
]


@pytest.mark.parametrize("make, keys", NEWER, ids=lambda v: "" if callable(v) else ",".join(v))
def test_newer_arguments_at_their_defaults(make: Any, keys: tuple[str, ...]) -> None:
    assert not set(keys) & set(make().get_config())


def test_but_not_where_they_say_something() -> None:
    assert layers.Resizing(2, 2, antialias=True).get_config()["antialias"] is True
    assert layers.ZeroPadding1D(1, data_format="channels_first").get_config()["data_format"] == "channels_first"
    assert losses.Tversky(axis=1).get_config()["axis"] == 1
    made = layers.ZeroPadding1D.from_config(layers.ZeroPadding1D(1, data_format="channels_first").get_config())
    assert made.data_format == "channels_first"


def operations_of(model: Any) -> dict[str, dict[str, Any]]:
    described = model.get_config()["layers"]
    return {d["name"]: d["config"] for d in described if d["module"].startswith("keras.src.ops.")}


def test_operations_take_no_names_before_3_12() -> None:
    start = keras.Input((4,))
    inside = ops.exp(ops.relu(start) * 2.0)
    model = keras.Model(start, layers.Dense(1)(inside))
    found = operations_of(model)
    assert len(found) == 3 and not any("name" in config for config in found.values())
    again = keras.Model.from_config(model.get_config())
    assert [op.name for op in again.operations] == [op.name for op in model.operations]


def test_unless_the_name_made_up_could_be_a_layer_s() -> None:
    start = keras.Input((4,))
    added = layers.Add(name="add_9")([start, start]) + start  # Keras might call the operation "add_9" too
    other = layers.Dense(1, name="exp_of_it")(ops.exp(added))
    found = operations_of(keras.Model(start, other))
    assert sorted("name" in config for config in found.values()) == [False, True]


def test_nor_where_it_is_an_output_s() -> None:
    start = keras.Input((4,))
    model = keras.Model(start, ops.exp(start))
    assert operations_of(model) == {model.output_names[0]: {"name": model.output_names[0]}}
    x = np.ones((1, 4), "float32")
    again = keras.Model.from_config(model.get_config())
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_nadam_of_keras_before_3_10(tmp_path: Path) -> None:
    """Its product of momenta stood before the slots."""
    model = small(compiled=False)
    model.compile("nadam", "mse")
    model.train_on_batch(np.ones((2, 4), "float32"), np.ones((2, 2), "float32"))
    path = saved(tmp_path, model)

    def earlier(file: h5py.File) -> None:
        held = file["optimizer/vars"]
        last = len(held) - 1
        held.move(str(last), "product")
        for i in reversed(range(2, last)):
            held.move(str(i), str(i + 1))
        held.move("product", "2")

    same_bits(state(keras.models.load_model(with_weights(path, earlier))), state(model))


@pytest.mark.parametrize("version, alone", [("2.15.0", True), ("3.3.3", True), ("3.4.0", False), (None, False)])
def test_an_only_output_in_a_list(tmp_path: Path, version: str | None, alone: bool) -> None:
    """Keras before 3.4 put it into one, and took it out again."""
    start = keras.Input((4,), name="a")
    path = saved(tmp_path, keras.Model(start, layers.Dense(1, name="d")(start)))
    config = config_of(path)
    for key in ("input_layers", "output_layers"):
        config["config"][key] = [config["config"][key]]
    model = keras.models.load_model(rewrite(path, config=config, metadata={"keras_version": version}))
    assert isinstance(model.output, list) != alone
    assert isinstance(model.input, list) != alone
