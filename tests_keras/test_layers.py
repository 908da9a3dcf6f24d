"""Layers: outputs, gradients, weights' shapes and names, output shapes, configs that real Keras reads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import striate
from striate import ops
from support import close, same_both_ways

ACTIVATIONS = st.sampled_from(
    [None, "relu", "tanh", "sigmoid", "elu", "gelu", "silu", "hard_sigmoid", "relu6", "hard_silu"]
)
PADDING = st.sampled_from(["valid", "same"])


CHANNELS = st.integers(1, 6)


def image(draw, smallest=4, channels=CHANNELS):
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    shape = (draw(st.integers(1, 3)), draw(st.integers(smallest, 9)), draw(st.integers(smallest, 9)), draw(channels))
    # Distinct values, so that a maximum is at one place in both frameworks; none is 0, where activations have a corner.
    return rng.permutation(np.linspace(-2.03, 1.97, int(np.prod(shape)), dtype="float32")).reshape(shape)


def windows(draw, name="kernel_size"):
    strided = draw(st.booleans())
    config = {
        name: (draw(st.integers(1, 4)), draw(st.integers(1, 4))),
        "strides": (draw(st.integers(1, 3)), draw(st.integers(1, 3))) if strided else 1,
        "padding": draw(PADDING),
    }
    if name == "kernel_size" and not strided:
        config["dilation_rate"] = draw(st.sampled_from([1, 1, (1, 1), (2, 1)]))
    return config


def conv2d(draw):
    groups = draw(st.sampled_from([1, 1, 2]))
    x = image(draw, 7, st.integers(1, 3).map(lambda c: c * groups))
    config = {
        "filters": groups * draw(st.integers(1, 5)), **windows(draw), "groups": groups, "activation": draw(ACTIVATIONS),
        "use_bias": draw(st.booleans()),
    }  # fmt: skip
    return config, [x]


def depthwise(draw):
    x = image(draw, 7)
    config = windows(draw)
    config["strides"] = draw(st.integers(1, 3)) if config.get("dilation_rate", 1) in (1, (1, 1)) else 1
    return {**config, "depth_multiplier": draw(st.integers(1, 3)), "activation": draw(ACTIVATIONS)}, [x]


def sized(draw, rank, smallest, channels=CHANNELS):
    """Distinct values over `rank` spatial axes."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    lengths = [draw(st.integers(smallest, smallest + (2 if rank == 3 else 6))) for _ in range(rank)]
    shape = (draw(st.integers(1, 2)), *lengths, draw(channels))
    return rng.permutation(np.linspace(-2.03, 1.97, int(np.prod(shape)), dtype="float32")).reshape(shape)


def ranked_windows(draw, rank, paddings, name="kernel_size", largest=4):
    strided = draw(st.booleans())
    config = {
        name: tuple(draw(st.integers(1, largest)) for _ in range(rank)),
        "strides": tuple(draw(st.integers(1, 3)) for _ in range(rank)) if strided else 1,
        "padding": draw(st.sampled_from(paddings)),
    }
    if name == "kernel_size" and not strided:
        config["dilation_rate"] = draw(st.sampled_from([1, 1, 2]))
    return config


def conv(rank, paddings=("valid", "same")):
    def make(draw):
        groups = draw(st.sampled_from([1, 1, 2]))
        x = sized(draw, rank, 7 if rank == 1 else 5, st.integers(1, 3).map(lambda c: c * groups))
        return {
            "filters": groups * draw(st.integers(1, 4)), **ranked_windows(draw, rank, paddings, largest=3),
            "groups": groups, "activation": draw(ACTIVATIONS), "use_bias": draw(st.booleans()),
        }, [x]  # fmt: skip

    return make


def separable(rank, filters=True):
    def make(draw):
        config = ranked_windows(draw, rank, ("valid", "same"))
        # Keras on TensorFlow, and so its documentation, takes equal strides only.
        config["strides"] = draw(st.integers(1, 3)) if config.get("dilation_rate", 1) == 1 else 1
        return {
            **({"filters": draw(st.integers(1, 5))} if filters else {}), **config,
            "depth_multiplier": draw(st.integers(1, 3)), "activation": draw(ACTIVATIONS),
            "use_bias": draw(st.booleans()),
        }, [sized(draw, rank, 7)]  # fmt: skip

    return make


def transposed(rank):
    def make(draw):
        config = ranked_windows(draw, rank, ("valid", "same"), largest=3 if rank == 3 else 5)
        strides = config["strides"] if isinstance(config["strides"], tuple) else (config["strides"],) * rank
        if draw(st.booleans()):
            config["output_padding"] = tuple(draw(st.integers(0, s - 1)) for s in strides)
        return {
            "filters": draw(st.integers(1, 4)), **config, "activation": draw(ACTIVATIONS),
            "use_bias": draw(st.booleans()),
        }, [sized(draw, rank, 2 if rank == 3 else 3)]  # fmt: skip

    return make


def pool(draw):
    return windows(draw, "pool_size"), [image(draw)]


def ranked_pool(rank):
    def make(draw):
        return ranked_windows(draw, rank, ("valid", "same"), "pool_size", 3), [sized(draw, rank, 4)]

    return make


def adaptive(rank):
    def make(draw):
        # Less than there is: Keras on JAX divides by a window of 0 where nothing is to be pooled.
        return {"output_size": tuple(draw(st.integers(1, 4)) for _ in range(rank))}, [sized(draw, rank, 5)]

    return make


def ranked_global_pool(rank):
    return lambda draw: ({"keepdims": draw(st.booleans())}, [sized(draw, rank, 3)])


def global_pool(draw):
    return {"keepdims": draw(st.booleans())}, [image(draw)]


def dense(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    shape = draw(st.sampled_from([(3, 5), (1, 1), (2, 3, 4)]))
    return {"units": draw(st.integers(1, 9)), "activation": draw(ACTIVATIONS), "use_bias": draw(st.booleans())}, [
        rng.normal(size=shape).astype("float32")
    ]


def merge(draw):
    x = image(draw)
    return {}, [x, x[::-1] * 0.5 + 1, np.cos(x)][: draw(st.integers(2, 3))]


def reshape(draw):
    x = image(draw)
    _, h, w, c = x.shape
    return {"target_shape": draw(st.sampled_from([(-1,), (h * w * c,), (c, h * w), (w, h, -1), (h, w, c, 1)]))}, [x]


def normed(draw):
    axis = draw(st.sampled_from([-1, 3, 1]))
    return {
        "axis": axis, "momentum": draw(st.sampled_from([0.99, 0.5])), "epsilon": draw(st.sampled_from([1e-3, 1e-5])),
        "center": draw(st.booleans()), "scale": draw(st.booleans()),
    }, [image(draw) if draw(st.booleans()) else image(draw)[:, :, 0, :] if axis != 3 else image(draw)]  # fmt: skip


def renormed(draw):
    config, inputs = normed(draw)
    bounds = {"rmax": 1.5, "rmin": 0.8, "dmax": 0.5}
    kept = {k: v for k, v in bounds.items() if draw(st.booleans())}
    more = {"renorm": True, "renorm_clipping": draw(st.sampled_from([None, kept])), "renorm_momentum": 0.7}
    return {**config, **more}, inputs


def scaled(draw):
    return {"epsilon": draw(st.sampled_from([1e-3, 1e-5])), "center": draw(st.booleans()), "scale": draw(st.booleans())}


def layer_normed(draw):
    axes = draw(st.sampled_from([-1, 1, [1, 2], [-1], [1, 2, 3], [2, 3]]))
    return {"axis": axes, **scaled(draw)}, [image(draw)]


def group_normed(draw):
    groups = draw(st.sampled_from([1, 2, 3, -1]))
    x = image(draw, channels=st.integers(1, 3).map(lambda n: n * max(groups, 1)))
    axis = draw(st.sampled_from([-1, 3])) if groups > 0 else draw(st.sampled_from([-1, 2]))
    return {"groups": groups, "axis": axis, **scaled(draw)}, [x]


def dot(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    shapes, axes = draw(st.sampled_from([
        (((3, 4), (3, 4)), 1), (((3, 4), (3, 4)), -1), (((2, 3, 4), (2, 4)), (2, 1)), (((2, 4), (2, 3, 4)), (1, -1)),
        (((2, 3, 4), (2, 5, 4)), 2), (((2, 3, 4, 2), (2, 5, 3)), (1, 2)), (((2, 3, 4, 2), (2, 5, 3, 4)), (2, 3)),
    ]))  # fmt: skip
    return {"axes": axes, "normalize": draw(st.booleans())}, [rng.normal(size=s).astype("float32") for s in shapes]


def resized(draw):
    keep = draw(st.sampled_from([{}, {"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True, "fill_value": 0.3}]))
    interpolation = draw(st.sampled_from(["bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"]))
    return {
        "height": draw(st.integers(1, 12)), "width": draw(st.integers(1, 12)), "interpolation": interpolation,
        "antialias": interpolation != "nearest" and draw(st.booleans()), **keep,
    }, [image(draw)]  # fmt: skip


def spectral(draw):
    inside = draw(st.sampled_from([
        ("Dense", {"units": 3}), ("Conv2D", {"filters": 4, "kernel_size": 2}),
        ("Conv2DTranspose", {"filters": 2, "kernel_size": 3, "strides": 2}),
    ]))  # fmt: skip
    return {"layer": described(*inside), "power_iterations": draw(st.integers(1, 3))}, [image(draw)]


def distributed(draw):
    inside = draw(st.sampled_from([
        ("Dense", {"units": 3}), ("Conv2D", {"filters": 4, "kernel_size": 2, "activation": "tanh"}),
        ("BatchNormalization", {"momentum": 0.5}), ("Flatten", {}), ("GlobalMaxPooling2D", {}),
    ]))  # fmt: skip
    return {"layer": described(*inside)}, [sized(draw, 3, 3)]


def described(name, config):
    """A layer as files hold it, for both to make one of."""
    return {"module": "keras.layers", "class_name": name, "config": config, "registered_name": None}


def first(make):
    """The same case with channels first."""

    def turned(draw):
        config, inputs = make(draw)
        return {**config, "data_format": "channels_first"}, [
            np.ascontiguousarray(np.moveaxis(x, -1, 1)) for x in inputs
        ]

    return turned


def plain(**choices):
    def make(draw):
        return {k: draw(st.sampled_from(v)) for k, v in choices.items()}, [image(draw)]

    return make


CASES = {
    "Conv2D": conv2d,
    "DepthwiseConv2D": depthwise,
    "Conv1D": conv(1, ("valid", "same", "causal")),
    "Conv3D": conv(3),
    "DepthwiseConv1D": separable(1, filters=False),
    "SeparableConv1D": separable(1),
    "SeparableConv2D": separable(2),
    "Conv1DTranspose": transposed(1),
    "Conv2DTranspose": transposed(2),
    "Conv3DTranspose": transposed(3),
    "MaxPooling2D": pool,
    "AveragePooling2D": pool,
    "GlobalAveragePooling2D": global_pool,
    "GlobalMaxPooling2D": global_pool,
    **{
        f"{kind}Pooling{rank}D": make(rank)
        for rank in (1, 3)
        for kind, make in {
            "Max": ranked_pool,
            "Average": ranked_pool,
            "GlobalMax": ranked_global_pool,
            "GlobalAverage": ranked_global_pool,
        }.items()
    },
    **{f"Adaptive{kind}Pooling{rank}D": adaptive(rank) for kind in ("Max", "Average") for rank in (1, 2, 3)},
    "LayerNormalization": layer_normed,
    "GroupNormalization": group_normed,
    "UnitNormalization": plain(axis=[-1, 1, [1, 2]]),
    "SpectralNormalization": spectral,
    "TimeDistributed": distributed,
    "PReLU": plain(shared_axes=[None, [1, 2], 3]),
    "Dot": dot,
    "Resizing": resized,
    "CenterCrop": plain(height=[2, 4, 9], width=[1, 4, 11]),
    "UpSampling2D": plain(size=[2, (1, 3)], interpolation=["nearest", "bilinear", "bicubic", "lanczos3"]),
    "Cropping2D": plain(cropping=[1, (1, 0), ((0, 1), (2, 1))]),
    "Dense": dense,
    "Flatten": plain(),
    "Dropout": plain(rate=[0.0, 0.5]),
    "Activation": plain(activation=["relu", "tanh", "softmax", "linear", "gelu"]),
    "ReLU": plain(max_value=[None, 1.0], negative_slope=[0.0, 0.1], threshold=[0.0, 0.3]),
    "LeakyReLU": plain(negative_slope=[0.3, 0.1]),
    "Softmax": plain(axis=[-1, 1]),
    "BatchNormalization": normed,
    "BatchNormalization renorm": renormed,
    "Reshape": reshape,
    "Permute": plain(dims=[(1, 2, 3), (3, 1, 2), (2, 1, 3)]),
    "Identity": plain(),
    "ELU": plain(alpha=[1.0, 0.4]),
    "Average": merge,
    "Maximum": merge,
    "Minimum": merge,
    "Subtract": lambda draw: ({}, merge(draw)[1][:2]),
    "Add": merge,
    "Multiply": merge,
    "Concatenate": merge,
    "ZeroPadding2D": plain(padding=[1, (1, 2), ((1, 0), (2, 3))]),
    "Rescaling": plain(scale=[1 / 255, 2.0], offset=[0.0, -1.0]),
    "Normalization": plain(axis=[-1], mean=[0.5], variance=[2.0], invert=[False, True]),
}


CHANNELS_FIRST = (
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "MaxPooling2D",
    "AveragePooling2D",
    "Flatten",
    "ZeroPadding2D",
    "Conv2D",
    "DepthwiseConv2D",
    "Conv1D",
    "Conv2DTranspose",
    "MaxPooling1D",
    "AveragePooling3D",
    "Resizing",
    "CenterCrop",
    "UpSampling2D",
    "Cropping2D",
)
CASES.update({f"{name} first": first(CASES[name]) for name in CHANNELS_FIRST})
HAS_TRAINING = ("BatchNormalization", "Dropout", "SpectralNormalization", "TimeDistributed")
#: A weight that a layer assigns though it trains: Keras on JAX forgets that when a step ends, on TensorFlow it stays.
ASSIGNED = ("SpectralNormalization",)


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
    close(layer(given, **kwargs), expected["output"])
    for variable, got, want in zip(layer.weights, after, expected["weights"], strict=True):
        if not (name in ASSIGNED and variable.trainable):
            close(got, want)
    for got, want in zip(gradients, [*expected["weight_gradients"], *expected["input_gradients"]], strict=True):
        close(got, want, 1e-4)
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
