"""Normalisation by means and variances, and of vectors to unit length."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from striate import backend
from striate.backend import symbolic_op
from striate.core.errors import ArgumentError, DTypeError, ShapeError
from striate.core.registry import export
from striate.ir.ops.attrs import NormAttrs
from striate.ir.types import numpy_dtype
from striate.ops import arithmetic, elementwise, reductions, shapes
from striate.ops._convert import Tensor, as_float, dtype_of, normalize_axis, reduce, shape_of, tensor
from striate.ops.core import saturate_cast

_NN = "keras.src.ops.nn"


@export("ops.moments", "ops.nn.moments")
@symbolic_op(_NN, "Moments")
def moments(x: Tensor, axes: Any, keepdims: bool = False, synchronized: bool = False) -> tuple[Tensor, Tensor]:
    """The mean and the biased variance over `axes`. Source: `keras.ops.moments`."""
    del synchronized  # one process has one replica
    x = as_float(x)
    dtype = dtype_of(x)
    wide = tensor(x, "float32") if dtype in ("float16", "bfloat16") else x
    mean = reduce("reduce_mean", wide, axes, True)
    squares = backend.apply("square", backend.apply("subtract", wide, mean))
    variance = reduce("reduce_mean", squares, axes, keepdims)
    if not keepdims:
        mean = shapes.reshape_to(mean, shape_of(variance))
    # A variance may lie beyond what half precision holds: the largest number there is, as in Keras, and not infinity.
    return saturate_cast(mean, dtype), saturate_cast(variance, dtype)


@export("ops.batch_normalization", "ops.nn.batch_normalization")
@symbolic_op(_NN, "BatchNorm")
def batch_normalization(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    axis: int,
    offset: Tensor | None = None,
    scale: Tensor | None = None,
    epsilon: float = 0.001,
) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset, with one mean, ... for each place along `axis`.

    Source: `keras.ops.batch_normalization`.
    """
    x = as_float(x)
    dtype, rank = dtype_of(x), len(shape_of(x))
    place = normalize_axis(axis, rank)
    mean, variance = tensor(mean, dtype), tensor(variance, dtype)
    length = shape_of(x)[place]
    for name, vector in (("mean", mean), ("variance", variance), ("offset", offset), ("scale", scale)):
        given = None if vector is None else shape_of(tensor(vector))
        if given is not None and (len(given) != 1 or not (None in (given[0], length) or given[0] == length)):
            raise ShapeError(
                f"`{name}` must be a vector of length {length}, that of the axis {axis} of x. Received: {name}.shape="
                f"{given}, x.shape={shape_of(x)}."
            )
    kind = numpy_dtype(dtype)
    scale = np.ones(shape_of(mean), kind) if scale is None else tensor(scale, dtype)
    offset = np.zeros(shape_of(mean), kind) if offset is None else tensor(offset, dtype)
    if place == rank - 1:
        return backend.apply("batch_norm_infer", x, scale, offset, mean, variance, attrs=NormAttrs(float(epsilon)))
    along = [1] * rank
    along[place] = -1
    factor = arithmetic.multiply(elementwise.rsqrt(arithmetic.add(variance, epsilon)), scale)
    shift = arithmetic.subtract(offset, arithmetic.multiply(mean, factor))
    scaled = arithmetic.multiply(x, shapes.reshape_to(factor, along))
    return arithmetic.add(scaled, shapes.reshape_to(shift, along))


#: what Keras warns of wherever `rms_scaling=True` is given.
RMS_SCALING_IS_OLD = (
    "You passed `rms_scaling=True`, which is deprecated. It divides by the root of the variance, not by the root mean "
    "square, and adds no beta. Use RMSNormalization (ops.rms_normalization) to divide by the root mean square."
)


def _along(weight: Tensor, x: Tensor, axes: list[int]) -> Tensor:
    """gamma or beta as what broadcasts against x: of the lengths of the axes, in order, or of x's rank already."""
    weight = tensor(weight, dtype_of(x))
    lengths = shape_of(x)
    if len(shape_of(weight)) == len(lengths):
        return weight
    wanted = tuple(lengths[i] for i in axes)
    if shape_of(weight) != wanted and len(axes) > 1:
        raise ShapeError(
            f"layer_normalization's gamma and beta have the lengths of the normalized axes, {wanted} here, or x's "
            f"rank. Received: a shape of {shape_of(weight)}, x.shape={lengths}, axis={axes}."
        )
    return (
        weight
        if axes == [len(lengths) - 1]
        else shapes.reshape_to(weight, [lengths[i] if i in axes else 1 for i in range(len(lengths))])
    )


def scale_by_deviation(
    x: Tensor, gamma: Tensor | None, beta: Tensor | None, axis: Any, epsilon: float | None
) -> Tensor:
    """x / sqrt(variance + epsilon) * gamma: Keras's deprecated rms_scaling. There is no beta."""
    del beta
    x = as_float(x)
    rank = len(shape_of(x))
    axes = sorted(normalize_axis(a, rank) for a in ([axis] if isinstance(axis, int) else axis))
    _, variance = moments(x, axes, keepdims=True)
    epsilon = backend.epsilon() if epsilon is None else epsilon
    y = arithmetic.multiply(x, elementwise.rsqrt(arithmetic.add(variance, epsilon)))
    return y if gamma is None else arithmetic.multiply(y, _along(gamma, x, axes))


@export("ops.layer_normalization", "ops.nn.layer_normalization")
@symbolic_op(_NN, "LayerNorm", always=("gamma", "beta"))
def layer_normalization(
    x: Tensor,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    axis: Any = -1,
    epsilon: float | None = None,
    **kwargs: Any,
) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta, mean and variance taken over `axis` of each example.

    Source: `keras.ops.layer_normalization`; Ba and others 2016.

    Args:
        x: floats, or integers, which become them.
        gamma, beta: of the lengths of the axes, in ascending order of these, or of x's rank where they broadcast to it.
        axis: integer, or several of them.
        epsilon: added to the variance; `keras.config.epsilon()` unless given.
        rms_scaling: deprecated: x / sqrt(variance + epsilon) * gamma.

    Raises:
        ValueError: gamma or beta of another shape; an axis that x does not have.
        TypeError: another keyword.

    Example:
        >>> layer_normalization(np.array([[1.0, 3.0]], "float32"), np.array([2.0, 2.0], "float32")).round(2).tolist()
        [[-2.0, 2.0]]
    """
    rms_scaling = kwargs.pop("rms_scaling", False)
    if kwargs:
        raise DTypeError(
            f"layer_normalization takes x, gamma, beta, axis, epsilon and rms_scaling. Received: {sorted(kwargs)}."
        )
    if rms_scaling:
        warnings.warn(RMS_SCALING_IS_OLD, stacklevel=2)
        return scale_by_deviation(x, gamma, beta, axis, epsilon)
    x = as_float(x)
    rank = len(shape_of(x))
    axes = sorted(normalize_axis(a, rank) for a in ([axis] if isinstance(axis, int) else axis))
    mean, variance = moments(x, axes, keepdims=True)
    epsilon = backend.epsilon() if epsilon is None else epsilon
    y = arithmetic.multiply(arithmetic.subtract(x, mean), elementwise.rsqrt(arithmetic.add(variance, epsilon)))
    if gamma is not None:
        y = arithmetic.multiply(y, _along(gamma, x, axes))
    if beta is not None:
        y = arithmetic.add(y, _along(beta, x, axes))
    return y


@export("ops.rms_normalization", "ops.nn.rms_normalization")
@symbolic_op(_NN, "RMSNorm", always=("scale",))
def rms_normalization(x: Tensor, scale: Tensor | None = None, axis: Any = -1, epsilon: float | None = None) -> Tensor:
    """x / sqrt(mean(x**2) + epsilon) * scale, the mean taken over `axis` of each example; computed in float32 at least.

    Source: `keras.ops.rms_normalization`; Zhang and Sennrich 2019.

    Args:
        x: floats, or integers, which become them.
        scale: of the lengths of the axes, in their order, or of a shape that broadcasts to x.
        axis: integer, or several of them.
        epsilon: added to the mean; `keras.config.epsilon()` unless given.

    Example:
        >>> rms_normalization(np.array([[7.0, -1.0]], "float32"), epsilon=0.0).round(2).tolist()  # / 5
        [[1.399999976158142, -0.20000000298023224]]
    """
    x = as_float(x)
    dtype = dtype_of(x)
    wide = backend.cast(x, backend.result_type(dtype, "float32"))
    shape = shape_of(x) or (1,)
    wide = wide if shape_of(x) else shapes.reshape_to(wide, shape)
    axes = sorted(normalize_axis(a, len(shape)) for a in ([axis] if isinstance(axis, int) else axis))
    mean = reductions.mean(elementwise.square(wide), axis=axes, keepdims=True)
    epsilon = backend.epsilon() if epsilon is None else epsilon
    y = arithmetic.multiply(wide, elementwise.rsqrt(arithmetic.add(mean, epsilon)))
    if scale is not None:
        factor = tensor(scale, dtype_of(wide))
        along = [shape[i] if i in axes else 1 for i in range(len(shape))]
        own = shape_of(factor) == tuple(shape[i] for i in axes)
        y = arithmetic.multiply(y, shapes.reshape_to(factor, along) if own else factor)
    return backend.cast(y, dtype)


@export("ops.normalize", "ops.nn.normalize")
@symbolic_op(_NN, "Normalize")
def normalize(x: Tensor, axis: Any = -1, order: float = 2, epsilon: float | None = None) -> Tensor:
    """x divided by its norm along `axis`: by max((sum |x|**order)**(1/order), epsilon).

    Source: `keras.ops.normalize`.

    Args:
        order: an integer of at least 1; infinity takes the largest magnitude, which Keras does not.

    Raises:
        ValueError: another order.
    """
    whole = isinstance(order, int) and not isinstance(order, bool) and order >= 1
    if not whole and order != float("inf"):
        raise ArgumentError(f"Argument `order` must be an int >= 1. Received: order={order!r}.")
    x = as_float(x)
    epsilon = backend.epsilon() if epsilon is None else epsilon
    if order == 2:
        # The bound is put on the square, so that the gradient at 0 is finite.
        total = reductions.sum(elementwise.square(x), axis=axis, keepdims=True)
        return arithmetic.multiply(x, elementwise.rsqrt(arithmetic.maximum(total, epsilon**2)))
    if order == float("inf"):
        norm = reductions.max(elementwise.abs(x), axis=axis, keepdims=True)
    elif order == 1:
        norm = reductions.sum(elementwise.abs(x), axis=axis, keepdims=True)
    else:
        powers = arithmetic.power(elementwise.abs(x), float(order))
        norm = arithmetic.power(reductions.sum(powers, axis=axis, keepdims=True), 1.0 / order)
    return arithmetic.divide(x, arithmetic.maximum(norm, epsilon))
