"""Layers: outputs, gradients, weights' shapes and names, output shapes, configs that real Keras reads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layer_cases import ASSIGNED, CASES, HAS_TRAINING

import striate
from striate import ops
from support import close, same_both_ways


def lost_by_keras(x, axis):
    """Keras takes E[x^2] - E[x]^2 for the variance: what that rounds, relative to the variance."""
    others = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    x = x.astype("float64")
    return 2.0**-22 * np.max(np.square(x).mean(axis=others) / np.maximum(x.var(axis=others), 1e-12))


@pytest.mark.parametrize(
    "name, training", [(n, t) for n in CASES for t in ((False, True) if n.split()[0] in HAS_TRAINING else (False,))]
)
@given(data=st.data())
def test_layer(oracle, name, training, data):
    config, inputs = CASES[name](data.draw)
    name = name.split()[0]
    if name == "Dropout" and training:
        config["rate"] = 0.0  # which elements are dropped is each framework's own; see tests/layers
    striate.utils.clear_session()
    inside = {k: striate.saving.deserialize_keras_object(v) for k, v in config.items() if isinstance(v, dict)}
    if name == "Pipeline":
        inside["layers"] = [striate.saving.deserialize_keras_object(v) for v in config["layers"]]
    layer = getattr(striate.layers, name)(**{**config, **inside})
    given = inputs[0] if len(inputs) == 1 else inputs
    shapes = given.shape if len(inputs) == 1 else [x.shape for x in inputs]
    layer.build(shapes)
    rng = np.random.default_rng(3)
    weights = [rng.uniform(0.2, 1, w.shape).astype("float32") for w in layer.weights]
    layer.set_weights(weights)
    expected = oracle("layer", name=name, config=config, inputs=inputs, weights=weights, training=training)

    kwargs = {"training": training} if name in HAS_TRAINING else {}
    variables = [striate.Variable(x) for x in inputs]
    trainable = layer.trainable_variables
    cotangent = np.cos(np.arange(expected["output"].size, dtype="float32")).reshape(expected["output"].shape)

    def loss():
        y = layer(variables[0] if len(variables) == 1 else variables, **kwargs)
        return ops.sum(y * cotangent)

    _, gradients = striate.value_and_grad(loss, [*trainable, *variables])()
    after = layer.get_weights()
    layer.set_weights(weights)
    lost = lost_by_keras(given, config["axis"]) if name == "BatchNormalization" and training else 0.0
    close(layer(given, **kwargs), expected["output"], max(2e-5, lost))
    for variable, got, want in zip(layer.weights, after, expected["weights"], strict=True):
        if not (name in ASSIGNED and variable.trainable):
            close(got, want)
    for got, want in zip(gradients, [*expected["weight_gradients"], *expected["input_gradients"]], strict=True):
        close(got, want, max(1e-4, 5 * lost))
    assert tuple(layer.compute_output_shape(shapes)) == tuple(expected["output_shape"])
    assert [w.path.split("/")[-1] for w in layer.weights] == [p.split("/")[-1] for p in expected["paths"]]
    assert [w.trainable for w in layer.weights] == expected["trainable"]
    same_both_ways(oracle, layer, expected["config"])


def test_layer_normalization_by_the_deviation(oracle):
    """Keras's deprecated rms_scaling, of which both warn."""
    x = np.random.default_rng(5).normal(2, 3, (2, 4, 5, 3)).astype("float32")
    config = {"axis": [2, 3], "rms_scaling": True}
    weights = [np.linspace(0.5, 2, 15, dtype="float32").reshape(5, 3)]
    expected = oracle("layer", name="LayerNormalization", config=config, inputs=[x], weights=weights, training=False)
    with pytest.warns(UserWarning, match="deprecated"):
        layer = striate.layers.LayerNormalization(**config, name=expected["config"]["config"]["name"])
    layer.build(x.shape)
    layer.set_weights(weights)
    close(layer(x), expected["output"])
    assert layer.get_config()["rms_scaling"] is expected["config"]["config"]["rms_scaling"] is True
