"""What newer networks do to a branch before it is added to its input."""

from __future__ import annotations

from typing import Any

from striate import initializers, random
from striate.core import args
from striate.core.registry import export
from striate.layers.base import Layer
from striate.layers.compute import in_dtype


@export("layers.LayerScale")
class LayerScale(Layer):
    """Each channel times a number of its own, all of them small at first.

        y[..., c] = x[..., c] * gamma[c]

    A branch that starts near 0 leaves its block near the identity, so that deep networks begin to learn at all.

    Source: Touvron et al. 2021, "Going Deeper with Image Transformers"; `keras.src.applications.convnext.LayerScale`,
    which Keras keeps to itself and names in files.

    Args:
        init_values: what gamma starts as.
        projection_dim: number of channels.

    Input shape: (..., channels); output shape: the same.
    Weights: gamma (channels,).

    Example:
        >>> LayerScale(0.5, 2)(np.ones((1, 2), "float32")).tolist()
        [[0.5, 0.5]]
    """

    __keras_place__ = ("keras.src.applications.convnext", "LayerScale")

    def __init__(self, init_values: float, projection_dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.init_values = float(init_values)
        self.projection_dim = args.positive_int(projection_dim, "projection_dim")
        self.gamma: Any = None

    def build(self, input_shape: Any) -> None:
        start = initializers.Constant(self.init_values)
        self.gamma = self.add_weight(name="gamma", shape=(self.projection_dim,), initializer=start)

    def call(self, inputs: Any) -> Any:
        return inputs * in_dtype(self.gamma, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return tuple(input_shape)


@export("layers.StochasticDepth")
class StochasticDepth(Layer):
    """In training leaves a branch out, whole, for a random part of the images, and divides the others by what is kept.

        y[n] = x[n] / (1 - drop_path_rate) with probability 1 - drop_path_rate, else 0

    Such a network trains as one of many shorter ones, and predicts as all of them together.

    Source: Huang et al. 2016, "Deep Networks with Stochastic Depth"; `keras.src.applications.convnext.StochasticDepth`,
    which Keras keeps to itself and names in files.

    Args:
        drop_path_rate: probability of a 0, in [0, 1].

    Input shape: (batch, ...); output shape: the same.

    Raises:
        ValueError: a rate outside [0, 1].

    Example:
        >>> y = StochasticDepth(0.5)(np.ones((100, 2, 3), "float32"), training=True)
        >>> sorted(set(y.sum(axis=(1, 2)).tolist()))
        [0.0, 12.0]
    """

    __keras_place__ = ("keras.src.applications.convnext", "StochasticDepth")

    def __init__(self, drop_path_rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.drop_path_rate = args.fraction(drop_path_rate, "drop_path_rate")
        if self.drop_path_rate > 0:
            self.seed_generator = random.SeedGenerator()

    def call(self, x: Any, training: bool | None = None) -> Any:
        if not training or self.drop_path_rate == 0:
            return x
        mask = (None,) + (1,) * (len(x.shape) - 1)
        return random.dropout(x, self.drop_path_rate, noise_shape=mask, seed=self.seed_generator)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return tuple(input_shape)
