"""Functional models: graphs of layers, what they are called on, and their configs."""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers, ops


def branched() -> Any:
    """The functional model of the archive example: a shared path, a nested Sequential, two outputs."""
    inputs = keras.Input((8, 8, 3), name="img")
    stem = layers.Conv2D(4, 3, padding="same", name="stem")(inputs)
    x = layers.Conv2D(4, 3, padding="same")(stem)
    x = layers.ReLU()(x)
    x = layers.Add()([stem, x])
    head = keras.Sequential([layers.Conv2D(2, 1), layers.GlobalAveragePooling2D()], name="head")(x)
    return keras.Model(inputs, [layers.Dense(2, name="logits")(head), head])


X = np.random.default_rng(1).random((3, 8, 8, 3)).astype(np.float32)


def test_layers_come_in_keras_order() -> None:
    model = branched()
    assert [layer.name for layer in model.layers] == ["img", "stem", "conv2d", "re_lu", "add", "head", "logits"]
    assert model.name == "functional_1"  # Keras counts the one inside the Sequential
    assert model.input_names == ["img"] and model.output_names == ["logits", "head"]
    assert model.input_shape == (None, 8, 8, 3) and model.output_shape == [(None, 2), (None, 2)]


def test_config_is_keras_json_and_comes_back() -> None:
    model = branched()
    config = json.loads(json.dumps(model.get_config()))
    assert config["input_layers"] == ["img", 0, 0]
    assert config["output_layers"] == [["logits", 0, 0], ["head", 0, 0]]
    add = next(c for c in config["layers"] if c["name"] == "add")
    assert [t["config"]["keras_history"] for t in add["inbound_nodes"][0]["args"][0]] == [
        ["stem", 0, 0],
        ["re_lu", 0, 0],
    ]
    again = keras.Model.from_config(config)
    again.set_weights(model.get_weights())
    for ours, theirs in zip(model(X), again(X), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert json.loads(json.dumps(again.get_config()))["layers"] == config["layers"]


def test_serialized_under_keras_own_name() -> None:
    described = json.loads(branched().to_json())
    assert described["module"] == "keras.src.models.functional" and described["class_name"] == "Functional"
    assert keras.models.model_from_json(json.dumps(described)).count_params() == branched().count_params()


def test_shared_layer_keeps_one_set_of_weights() -> None:
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    dense = layers.Dense(3)
    model = keras.Model([a, b], layers.Concatenate()([dense(a), dense(b)]))
    assert len(model.weights) == 2
    x = np.ones((2, 4), np.float32)
    got = model([x, x])
    np.testing.assert_array_equal(got[:, :3], got[:, 3:])
    again = keras.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again([x, x * 2]), model([x, x * 2]))


def test_a_model_called_twice_inside_another() -> None:
    inner_in = keras.Input((4,))
    inner = keras.Model(inner_in, layers.Dense(4)(inner_in), name="inner")
    outer_in = keras.Input((4,))
    model = keras.Model(outer_in, inner(inner(outer_in)))
    config = model.get_config()
    assert config["output_layers"] == ["inner", 2, 0]  # a nested model's calls count from 1 there, as in Keras
    again = keras.Model.from_config(config)
    again.set_weights(model.get_weights())
    x = np.ones((1, 4), np.float32)
    np.testing.assert_array_equal(again(x), model(x))


def test_layers_used_outside_the_model_do_not_count() -> None:
    inputs = keras.Input((4,))
    dense = layers.Dense(4)
    dense(inputs)  # of no model
    model = keras.Model(inputs, dense(inputs))
    assert model.get_config()["output_layers"][1] == 0
    assert keras.Model.from_config(model.get_config()).count_params() == 20


@pytest.mark.parametrize("form", ["list", "tuple", "dict", "by name"])
def test_inputs_in_any_reconcilable_form(form: str) -> None:
    a, b = keras.Input((2,), name="a"), keras.Input((3,), name="b")
    out = layers.Concatenate()([a, b])
    model = keras.Model({"a": a, "b": b} if form == "dict" else [a, b], out)
    x = {"a": np.ones((2, 2)), "b": np.zeros((2, 3))} | ({} if form == "dict" else {"unused": np.zeros(2)})
    given = {"list": [x["a"], x["b"]], "tuple": (x["a"], x["b"])}.get(form, x)
    assert model(given).tolist() == [[1, 1, 0, 0, 0]] * 2
    assert model.predict(given if form in ("list",) else x, verbose=0).shape == (2, 5)


def test_inputs_in_another_structure_are_taken_with_a_warning() -> None:
    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    model = keras.Model({"a": a, "b": b}, layers.Subtract()([a, b]))
    ones, twos = np.ones((1, 2)), np.full((1, 2), 2.0)
    text = r"(?s)doesn't match the expected structure.*Expected: \{'a': 'a', 'b': 'b'\}"
    for given in ([ones, twos], {"b": twos, "a": ones, "c": twos}):
        with pytest.warns(UserWarning, match=text):
            assert model(given).tolist() == [[-1, -1]]
        with pytest.warns(UserWarning, match=text) as told:
            model.predict(given, verbose=0)
        assert len(told) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        keras.Model([a, b], layers.Subtract()([a, b]))((ones, twos))
        model([keras.Input((2,)), keras.Input((2,))])  # shapes alone


def test_a_list_is_refused_where_it_would_go_astray() -> None:
    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    model = keras.Model({"b": b, "a": a}, layers.Subtract()([b, a]))
    with pytest.raises(ValueError, match=r"(?s)Expected: \{'b'.*sorted keys, \['a', 'b'\].*give a dictionary"):
        model([np.ones((1, 2)), np.ones((1, 2))])


@pytest.mark.parametrize(
    ("kind", "given", "text"),
    [
        (list, np.ones((1, 2)), r"expects 2 input\(s\), but it received 1"),
        (dict, np.ones((1, 2)), r"expects 2 named input\(s\) with keys \['a', 'b'\], but it received 1"),
        (list, [np.ones((1, 2))] * 3, r"expects 2 input\(s\), but it received 3"),
    ],
)
def test_too_few_or_many_inputs(kind: Any, given: Any, text: str) -> None:
    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    model = keras.Model([a, b] if kind is list else {"a": a, "b": b}, a + b)
    with pytest.raises(ValueError, match=text):
        model(given)


def test_outputs_that_no_input_leads_to_are_named() -> None:
    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    with pytest.raises(ValueError, match=r"Output with path `y.1` is not connected.*needs 'b', which.*\['a'\]"):
        keras.Model(a, {"x": a * 2, "y": [a * 3, (b * 3) + a]})
    with pytest.raises(ValueError, match=r"Output with path `1` is not connected.*'b' is an input that is not given"):
        keras.Model(a, [a * 2, b])
    with pytest.raises(ValueError, match="The `outputs` argument cannot be empty"):
        keras.Model(a, [])
    with pytest.raises(ValueError, match="The `inputs` argument cannot be empty"):
        keras.Model([], a * 2)


def test_a_tuple_of_outputs_stays_one() -> None:
    inputs = keras.Input((2,))
    model = keras.Model(inputs, (inputs * 2.0, inputs * 3.0))
    assert isinstance(keras.Model.from_config(model.get_config())(np.ones((1, 2))), tuple)
    again = keras.models.model_from_json(model.to_json())
    assert isinstance(again(np.ones((1, 2))), list)  # JSON knows no tuples, as in Keras


def test_clones_begin_at_tensors_in_the_same_structure() -> None:
    a, b = keras.Input((2,)), keras.Input((2,))
    with pytest.warns(UserWarning, match="differs from the name"):
        model = keras.Model({"u": a, "v": b}, a - b)
        fresh = {"u": keras.Input((2,)), "v": keras.Input((2,))}
        assert set(keras.models.clone_model(model, input_tensors=fresh).input) == {"u", "v"}
    with pytest.raises(ValueError, match=r"must have the same structure as model\.input"):
        keras.models.clone_model(model, input_tensors=(a, b))


def test_calls_of_models_inside_are_made_by_call_function_too() -> None:
    inner_in, outer_in = keras.Input((2,)), keras.Input((2,))
    inner = keras.Model(inner_in, layers.Dense(2)(inner_in), name="inner")
    model = keras.Model(outer_in, inner(outer_in))

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        out = layer(*args, **kwargs)
        return layers.ReLU()(out) if isinstance(layer, layers.Dense) else out

    cloned = keras.models.clone_model(model, call_function=call, recursive=True)
    assert [type(layer).__name__ for layer in cloned.get_layer("inner").layers] == ["InputLayer", "Dense", "ReLU"]


def test_a_shape_is_no_number() -> None:
    with pytest.raises(ValueError, match=r"must be a tuple.*shape=28. Give e.g. shape=\(28,\)"):
        keras.Input(28)


def test_outputs_as_a_dictionary() -> None:
    inputs = keras.Input((2,))
    model = keras.Model(inputs, {"double": inputs * 2.0, "sum": ops.sum(inputs, axis=-1)})
    got = model.predict(np.ones((3, 2)), verbose=0)
    assert got["double"].tolist() == [[2, 2]] * 3 and got["sum"].tolist() == [2, 2, 2]
    assert set(keras.Model.from_config(model.get_config()).output) == {"double", "sum"}


def test_ops_are_nodes_too() -> None:
    inputs = keras.Input((2,))
    model = keras.Model(inputs, ops.relu(1.0 - inputs * 3.0))
    names = [c["class_name"] for c in model.get_config()["layers"]]
    assert names[0] == "InputLayer" and names[-1] == "Relu"
    x = np.array([[0.1, 5.0]], np.float32)
    np.testing.assert_allclose(keras.Model.from_config(model.get_config())(x), [[0.7, 0]], rtol=1e-6)


def test_from_inside_another_model() -> None:
    model = branched()
    part = keras.Model(model.get_layer("stem").output, model.get_layer("add").output)
    stem = model.get_layer("stem")(X)
    whole = keras.Model(model.input, model.get_layer("add").output)
    np.testing.assert_array_equal(part(stem), whole(X))
    assert part.get_layer("conv2d") is model.get_layer("conv2d")


def test_training_of_the_whole_call_holds_for_all_layers() -> None:
    """As in Keras 3.15.1, whose files note training=False for calls that were given none."""
    inputs = keras.Input((200,))
    x = np.ones((1, 200), np.float32)
    for given in ({}, {"training": False}, {"training": True}):
        model = keras.Model(inputs, layers.Dropout(0.5)(inputs, **given))
        assert (model(x, training=True) != 1).all()
        assert (model(x, training=False) == 1).all()
        assert (model(x) == 1).all() == (not given.get("training"))
        assert (model.predict(x, verbose=0) == 1).all()


def test_one_axis_of_length_1_is_added_or_dropped() -> None:
    inputs = keras.Input((3, 1))
    model = keras.Model(inputs, layers.Flatten()(inputs))
    assert model(np.ones((2, 3))).shape == (2, 3)
    inputs = keras.Input((3,))
    assert keras.Model(inputs, inputs * 1.0)(np.ones((2, 3, 1))).shape == (2, 3)


def test_integers_become_the_inputs_dtype() -> None:
    inputs = keras.Input((3,))
    model = keras.Model(inputs, inputs / 2.0)
    assert model(np.array([[1, 2, 3]], np.uint8)).tolist() == [[0.5, 1.0, 1.5]]


def test_get_layer() -> None:
    model = branched()
    assert model.get_layer("stem") is model.get_layer(index=1)
    with pytest.raises(ValueError, match="No such layer: nose"):
        model.get_layer("nose")
    with pytest.raises(ValueError, match="only has 7 layers"):
        model.get_layer(index=7)
    with pytest.raises(ValueError, match="either"):
        model.get_layer()


# What cannot be


def test_unconnected_output_names_the_layer() -> None:
    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    with pytest.raises(ValueError, match=r"`outputs` is not connected to `inputs`: 'dense' needs 'b', which"):
        keras.Model(a, layers.Dense(1, name="dense")(b))


def test_two_layers_of_one_name() -> None:
    inputs = keras.Input((2,))
    x = layers.Dense(2, name="twin")(inputs)
    with pytest.raises(ValueError, match='The name "twin" is used 2 times'):
        keras.Model(inputs, layers.Dense(2, name="twin")(x))


def test_tensors_are_wanted() -> None:
    with pytest.raises(ValueError, match="must be KerasTensors"):
        keras.Model(keras.Input((2,)), np.zeros(2))


def test_wrong_shape_names_layer_expected_and_received() -> None:
    with pytest.raises(ValueError) as error:
        branched()(np.zeros((2, 5, 5, 3)))
    for part in ("'img'", "'functional_1'", "(None, 8, 8, 3)", "(2, 5, 5, 3)"):
        assert part in str(error.value)


def test_wrong_number_of_inputs() -> None:
    with pytest.raises(ValueError, match="structure of `inputs`"):
        branched()([X, X])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda c: c["layers"].pop(1),
        lambda c: c["layers"][2].update(inbound_nodes=[]),
        lambda c: c.update(output_layers=["logits", 7, 0]),
        lambda c: c.update(output_layers=["logits", 0, 3]),
        lambda c: c.update(input_layers=5),
        lambda c: c["layers"].append("layer"),
        lambda c: c["layers"][1].update(name="img"),
    ],
)
def test_configs_that_do_not_hang_together_are_refused(spoil: Any) -> None:
    config = json.loads(json.dumps(branched().get_config()))
    spoil(config)
    with pytest.raises(ValueError):
        keras.Model.from_config(config)


def test_a_loop_in_a_config_is_refused() -> None:
    inputs = keras.Input((2,))
    config = keras.Model(inputs, layers.Dense(2, name="d")(inputs)).get_config()
    config["layers"][1]["inbound_nodes"][0]["args"][0]["config"]["keras_history"] = ["d", 0, 0]
    with pytest.raises(ValueError, match="loop or disconnected nodes"):
        keras.Model.from_config(config)


def test_keras_2_inbound_nodes_are_read() -> None:
    inputs = keras.Input((2,), name="i")
    config = keras.Model(inputs, layers.Dense(2, name="d")(inputs)).get_config()
    config["layers"][1]["inbound_nodes"] = [[["i", 0, 0, {}]]]
    for described in config["layers"]:
        del described["module"]
    assert keras.Model.from_config(config).count_params() == 6


def test_a_subclass_made_from_inputs_and_outputs() -> None:
    class Mine(keras.Model):
        def doubled(self, x: Any) -> Any:
            return self(x) * 2

    inputs = keras.Input((2,))
    model = Mine(inputs, layers.Dense(1)(inputs))
    assert isinstance(model, keras.Functional) and model.name == "mine"
    x = np.ones((1, 2), np.float32)
    np.testing.assert_array_equal(model.doubled(x), model(x) * 2)
    assert isinstance(Mine.from_config(model.get_config()), Mine)


def test_a_subclass_that_calls_super_with_tensors() -> None:
    class Encoder(keras.Model):
        def __init__(self, size: int) -> None:
            inputs = keras.Input((4,))
            super().__init__(inputs, layers.Dense(size)(inputs))
            self.size = size

    assert Encoder(3)(np.ones((2, 4))).shape == (2, 3)
    assert Encoder.from_config(Encoder(3).get_config()).size == 3
