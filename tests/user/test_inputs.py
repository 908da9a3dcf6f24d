"""What people give to layers and models: every kind of array, list and dictionary, in every dtype."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers, ops

F32 = np.float32
X = np.random.default_rng(0).random((12, 4), F32)
SUM = X.sum(axis=1, keepdims=True)


def ones(units: int = 1, **options: Any) -> Any:
    return layers.Dense(units, kernel_initializer="ones", use_bias=False, **options)


class Convertible:
    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(X, dtype)


def unaligned() -> Any:
    raw = bytearray(X.nbytes + 1)
    raw[1:] = X.tobytes()
    return np.frombuffer(raw, "u1")[1:].view(F32).reshape(X.shape)


def read_only() -> Any:
    x = X.copy()
    x.setflags(write=False)
    return x


#: the same numbers in other clothes
FORMS: dict[str, Any] = {
    "float64": X.astype("f8"),
    "long double": X.astype("g"),
    "the other byte order": X.astype(X.dtype.newbyteorder()),
    "columns first": np.asfortranarray(X),
    "strided": np.repeat(X, 2, axis=0)[::2],
    "backwards": np.ascontiguousarray(X[:, ::-1])[:, ::-1],
    "unaligned": unaligned(),
    "read-only": read_only(),
    "a subclass": X.view(np.recarray),
    "convertible": Convertible(),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_numbers_in_other_clothes(form: str) -> None:
    x = FORMS[form]
    model = keras.Sequential([keras.Input((4,)), ones()])
    model.compile("sgd", "mse")
    if form != "long double":  # a tensor of which there is none
        np.testing.assert_allclose(ones()(x), SUM, rtol=1e-6)
        np.testing.assert_allclose(np.asarray(ops.add(ops.convert_to_tensor(x), 0)), X)
    np.testing.assert_array_equal(model.predict(x, verbose=0), model.predict(X, verbose=0))
    np.testing.assert_array_equal(model.predict_on_batch(x), model.predict(X, verbose=0))
    assert model.train_on_batch(x, SUM) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "int64", "uint16", "bool", "float16"])
def test_numbers_of_other_kinds(dtype: str) -> None:
    x = np.ones((3, 4), dtype)
    model = keras.Sequential([keras.Input((4,)), ones()])
    model.compile("sgd", "mse")
    assert np.asarray(ones()(x)).tolist() == model.predict(x, verbose=0).tolist() == [[4.0]] * 3
    assert model.train_on_batch(x, np.full((3, 1), 4, "int8")) == 0


def test_numbers_lists_and_variables() -> None:
    model = keras.Sequential([keras.Input((2,)), ones()])
    for x in ([[1, 2]], [[1.0, 2.0]], ((1, 2),), keras.Variable([[1.0, 2.0]])):
        assert np.asarray(ones()(x)).tolist() == [[3.0]]
    assert model.predict([[1, 2], [3, 4]], verbose=0).tolist() == [[3], [7]]


def test_no_samples_one_sample_and_many() -> None:
    model = keras.Sequential(
        [keras.Input((6, 6, 1)), layers.Conv2D(2, 3), layers.BatchNormalization(), layers.Flatten()]
    )
    assert np.asarray(model(np.zeros((0, 6, 6, 1), F32))).shape == model.predict_on_batch(np.zeros((0, 6, 6, 1))).shape
    many = np.random.default_rng(1).random((70, 6, 6, 1), F32)
    whole = model.predict(many, batch_size=10**9, verbose=0)
    for size in (1, 32, np.int64(69)):
        np.testing.assert_array_equal(model.predict(many, batch_size=size, verbose=0), whole)


def test_one_input_in_a_list_or_a_dictionary() -> None:
    inputs = keras.Input((4,), name="a")
    built = [keras.Sequential([keras.Input((4,), name="a"), ones()]), keras.Model(inputs, ones()(inputs))]
    listed = keras.Model([inputs], [ones()(inputs)])
    for model in (*built, listed, keras.Sequential([ones()])):
        model.compile("sgd", "mse")
        for x in (X, [X], (X,), *([{"a": X}] if model in (*built, listed) else [])):
            assert isinstance(model(x), np.ndarray) and isinstance(model.predict(x, verbose=0), np.ndarray)
            assert model.fit(x, SUM, verbose=0).history["loss"] == [pytest.approx(0, abs=1e-6)]
    assert listed.fit([X], [SUM], verbose=0).history["loss"] == [pytest.approx(0, abs=1e-6)]
    with pytest.raises(ValueError, match="structure"):
        built[0].predict({"b": X}, verbose=0)


def test_writing_a_result_changes_no_data() -> None:
    for layer in (
        layers.Flatten(),
        layers.Reshape((2, 2)),
        layers.Dropout(0.5),
        layers.Activation("linear"),
        keras.Sequential([layers.Flatten()]),
        keras.Sequential([keras.Input((4,)), layers.Dropout(0.5)]),
        lambda x: ops.reshape(x, (4, 12)),
        lambda x: ops.squeeze(x[None], 0),
        ops.stop_gradient,
    ):
        x = X.copy()
        layer(x)[...] = 7
        np.testing.assert_array_equal(x, X)


class TestDtypesMet:
    """Layers of other dtypes than their inputs', in functional models."""

    def test_float64_into_float32(self) -> None:
        inputs = keras.Input((4,), dtype="float64")
        model = keras.Model(inputs, ones()(inputs))
        np.testing.assert_allclose(model.predict(X, verbose=0), SUM, rtol=1e-6)
        outer = keras.Input((4,))
        np.testing.assert_allclose(keras.Model(outer, model(outer))(X), SUM, rtol=1e-6)

    def test_half_precision_in_the_middle(self, tmp_path: Any) -> None:
        inputs = keras.Input((4,))
        middle = ones(3, dtype="mixed_float16")(inputs)
        model = keras.Model(inputs, ones(dtype="float32")(middle))
        assert (middle.dtype, model.output.dtype) == ("float16", "float32")
        model.compile(keras.optimizers.SGD(1e-4), "mse")
        losses = model.fit(X, SUM, epochs=3, verbose=0).history["loss"]
        assert losses[-1] < losses[0]
        model.save(tmp_path / "m.keras")
        again = keras.models.load_model(tmp_path / "m.keras")
        assert again.layers[1].compute_dtype == "float16"
        np.testing.assert_array_equal(again(X), model(X))

    def test_a_policy_for_everything(self) -> None:
        keras.config.set_dtype_policy("mixed_float16")
        try:
            model = keras.Sequential(
                [
                    keras.Input((8, 8, 3)),
                    layers.Conv2D(2, 3),
                    layers.BatchNormalization(),
                    layers.MaxPooling2D(),
                    layers.GlobalAveragePooling2D(),
                    layers.Dropout(0.5),
                    layers.Dense(1, dtype="float32"),
                ]
            )
            model.compile("adam", "mse")
            images = np.random.default_rng(0).random((8, 8, 8, 3))
            assert np.isfinite(model.fit(images, np.ones(8), verbose=0).history["loss"]).all()
            assert model.layers[0](images).dtype == np.float16 and model.predict(images, verbose=0).dtype == F32
        finally:
            keras.config.set_dtype_policy("float32")

    def test_whole_numbers_into_rescaling(self) -> None:
        inputs = keras.Input((4,), dtype="uint8")
        model = keras.Model(inputs, ones()(layers.Rescaling(1 / 255)(inputs)))
        for dtype in ("uint8", "int64", "float32"):
            np.testing.assert_allclose(model.predict(np.full((2, 4), 255, dtype), verbose=0), 4, rtol=1e-6)


class TestTraining:
    """`training`, where nobody says it, is what a layer's own `call` has as its default."""

    class Doubles(layers.Layer):
        def call(self, x: Any, training: bool = True) -> Any:
            return x * 2.0 if training else x

    def test_own_defaults(self) -> None:
        x = np.ones((2, 4), F32)
        inputs = keras.Input((4,))
        model = keras.Model(inputs, self.Doubles()(inputs))
        for call in (self.Doubles(), model, keras.Sequential([keras.Input((4,)), self.Doubles()])):
            assert [float(np.asarray(call(x, **k))[0, 0]) for k in ({}, {"training": True}, {"training": False})] == [
                2,
                2,
                1,
            ]
        assert model.predict(x, verbose=0)[0, 0] == 1

    def test_a_second_tensor_is_not_training(self) -> None:
        with pytest.raises(ValueError, match=r"'dense'.*as `training`.*layer\(\[a, b\]\)"):
            layers.Dense(1)(X, X)
