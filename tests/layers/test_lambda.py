"""Lambda lives in code only: copies are made of it in one program; no file makes one by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate
from striate import layers, ops
from striate.core.errors import LoadError, UnsafeFileError

X = np.arange(6, dtype="float32").reshape(2, 3)


@striate.saving.register_keras_serializable("tests_lambda")
def halved(x: Any) -> Any:
    return x / 2


def test_it_calls_the_function_with_what_it_takes() -> None:
    seen: list[Any] = []

    def function(x: Any, power: float, training: bool | None = None, mask: Any = None) -> Any:
        seen.append((training, mask))
        return x**power

    layer = layers.Lambda(function, arguments={"power": 2.0})
    with pytest.warns(UserWarning, match="was passed an input with a mask"):
        np.testing.assert_allclose(layer(X, training=True, mask="here"), X**2)
    assert seen == [(True, "here")]


@pytest.mark.parametrize(
    "given, shape", [(None, (None, 4)), ((4,), (None, 4)), (lambda shape: (shape[0], 7), (None, 7))]
)
def test_output_shapes(given: Any, shape: Any) -> None:
    layer = layers.Lambda(lambda x: ops.concatenate([x, x[:, :1]], axis=-1), output_shape=given)
    assert layer.compute_output_shape((None, 3)) == shape


@pytest.mark.parametrize("given", [np.array([[True, False]]), lambda x, mask: x[..., 0] > 1], ids=["fixed", "computed"])
def test_its_mask_reaches_the_layer_behind(given: Any) -> None:
    x = np.array([[[3.0], [1.0]]], "float32")
    layer = layers.Lambda(lambda x: x * 2, mask=given)
    assert layers.GlobalAveragePooling1D()(layer(x)).tolist() == [[6.0]]
    assert layers.Lambda(lambda x: x).compute_mask(x, np.array([[True, True]])) is None


def test_it_trains_in_a_model_and_is_cloned() -> None:
    inputs = layers.Input((3,))
    model = striate.Model(inputs, layers.Lambda(lambda x: x * 2 + 1)(layers.Dense(3)(inputs)))
    model.compile("sgd", "mse")
    model.fit(X, X, verbose=0)
    copy = striate.models.clone_model(model)
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_lambda_is_not_saved(tmp_path: Path) -> None:
    model = striate.Sequential([layers.Input((3,)), layers.Lambda(lambda x: x / 2)])
    with pytest.raises(ValueError, match="files hold names, not code"):
        model.save(tmp_path / "model.keras")
    assert not (tmp_path / "model.keras").exists()


def test_a_registered_function_s_is_loaded_only_where_the_program_says_so(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    model = striate.Sequential([layers.Input((3,)), layers.Lambda(halved)])
    model.save(path)
    with pytest.raises(UnsafeFileError, match="holds a Lambda layer"):
        striate.models.load_model(path)
    loaded = striate.models.load_model(path, custom_objects={"Lambda": layers.Lambda})
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), X / 2)


@pytest.mark.parametrize(
    "function",
    [
        "halved",
        {"class_name": "function", "config": "nobody_s", "module": "builtins", "registered_name": "function"},
        {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None, "closure": None}},
    ],
)
def test_no_config_runs_code_or_finds_functions_by_name(function: Any) -> None:
    config = {"name": "l", "function": function, "arguments": {}}
    described = {"module": "keras.layers", "class_name": "Lambda", "config": config, "registered_name": None}
    with pytest.raises(LoadError):
        layers.Lambda.from_config(config)
    with pytest.raises(LoadError):
        striate.saving.deserialize_keras_object(described, custom_objects={"Lambda": layers.Lambda})
    with pytest.raises(UnsafeFileError):
        striate.saving.deserialize_keras_object(described, safe_mode=False)
