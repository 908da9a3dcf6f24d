"""What layers do beside their outputs: penalties and masks; what their draws are like; layers made of code."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layer_cases import described, masked, penalized

from support import all_close, both, same_config

SHARE = st.floats(0.25, 0.75, width=16)
SEED = st.integers(0, 2**31 - 1)


@given(data=st.data())
def test_penalties(oracle, data):
    config, (x,) = penalized(data.draw)
    source = (
        "layer = keras.layers.ActivityRegularization(**config)\nlayer(x)\nresult = [float(p) for p in layer.losses]"
    )
    all_close(*both(oracle, source, config=config, x=x), 2e-5)


@given(data=st.data())
def test_masks(oracle, data):
    """Which steps count, and what a layer behind makes of it."""
    config, (x,) = masked(data.draw)
    x[:, 0] = 7  # a mean of nothing is NaN in both
    source = (
        "layer = keras.layers.Masking(**config)\n"
        "behind = keras.layers.GlobalAveragePooling1D() if x.ndim == 3 else keras.layers.Activation('tanh')\n"
        "result = np.asarray(layer.compute_mask(x)).tolist(), np.asarray(behind(layer(x)))"
    )
    all_close(*both(oracle, source, config=config, x=x), 2e-5)


IN_TRAINING = "result = np.asarray(getattr(keras.layers, name)(**config)(x, training=True))"
#: layer -> shape of its input; a map of zeros, or an element, is one of at least 200.
DROPPED = {
    "Dropout": (4, 6, 50), "AlphaDropout": (4, 6, 50), "SpatialDropout1D": (4, 3, 60),
    "SpatialDropout2D": (4, 3, 2, 60), "SpatialDropout3D": (4, 3, 2, 2, 60),
}  # fmt: skip


@pytest.mark.parametrize("name", DROPPED)
@given(data=st.data())
def test_what_is_dropped(oracle, name, data):
    """Draws differ, since generators do; what they leave of ones, how much of it, and which places together, agree."""
    shape = DROPPED[name]
    config = {"rate": data.draw(SHARE), "seed": data.draw(SEED)}
    if not name.startswith("Spatial") and data.draw(st.booleans()):
        config["noise_shape"] = data.draw(st.sampled_from([(None, 1, None), (4, 1, 50)]))
    together = name.startswith("Spatial") or "noise_shape" in config
    draws = shape[0] * shape[-1] if together else np.prod(shape)
    got, want = both(oracle, IN_TRAINING, name=name, config=config, x=np.ones(shape, "float32"))
    all_close(np.unique(got), np.unique(want), 2e-5)
    for y in (got, want):
        kept = y == y.max()
        if together:
            assert (kept == kept[:, :1]).all()
        # Five deviations of a share.
        rate = config["rate"]
        assert abs(kept.mean() - (1 - rate)) <= 5 * np.sqrt(rate * (1 - rate) / draws)


@pytest.mark.parametrize("name, argument", [("GaussianNoise", "stddev"), ("GaussianDropout", "rate")])
@given(data=st.data())
def test_noise(oracle, name, argument, data):
    """Mean and deviation of 10,000 draws agree within five standard errors of each, two samples."""
    config = {argument: data.draw(SHARE), "seed": data.draw(SEED)}
    x = np.full((20, 500), 2.0, "float32")
    got, want = both(oracle, IN_TRAINING, name=name, config=config, x=x)
    error = 5 * float(want.std()) * np.sqrt(2 / want.size)
    assert abs(got.mean() - want.mean()) <= error
    assert abs(got.std() - want.std()) <= error


WRAPPED = """
class Around(keras.layers.Wrapper):
    def __init__(self, layer, times=2, **kwargs):
        super().__init__(layer, **kwargs)
        self.times = times
    def call(self, x):
        return self.layer(x) * self.times
    def get_config(self):
        return {**super().get_config(), "times": self.times}

layer = Around(keras.saving.deserialize_keras_object(inside), times, name="around", trainable=trainable)
layer.build(x.shape)
layer.set_weights([np.linspace(-1, 1, int(np.prod(w.shape)), dtype="float32").reshape(w.shape) for w in layer.weights])
again = Around.from_config(layer.get_config())
result = {
    "output": np.asarray(layer(x)), "paths": [w.path for w in layer.weights], "config": layer.get_config(),
    "trainable": [w.path for w in layer.trainable_weights], "again": again.get_config(),
}
"""


@given(data=st.data())
def test_wrapper(oracle, data):
    """A layer of the user's own around one of Keras's."""
    name, config = data.draw(st.sampled_from([
        ("Dense", {"units": 3}), ("Conv2D", {"filters": 4, "kernel_size": 2, "activation": "tanh"}),
        ("BatchNormalization", {}), ("ReLU", {"max_value": 1.0}), ("DepthwiseConv2D", {"kernel_size": 3}),
    ]))  # fmt: skip
    x = np.random.default_rng(data.draw(st.integers(0, 2**16))).normal(size=(2, 4, 5, 3)).astype("float32")
    inside = described(name, {**config, "trainable": data.draw(st.booleans()), "name": "inside"})
    times, trainable = data.draw(st.integers(1, 4)), data.draw(st.booleans())
    got, want = both(oracle, WRAPPED, inside=inside, times=times, trainable=trainable, x=x)
    for key in ("config", "again"):
        same_config(got.pop(key), want.pop(key))
    all_close(got, want, 2e-5)


CODE = {
    "lambda x, factor=2.0, shift=0.0: x * factor + shift": {"factor": [0.5, 3.0], "shift": [-1.0, 0.0]},
    "lambda x, axis=1: keras.ops.mean(x, axis=axis)": {"axis": [1, 2, -1]},
    "lambda x: keras.ops.transpose(x, (0, 2, 1))": {},
    "lambda x, training=None: x * 2 if training else -x": {},
    "lambda x, mask=None: -x if mask is None else x * keras.ops.cast(mask, 'float32')[..., None]": {},
}
ABOVE = "lambda x, mask: x[..., 0] >= keras.ops.mean(x[..., 0], axis=1, keepdims=True)"
FIXED = np.array([[True, False, True], [True, True, False]])
LAMBDA = """
given = eval(mask) if isinstance(mask, str) else mask
layer = keras.layers.Lambda(eval(code), output_shape=output_shape, mask=given, arguments=arguments, name="code")
config = layer.get_config()
kept = {k: config[k] for k in ("name", "trainable", "arguments", "output_shape") if k in config}
y = layer(x)
symbolic = layer(keras.Input(x.shape[1:]))
result = {
    "outputs": [np.asarray(layer.call(x, **more)) for more in ({}, {"training": True}, {"mask": x[..., 0] > 0})],
    "shapes": [list(layer.compute_output_shape(x.shape)), list(symbolic.shape)], "masks": layer.supports_masking,
    "mask": np.asarray(layer.compute_mask(x, x[..., 0] > 0)).tolist(), "config": kept,
    "behind": np.asarray(keras.layers.GlobalAveragePooling1D()(y) if y.ndim == 3 else y),
}
"""


@given(data=st.data())
def test_lambda(oracle, data):
    code = data.draw(st.sampled_from(list(CODE)))
    arguments = {k: data.draw(st.sampled_from(v)) for k, v in CODE[code].items() if data.draw(st.booleans())}
    x = np.random.default_rng(data.draw(st.integers(0, 2**16))).normal(size=(2, 3, 3)).astype("float32")
    said = None if "mean" in code else (3, 3)
    given = {
        "code": code, "arguments": arguments, "x": x, "output_shape": data.draw(st.sampled_from([None, said])),
        "mask": data.draw(st.sampled_from([None, ABOVE, FIXED])),
    }  # fmt: skip
    got, want = both(oracle, LAMBDA, **given)
    same_config(got.pop("config"), want.pop("config"))
    all_close(got, want, 2e-5)
