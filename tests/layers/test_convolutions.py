"""Convolutions over one and three axes, and transposed ones: what the conformance rows do not see."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate
from striate import layers, ops
from striate.models.plan import describe_plan

RNG = np.random.default_rng(0)


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype("float32")


def test_causal_padding_sees_no_later_step() -> None:
    layer = layers.Conv1D(4, 3, padding="causal", dilation_rate=2)
    x = normal(1, 9, 2)
    y = layer(x)
    changed = x.copy()
    changed[:, 5:] += 1
    np.testing.assert_array_equal(layer(changed)[:, :5], y[:, :5])
    assert (layer(changed)[:, 5] != y[:, 5]).all()
    # The last tap lies on the step itself, the first four steps before it.
    kernel = layer.kernel.numpy()
    np.testing.assert_allclose(y[0, 0], x[0, 0] @ kernel[2], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        y[0, 4], x[0, 0] @ kernel[0] + x[0, 2] @ kernel[1] + x[0, 4] @ kernel[2], rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("groups", [1, 2])
def test_a_volume_s_convolution_is_the_sum_over_the_window(groups: int) -> None:
    x = normal(2, 5, 6, 4, 4)
    layer = layers.Conv3D(6, (3, 2, 2), strides=(2, 1, 3), padding="same", groups=groups, bias_initializer="ones")
    y = layer(x)
    kernel = layer.kernel.numpy().astype("float64")
    # n=5, k=3, s=2: one plane on each side; n=6, k=2, s=1: one row below; n=4, k=2, s=3: one column, on the right.
    padded = np.pad(x, ((0, 0), (1, 1), (0, 1), (0, 1), (0, 0))).astype("float64")
    assert y.shape == (2, 3, 6, 2, 6)
    inner, outer = 4 // groups, 6 // groups
    for h, i, j in [(0, 0, 0), (1, 3, 1), (2, 5, 1)]:
        window = padded[:, 2 * h : 2 * h + 3, i : i + 2, 3 * j : 3 * j + 2]
        for g in range(groups):
            seen = window[..., g * inner : (g + 1) * inner]
            expected = np.einsum("ntuvc,tuvck->nk", seen, kernel[..., g * outer : (g + 1) * outer]) + 1
            np.testing.assert_allclose(y[:, h, i, j, g * outer : (g + 1) * outer], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "rank, arguments",
    [
        (1, {"strides": 3}),
        (2, {"strides": (2, 1), "padding": "same"}),
        (2, {"dilation_rate": 2, "padding": "valid"}),
        (3, {"strides": (1, 2, 1)}),
    ],
)
def test_it_is_the_transpose(rank: int, arguments: dict[str, Any]) -> None:
    """<conv(x), y> = <x, transposed(y)> for the same kernel, where both know the same sizes."""
    name = f"Conv{rank}D"
    x = normal(2, *(7,) * rank, 3)
    forward = getattr(layers, name)(4, 2, use_bias=False, **arguments)
    conv = forward(x)
    y = normal(*conv.shape)
    back = getattr(layers, f"{name}Transpose")(3, 2, use_bias=False, **arguments)
    back.build(y.shape)
    back.set_weights(forward.get_weights())
    there = back(y)
    whole = np.zeros_like(x)
    kept = tuple(slice(0, min(a, b)) for a, b in zip(x.shape, there.shape, strict=True))
    whole[kept] = there[kept]
    left, right = float((conv * y).sum()), float((x * whole).sum())
    assert abs(left - right) <= 1e-4 * np.abs(conv * y).sum()


def test_strides_beyond_the_window_leave_zeros() -> None:
    layer = layers.Conv2DTranspose(1, 1, strides=(3, 2), kernel_initializer="ones")
    np.testing.assert_array_equal(
        layer(np.array([[[[1.0], [2.0]]]], "float32"))[0, ..., 0], [[1, 0, 2, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    )
    y = ops.conv_transpose(np.ones((1, 2, 1)), np.ones((1, 1, 1)), strides=2, output_padding=5)
    np.testing.assert_array_equal(y.ravel(), [1, 0, 1, 0, 0, 0, 0, 0])


def test_a_users_activation_sees_the_shape_and_layout_that_it_sees_in_keras() -> None:
    seen: list[Any] = []

    def look(x: Any) -> Any:
        seen.append(tuple(x.shape))
        return x

    layers.Conv1D(4, 3, activation=look)(normal(2, 9, 3))
    layers.Conv2D(4, 3, activation=look, data_format="channels_first")(normal(2, 3, 9, 8))
    assert seen == [(2, 7, 4), (2, 4, 7, 6)]
    y = layers.Conv2D(4, 3, activation="softmax", data_format="channels_first")(normal(2, 3, 9, 8))
    np.testing.assert_allclose(y.sum(axis=-1), 1, rtol=1e-5)  # the last axis, whatever it is: as in Keras


def test_an_activation_is_fused_with_the_convolution_of_a_signal() -> None:
    model = striate.Sequential([layers.Input((9, 3)), layers.Conv1D(4, 3, activation="relu", padding="causal")])
    assert [row.op for row in striate.explain.plan(model, batch_size=2).rows if row.kernel] == ["conv2d"]


@pytest.mark.parametrize(
    "make, shape, symbolic",
    [
        (lambda: layers.Conv1D(4, 3, padding="same"), (8, 3), (None, None, 4)),
        (lambda: layers.SeparableConv1D(4, 3), (8, 3), (None, None, 4)),
        (lambda: layers.Conv3D(4, 3, strides=2), (5, 7, 8, 3), (None, None, None, None, 4)),
        (lambda: layers.Conv1DTranspose(4, 3, strides=2), (8, 3), (None, None, 4)),
        (lambda: layers.Conv2DTranspose(4, 3, padding="same"), (4, 5, 3), (None, None, None, 4)),
        (lambda: layers.Conv3DTranspose(4, 2), (2, 3, 4, 3), (None, None, None, None, 4)),
    ],
)
def test_open_axes_stay_open_and_are_known_when_it_runs(make: Any, shape: tuple[int, ...], symbolic: Any) -> None:
    layer = make()
    inputs = layers.Input((*(None for _ in shape[:-1]), shape[-1]))
    model = striate.Model(inputs, layer(inputs))
    assert model.output_shape == symbolic
    x = normal(2, *shape)
    np.testing.assert_allclose(model.predict(x, verbose=0), layer(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "call",
    [
        lambda: ops.conv(normal(2, 3), normal(3, 3, 3)),
        lambda: ops.depthwise_conv(normal(2, 5, 5, 5, 3), normal(3, 3, 3, 3, 1)),
        lambda: ops.conv(normal(2, 5, 5, 3), normal(3, 3, 3)),
        lambda: ops.conv_transpose(normal(2, 5, 5, 3), normal(3, 3, 3, 4)),
        lambda: ops.conv_transpose(normal(2, 5, 5, 3), normal(3, 3, 4, 3), strides=2, dilation_rate=(1, 0)),
    ],
)
def test_the_functions_refuse_what_does_not_fit(call: Any) -> None:
    with pytest.raises(ValueError, match="Received"):
        call()


@pytest.mark.parametrize("multiplier", [1, 3])
def test_a_group_for_each_channel_runs_as_a_depthwise_convolution(multiplier: int) -> None:
    grouped = layers.Conv2D(5 * multiplier, 3, strides=2, padding="same", groups=5, bias_initializer="ones")
    depthwise = layers.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=multiplier)
    models = [striate.Sequential([striate.Input((8, 7, 5)), layer]) for layer in (grouped, depthwise)]
    kernel, bias = grouped.get_weights()
    assert kernel.shape == (3, 3, 1, 5 * multiplier)
    depthwise.set_weights([kernel.reshape(3, 3, 5, multiplier), bias])
    x = normal(2, 8, 7, 5)
    np.testing.assert_array_equal(models[0].predict(x, verbose=0), models[1].predict(x, verbose=0))
    steps = describe_plan(models[0], 2).as_dict()["steps"]
    assert [step["op"] for step in steps if "conv" in step["op"]] == ["depthwise_conv2d"]
