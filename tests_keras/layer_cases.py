"""Random configurations of each layer, with inputs that fit: what test_layers.py compares."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

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


def edges(name, rank, most):
    """Padding or cropping in each of its forms; something is left of every axis."""

    def make(draw):
        def pixels(count):
            return tuple(draw(st.integers(0, most)) for _ in range(count))

        pairs = pixels(2) if rank == 1 else tuple(pixels(2) for _ in range(rank))
        forms = [pixels(1)[0], pairs] if rank == 1 else [pixels(1)[0], pairs, pixels(rank)]
        return {name: draw(st.sampled_from(forms))}, [sized(draw, rank, 2 * most + 1)]

    return make


def up_sampled(draw):
    times = st.integers(1, 3)
    return {"size": draw(st.one_of(times, st.tuples(times, times, times)))}, [sized(draw, 3, 2)]


def repeated(draw):
    return {"n": draw(st.integers(1, 5))}, [sized(draw, 0, 1)]


#: of layers whose outputs are their inputs: three shapes each, so that XLA compiles three times.
SHAPES = {1: [(2, 5, 3), (1, 4, 1), (3, 2, 6)], 2: [(2, 5, 4, 3), (1, 3, 3, 1), (3, 2, 6, 2)],
          3: [(2, 3, 4, 5, 2), (1, 2, 2, 2, 1), (1, 3, 2, 4, 3)]}  # fmt: skip
PARTS = st.floats(0, 1, width=16)
SEEDS = st.one_of(st.none(), st.integers(0, 2**31 - 1))


def any_rank(draw, rank=None):
    shape = draw(st.sampled_from(SHAPES[rank or draw(st.integers(1, 3))]))
    return np.random.default_rng(draw(st.integers(0, 2**16))).normal(size=shape).astype("float32")


def noisy(name, rank=None, shaped=False, most=1.0):
    """Layers that draw in training: their share, their seed, and for some the shape that they draw in."""

    def make(draw):
        x = any_rank(draw, rank)
        config = {name: min(draw(PARTS), most), "seed": draw(SEEDS)}
        if shaped:
            ones = tuple(draw(st.sampled_from([None, 1, n])) for n in x.shape)
            config["noise_shape"] = draw(st.sampled_from([None, ones]))
        return config, [x]

    return make


def penalized(draw):
    return {"l1": draw(PARTS), "l2": draw(PARTS)}, [any_rank(draw)]


def masked(draw):
    """Whole steps of the value that marks them, and single ones too."""
    value = draw(st.sampled_from([0.0, -1.0, 0.5]))
    x = any_rank(draw, draw(st.integers(1, 2)))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    x[rng.uniform(size=x.shape) < 0.3] = value
    x[rng.uniform(size=x.shape[:-1]) < 0.4] = value
    return {"mask_value": value}, [x]


def piped(draw):
    kinds = [
        ("Rescaling", {"scale": draw(st.sampled_from([1 / 255, 2.0])), "offset": -1.0}),
        ("CenterCrop", {"height": draw(st.integers(1, 6)), "width": draw(st.integers(1, 6))}),
        ("Resizing", {"height": draw(st.integers(1, 6)), "width": draw(st.integers(1, 6))}),
        ("Activation", {"activation": "tanh"}),
        ("ZeroPadding2D", {"padding": draw(st.integers(0, 2))}),
        ("MaxPooling2D", {"pool_size": 2, "padding": "same"}),
    ]
    chosen = draw(st.lists(st.sampled_from(range(len(kinds))), min_size=1, max_size=4))
    return {"layers": [described(*kinds[i]) for i in chosen]}, [image(draw)]


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
    "UpSampling1D": lambda draw: ({"size": draw(st.integers(1, 4))}, [sized(draw, 1, 1)]),
    "UpSampling3D": up_sampled,
    "RepeatVector": repeated,
    "UpSampling2D": plain(size=[2, (1, 3)], interpolation=["nearest", "bilinear", "bicubic", "lanczos3"]),
    **{f"Cropping{rank}D": edges("cropping", rank, most) for rank, most in ((1, 3), (2, 2), (3, 1))},
    **{f"ZeroPadding{rank}D": edges("padding", rank, most) for rank, most in ((1, 3), (2, 3), (3, 2))},
    "Dense": dense,
    "Flatten": plain(),
    "Dropout": noisy("rate", shaped=True),
    **{f"SpatialDropout{rank}D": noisy("rate", rank) for rank in (1, 2, 3)},
    "GaussianNoise": noisy("stddev"),
    "GaussianDropout": noisy("rate", most=0.9),
    "AlphaDropout": noisy("rate", shaped=True),
    "ActivityRegularization": penalized,
    "Masking": masked,
    "Pipeline": piped,
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
    "ZeroPadding1D",
    "UpSampling3D",
    "Cropping3D",
    "SpatialDropout2D",
)
CASES.update({f"{name} first": first(CASES[name]) for name in CHANNELS_FIRST})
HAS_TRAINING = ("BatchNormalization", "Dropout", "SpectralNormalization", "TimeDistributed")
#: A weight that a layer assigns though it trains: Keras on JAX forgets that when a step ends, on TensorFlow it stays.
ASSIGNED = ("SpectralNormalization",)
