"""Activations: their formulas, and how they are named in arguments and files."""

from __future__ import annotations

import math

import numpy as np
import pytest

from striate import activations, backend

X = np.linspace(-7, 7, 57)
SIGMOID = 1 / (1 + np.exp(-X))
HARD = np.clip(X + 3, 0, 6) / 6
ERF = np.array([math.erf(v / math.sqrt(2)) for v in X])
SOFTMAX = np.exp(X) / np.exp(X).sum()
SOFTPLUS = np.log1p(np.exp(X))

FORMULAS = {
    "elu": np.where(X > 0, X, np.expm1(X)),
    "exponential": np.exp(X),
    "gelu": X * (1 + ERF) / 2,
    "hard_sigmoid": HARD,
    "hard_silu": X * HARD,
    "leaky_relu": np.where(X > 0, X, 0.2 * X),
    "linear": X,
    "log_sigmoid": -np.log1p(np.exp(-X)),
    "log_softmax": np.log(SOFTMAX),
    "mish": X * np.tanh(SOFTPLUS),
    "relu": np.maximum(X, 0),
    "relu6": np.clip(X, 0, 6),
    "selu": 1.0507009873554805 * np.where(X > 0, X, 1.6732632423543772 * np.expm1(X)),
    "sigmoid": SIGMOID,
    "silu": X * SIGMOID,
    "softmax": SOFTMAX,
    "softplus": SOFTPLUS,
    "softsign": X / (1 + np.abs(X)),
    "tanh": np.tanh(X),
    "celu": np.where(X > 0, X, np.expm1(X)),
    "hard_shrink": np.where(np.abs(X) > 0.5, X, 0),
    "hard_tanh": np.clip(X, -1, 1),
    "soft_shrink": np.sign(X) * np.maximum(np.abs(X) - 0.5, 0),
    "sparse_plus": np.where(X >= 1, X, (np.clip(X, -1, 1) + 1) ** 2 / 4),
    "sparse_sigmoid": (np.clip(X, -1, 1) + 1) / 2,
    "sparsemax": np.maximum(X - (7 + 6.75 + 6.5 - 1) / 3, 0),
    "squareplus": (X + np.sqrt(X**2 + 4)) / 2,
    "tanh_shrink": X - np.tanh(X),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_formula(name: str) -> None:
    got = activations.get(name)(X.astype("float32"))
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, FORMULAS[name], rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("scale", [0.01, 1.0, 30.0, 1e4])
def test_sparsemax_is_the_nearest_point_of_the_simplex(scale: float) -> None:
    """Against the sorting algorithm, in float64; to rounding of numbers of that size."""
    x = (np.random.default_rng(3).normal(size=(20, 37)) * scale).astype("float32")
    y = np.asarray(activations.sparsemax(x))
    descending = -np.sort(-x.astype("float64"), axis=1)
    sums = np.cumsum(descending, axis=1)
    count = np.arange(1, 38)
    k = (1 + count * descending > sums).sum(axis=1)
    t = (sums[np.arange(20), k - 1] - 1) / k
    np.testing.assert_allclose(y, np.maximum(x - t[:, None], 0), atol=4 * np.spacing(np.float32(max(scale, 1) * 4)))
    np.testing.assert_allclose(activations.sparsemax(x.T, axis=0), y.T, atol=1e-6)


def test_glu_gates_the_first_half_by_the_second() -> None:
    x = np.stack([X, X[::-1]]).astype("float32")
    np.testing.assert_allclose(activations.glu(x, axis=0)[0], X * SIGMOID[::-1], rtol=2e-5, atol=2e-6)
    with pytest.raises(ValueError, match="even length"):
        activations.glu(x, axis=1)


def test_threshold_has_a_value_of_its_own_below() -> None:
    assert activations.threshold([0.0, 1.0, 2.0], 1.0, -3.0).tolist() == [-3.0, -3.0, 2.0]


def test_gelu_approximation_is_the_tanh_formula() -> None:
    expected = X / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (X + 0.044715 * X**3)))
    np.testing.assert_allclose(activations.gelu(X.astype("float32"), approximate=True), expected, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("slope", [0.0, 0.1])
@pytest.mark.parametrize("top", [None, 2.5, 6.0])
@pytest.mark.parametrize("threshold", [0.0, 0.6])
def test_relu_with_all_arguments(slope: float, top: float | None, threshold: float) -> None:
    expected = np.where(threshold < X, X, slope * (X - threshold))
    if top is not None:
        expected = np.minimum(expected, top)
    got = activations.relu(X.astype("float32"), negative_slope=slope, max_value=top, threshold=threshold)
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)


def test_softmax_along_an_axis() -> None:
    x = np.arange(6, dtype="float32").reshape(2, 3)
    np.testing.assert_allclose(activations.softmax(x, axis=0).sum(axis=0), np.ones(3), rtol=1e-6)


def test_none_is_linear_and_aliases_are_the_same_function() -> None:
    assert activations.get(None) is activations.linear
    assert activations.get("swish") is activations.silu
    assert activations.get("hard_swish") is activations.hard_silu
    assert activations.get(activations.tanh) is activations.tanh


@pytest.mark.parametrize("name", FORMULAS)
def test_a_file_holds_the_name(name: str) -> None:
    function = activations.get(name)
    assert activations.serialize(function) == name
    assert activations.deserialize(name) is function
    assert activations.get({"module": "builtins", "class_name": "function", "config": name}) is function


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"identifier: 'rellu'\. Did you mean 'relu'\?"):
        activations.get("rellu")
    with pytest.raises(ValueError, match="activation function"):
        activations.get(3)


def test_a_lambda_cannot_be_saved() -> None:
    with pytest.raises(ValueError, match="lambda"):
        activations.serialize(lambda x: x)


def test_registered_function_comes_back_and_never_hides_a_built_in() -> None:
    def doubled(x: object) -> object:
        return x

    backend.register_keras_serializable("test_activations")(doubled)
    described = activations.serialize(doubled)
    assert activations.deserialize(described) is doubled
    with backend.CustomObjectScope({"relu": doubled}):
        assert activations.get("relu") is activations.relu
