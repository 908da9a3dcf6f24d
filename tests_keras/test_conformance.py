"""Each row of the layers' conformance cases against real Keras: a new layer is compared by having its row."""

from __future__ import annotations

import numpy as np
import pytest
from tests.conformance.layers.cases import CASES

import striate
from striate import ops
from support import close, same_both_ways

#: Keras takes the statistics of a Normalization when it adapts or loads a file, not from set_weights. Its sparsemax
#: sums partial sums (3.15.1: [1, 0.9] gives [0.05, 0], which adds up to no 1); ours is held to the definition in
#: tests/activations. RandomCrop at inference: test_augmentation.py.
DIFFERENT = ("Normalization()", "Activation(activation=sparsemax)")
DIFFERENT_LAYERS = ("RandomCrop",)
#: ... or in no namespace of Keras's: its ConvNeXt has LayerScale and StochasticDepth (test_architectures.py).
OURS_ALONE = (
    "EuclideanRBF", "LayerScale", "LocalResponseNormalization", "StochasticDepth", "Subsampling2D", "TableConv2D",
)  # fmt: skip


def numbers(shape, place):
    """All different, also from those of the other inputs: where two are equal, a maximum's gradient is anyone's."""
    spread = np.linspace(-2.03, 1.97, int(np.prod(shape)), dtype="float32") + np.float32(0.011 * place)
    return np.random.default_rng(7 + place).permutation(spread).reshape(shape)


@pytest.mark.parametrize(
    "case",
    [c for c in CASES if c.id not in DIFFERENT and c.layer not in (*DIFFERENT_LAYERS, *OURS_ALONE)],
    ids=lambda c: c.id,
)
def test_row(oracle, case):
    """Output, gradients, weights, shapes and config; at inference, so that nothing random is in it."""
    inputs = [numbers(shape, i) for i, shape in enumerate(case.inputs)]
    rng = np.random.default_rng(7)
    striate.utils.clear_session()
    inside = {k: striate.saving.deserialize_keras_object(v) for k, v in case.arguments.items() if isinstance(v, dict)}
    layer = getattr(striate.layers, case.layer)(**{**case.arguments, **inside})
    shapes = inputs[0].shape if len(inputs) == 1 else [x.shape for x in inputs]
    layer.build(shapes)
    weights = [rng.uniform(0.2, 1, w.shape).astype(w.dtype) for w in layer.weights]
    layer.set_weights(weights)
    asked = {"name": case.layer, "config": case.arguments, "inputs": inputs, "weights": weights, "training": False}
    expected = oracle("layer", **asked)

    variables = [striate.Variable(x) for x in inputs]
    trainable = layer.trainable_variables
    cotangent = np.cos(np.arange(expected["output"].size, dtype="float32")).reshape(expected["output"].shape)
    given = inputs[0] if len(inputs) == 1 else inputs
    close(layer(given, training=False), expected["output"])

    def loss():
        return ops.sum(layer(variables[0] if len(variables) == 1 else variables, training=False) * cotangent)

    _, gradients = striate.value_and_grad(loss, [*trainable, *variables])()
    for got, want in zip(gradients, [*expected["weight_gradients"], *expected["input_gradients"]], strict=True):
        close(got, want, 1e-4)
    assert tuple(layer.compute_output_shape(shapes)) == tuple(expected["output_shape"])
    assert [w.path.split("/")[-1] for w in layer.weights] == [p.split("/")[-1] for p in expected["paths"]]
    assert [w.trainable for w in layer.weights] == expected["trainable"]
    same_both_ways(oracle, layer, expected["config"])
