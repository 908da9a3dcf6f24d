"""Every layer of the table is built, called in each way a layer can be called, described and made again."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate
from striate import backend, layers, ops
from striate.core.public_names import PUBLIC
from striate.layers.base import Layer

from .cases import CASES, Case

#: Layers without a row: the bases, what holds a model's input, what no file can hold (tests/layers/test_lambda.py), and
#: what is a list of layers (tests/layers/test_augment.py).
WITHOUT_CASE = {"Layer", "InputLayer", "Wrapper", "Lambda", "Pipeline"}

KERAS_SIGNATURES = (Path(__file__).parents[2] / "golden" / "keras_signatures.txt").read_text(encoding="utf-8")

every_case = pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)


def arrays(case: Case) -> Any:
    """Inputs of the case, the same in every run; a list where there are several."""
    rng = np.random.default_rng(7)
    made = [rng.normal(size=shape).astype("float32") for shape in case.inputs]
    return made[0] if len(made) == 1 else made


def make(case: Case, **more: Any) -> Layer:
    made = {k: backend.deserialize_keras_object(v) if isinstance(v, dict) else v for k, v in case.arguments.items()}
    layer: Layer = getattr(layers, case.layer)(**{**made, **more})
    return layer


def randomize(layer: Layer) -> None:
    """Weights that are no zeros and ones, so that a forgotten one shows."""
    rng = np.random.default_rng(11)
    layer.set_weights([(rng.uniform(0.5, 1.5, size=w.shape)).astype(w.dtype) for w in layer.weights])


def built(case: Case, **more: Any) -> tuple[Layer, Any]:
    layer, x = make(case, **more), arrays(case)
    layer(x)
    randomize(layer)
    return layer, x


def test_every_layer_has_a_case() -> None:
    names = {n.split(".")[1] for n in PUBLIC if n.startswith("layers.")}
    classes = {n: getattr(layers, n) for n in names}
    wanted = {c.__name__ for c in classes.values() if inspect.isclass(c) and issubclass(c, Layer)} - WITHOUT_CASE
    found = {c.layer for c in CASES}
    assert wanted == found, (
        f"without a row in tests/conformance/layers/cases.py: {sorted(wanted - found)}; rows of no public "
        f"layer: {sorted(found - wanted)}. Mark the class with @export, then `make format`"
    )


@every_case
def test_builds_the_weights_it_should(case: Case) -> None:
    layer, _ = built(case)
    assert layer.built
    assert {w.name: w.shape for w in layer.weights} == case.weights
    held = {id(w): inner for inner in layer._flatten_layers() for w in inner._weights}
    owners = [held[id(w)] for w in layer.weights]
    places = [layer.name if owner is layer else f"{layer.name}/{owner.name}" for owner in owners]
    assert [w.path for w in layer.weights] == [f"{p}/{w.name}" for p, w in zip(places, layer.weights, strict=True)]


@every_case
def test_gives_float32_of_the_shape_it_promises(case: Case) -> None:
    layer, x = built(case)
    shapes = list(case.inputs) if len(case.inputs) > 1 else case.inputs[0]
    y = layer(x)
    assert isinstance(y, np.ndarray) and y.dtype == np.float32
    assert np.isfinite(y).all()
    assert tuple(layer.compute_output_shape(shapes)) == y.shape
    # Without being built, too, as Keras does when it plans a model.
    assert tuple(make(case).compute_output_shape(shapes)) == y.shape


@every_case
def test_mixed_precision_computes_in_half_and_keeps_float32_weights(case: Case) -> None:
    layer, x = built(case, dtype="mixed_float16")
    assert {w.dtype for w in layer.trainable_weights} <= {"float32"}
    assert layer(x).dtype == np.float16, "a weight joined the sum as float32: cast it with layers.compute.in_dtype"


@every_case
def test_leaves_the_batch_open_on_symbolic_inputs(case: Case) -> None:
    layer, x = built(case)
    symbolic = [backend.KerasTensor((None, *s[1:])) for s in case.inputs]
    before = [w.numpy() for w in layer.weights]
    y = layer(symbolic if len(symbolic) > 1 else symbolic[0])
    assert y.shape == (None, *layer(x).shape[1:])
    for w, value in zip(layer.weights, before, strict=True):
        np.testing.assert_array_equal(w.numpy(), value)


@every_case
@pytest.mark.parametrize("training", [False, True])
def test_traced_equals_eager(case: Case, training: bool) -> None:
    x = arrays(case)

    def run(traced: bool) -> tuple[np.ndarray, list[np.ndarray]]:
        striate.utils.set_random_seed(5)
        layer, _ = built(case)
        call = (
            striate.function(lambda v: layer(v, training=training))
            if traced
            else (lambda v: layer(v, training=training))
        )
        return call(x), [v.numpy() for v in layer.variables]

    (eager, eager_state), (traced, traced_state) = run(False), run(True)
    # The same kernels over the same numbers; fused ones round once less.
    np.testing.assert_allclose(traced, eager, rtol=1e-5, atol=1e-5)
    for a, b in zip(traced_state, eager_state, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


@every_case
def test_predict_equals_call(case: Case) -> None:
    layer, x = built(case)
    inputs = [layers.Input(s[1:]) for s in case.inputs]
    model = striate.Model(inputs if len(inputs) > 1 else inputs[0], layer(inputs if len(inputs) > 1 else inputs[0]))
    # Said, since augmentation takes a call that does not say to be training.
    np.testing.assert_allclose(model.predict(x, verbose=0), layer(x, training=False), rtol=1e-5, atol=1e-5)


@every_case
def test_a_prediction_does_not_depend_on_the_batch(case: Case) -> None:
    """Bit for bit: pieces of the work and the order of sums are those of one sample."""
    rng = np.random.default_rng(7)
    layer = make(case)
    inputs = [layers.Input(s[1:]) for s in case.inputs]
    model = striate.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))
    randomize(layer)
    xs = [rng.normal(size=(9, *s[1:])).astype("float32") for s in case.inputs]
    alone = model.predict([x[:1] for x in xs], verbose=0)
    np.testing.assert_array_equal(model.predict(xs, batch_size=9, verbose=0)[:1], alone)


@every_case
def test_config_makes_an_equal_layer(case: Case) -> None:
    layer, x = built(case)
    config = layer.get_config()
    again = type(layer).from_config(json.loads(json.dumps(config)))
    assert json.dumps(again.get_config()) == json.dumps(config)  # a file knows no tuples
    again(x)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(x, training=False), layer(x, training=False))
    described = json.loads(json.dumps(backend.serialize_keras_object(layer)))
    # Where Keras has it: most in keras.layers, a few beside the network that they were made for; else where we do.
    package = "striate" if f"\nlayers.{case.layer}: not in Keras\n" in KERAS_SIGNATURES else "keras"
    place = vars(type(layer)).get("__keras_place__", (f"{package}.layers", case.layer))
    assert (described["module"], described["class_name"]) == place
    assert type(backend.deserialize_keras_object(described)) is type(layer)


@every_case
def test_gradient_reaches_every_trainable_weight(case: Case) -> None:
    layer, x = built(case)
    shape = layer(x).shape
    tilt = np.random.default_rng(3).normal(size=shape).astype("float32")
    factor = backend.Variable(np.float32(1.0), name="factor")
    variables = [*layer.trainable_variables, factor]

    def loss(*_: Any) -> Any:
        scaled = [v * factor for v in x] if isinstance(x, list) else x * factor
        return ops.sum(layer(scaled, training=True) * tilt)

    _, gradients = backend.value_and_grad(loss, variables)()
    for variable, gradient in zip(variables, gradients, strict=True):
        if not case.differentiable:
            assert gradient is None or not np.any(gradient), variable.path
            continue
        assert gradient is not None, f"no gradient reaches {variable.path}"
        assert np.isfinite(gradient).all() and np.any(gradient != 0), variable.path


@every_case
def test_channels_first_is_the_same_moved(case: Case) -> None:
    if "data_format" not in inspect.signature(getattr(layers, case.layer)).parameters or len(case.inputs[0]) < 3:
        pytest.skip("has no data_format")
    last, x = built(case)
    first = make(case, data_format="channels_first")
    moved = np.moveaxis(x, -1, 1)
    y = first(moved)
    first.set_weights(last.get_weights())
    expected, y = last(x), first(moved)
    if expected.ndim == x.ndim:
        expected = np.moveaxis(expected, -1, 1)
    np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-6)
    assert tuple(first.compute_output_shape(moved.shape)) == y.shape


@every_case
def test_its_training_program_has_no_host_steps(case: Case) -> None:
    """Forward, gradients for the input and the weights, and the update, all by kernels."""
    inputs = [layers.Input(s[1:]) for s in case.inputs]
    # So that the gradient for the inputs is asked for; where there is none, one for what comes after.
    moved = inputs if case.flat else [layers.BatchNormalization()(i) for i in inputs]
    made = make(case)(moved if len(moved) > 1 else moved[0])
    model = striate.Model(inputs, layers.BatchNormalization()(made) if case.flat else made)
    model.compile("sgd", "mse")
    plan = striate.explain.plan(model, case.inputs[0][0], training=True)
    assert plan.host_steps == ()


@every_case
def test_unknown_argument_is_an_error_that_names_it(case: Case) -> None:
    # SpatialDropout takes no **kwargs, in Keras too: Python itself refuses.
    closed = "kwargs" not in inspect.signature(getattr(layers, case.layer)).parameters
    with pytest.raises(TypeError if closed else ValueError, match="kernel_sise"):
        make(case, kernel_sise=3)
