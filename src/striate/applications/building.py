"""What the families share: images come in, classes or features go out, published weights are loaded.

A family's file says what is between. `Frame` holds the arguments that all of them take, with Keras's meaning.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import Any

from striate import activations, backend, layers, models
from striate.applications import published
from striate.core.errors import ArgumentError, ShapeError
from striate.models.graph import get_source_inputs


def channel_axis() -> int:
    """Where maps have their channels, the batch counted."""
    return 1 if backend.image_data_format() == "channels_first" else 3


def norm(x: Any, name: str | None, **more: Any) -> Any:
    """Batch normalization of each channel."""
    return layers.BatchNormalization(axis=channel_axis(), name=name, **more)(x)


def relu(x: Any, name: str | None = None) -> Any:
    return layers.Activation("relu", name=name)(x)


def whole_multiple(value: float, of: int = 8) -> int:
    """The multiple of `of` nearest to `value`, at most a tenth below it: how widths are scaled in MobileNets.

    Example:
        >>> [whole_multiple(n) for n in (24.0, 16.8, 11.2)]
        [24, 16, 16]
    """
    nearest = max(of, int(value + of / 2) // of * of)
    return nearest + of if nearest < 0.9 * value else nearest


def halving_margin(x: Any, window: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Zeros around maps so that a "valid" window in steps of 2 is centred on every other pixel.

    Even sizes get one pixel less before than after them, which is where TensorFlow's "same" puts it too.
    """
    rows, columns = spatial(x.shape[1:])
    half = window // 2
    top, left = (half - (1 if n is None else 1 - n % 2) for n in (rows, columns))
    return (top, half), (left, half)


def spatial(shape: Any) -> tuple[int | None, int | None]:
    """Rows and columns of a shape without the batch."""
    rows, columns = shape[1:] if channel_axis() == 1 else shape[:2]
    return rows, columns


@dataclass
class Frame:
    """Arguments that every architecture of `keras.applications` takes; a network is made inside `with Frame(...)`.

    Args:
        name: of the model.
        include_top: whether it ends in classes.
        weights: None, "imagenet", or the path of a file.
        input_tensor: what to begin at in place of a new `Input`.
        input_shape: (height, width, channels) of the images.
        pooling: without the top: "avg", "max", or None for the maps themselves.
        classes: number of classes.
        classifier_activation: of the last layer.
    """

    name: str | None
    include_top: bool
    weights: Any
    input_tensor: Any
    input_shape: Any
    pooling: str | None
    classes: int
    classifier_activation: Any

    def __post_init__(self) -> None:
        #: what `begin` found: of the images that the model is made for.
        self.shape: Any = None
        self._drawing = backend.values_from_file() if self.weights is not None else contextlib.nullcontext()

    def __enter__(self) -> Frame:
        """Inside, weights that a file gives are not drawn first: VGG16's 138 million would take 20 s."""
        self._drawing.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._drawing.__exit__(*error)

    def begin(self, size: int | None = 224, least: int = 32) -> Any:
        """The tensor of the images.

        Args:
            size: rows and columns of the images it was published for; None where any will do, with the top too.
            least: the fewest that leave something to compute at the end.

        Raises:
            ValueError: weights that are no file, or do not fit the classes; a shape that does not fit.
        """
        self._check_weights()
        self.shape = shape = self._shape(size, least)
        if self.input_tensor is None:
            return layers.Input(shape)
        if not backend.is_keras_tensor(self.input_tensor):
            raise ArgumentError(
                f"`input_tensor` is a tensor that `Input` or a layer gave. Received: {self.input_tensor!r}. "
                "Call the model on arrays instead."
            )
        return self.input_tensor

    def _check_weights(self) -> None:
        if not (self.weights is None or self.weights == "imagenet" or os.path.exists(self.weights)):
            raise ArgumentError(
                f"`weights` is None (start from random numbers), 'imagenet', or the path of a weights file. There is "
                f"no file {os.fspath(self.weights)!r}."
            )
        if self.weights == "imagenet" and self.include_top and self.classes != 1000:
            raise ArgumentError(
                f"The weights of 'imagenet' are for 1000 classes. Received: classes={self.classes}. Give weights=None, "
                "or include_top=False and a top of your own."
            )
        if self.weights is not None and self.include_top:
            given = activations.get(self.classifier_activation)
            if given not in (activations.get("softmax"), activations.get(None)):
                raise ArgumentError(
                    "Weights were trained under softmax: `classifier_activation` must be 'softmax', or None for the "
                    f"logits. Received: classifier_activation={self.classifier_activation!r}."
                )

    def _shape(self, size: int | None, least: int) -> Any:
        first = channel_axis() == 1
        given = None if self.input_shape is None else tuple(self.input_shape)
        if given is not None and len(given) != 3:
            raise ShapeError(f"`input_shape` must be a tuple of three integers. Received: input_shape={given}.")
        channels = 3 if given is None else given[0 if first else 2]

        def square(n: int | None) -> Any:
            return (channels, n, n) if first else (n, n, channels)

        imagenet = self.weights == "imagenet"
        if imagenet and channels != 3:
            raise ShapeError(
                f"The weights of 'imagenet' are for 3 channels. Received: input_shape={given}. Give weights=None."
            )
        if given is None:
            return square(size) if self.include_top else square(None)
        fixed = self.include_top and size is not None
        if imagenet and fixed and given != square(size):
            raise ShapeError(
                f"With include_top=True and the weights of 'imagenet', `input_shape` should be {square(size)}. "
                f"Received: input_shape={given}. Leave it out, or give include_top=False."
            )
        rows, columns = spatial(given)
        if (rows is not None and rows < least) or (columns is not None and columns < least):
            raise ShapeError(
                f"Images must have at least {least}x{least} pixels: of smaller ones nothing is left at the last layer. "
                f"Received: input_shape={given}. Give larger images."
            )
        if fixed and None in given:
            raise ShapeError(
                f"With include_top=True the size of the images must be known. Received: input_shape={given}. Give "
                "height and width, or include_top=False."
            )
        return given

    def predictions(self, x: Any, **more: Any) -> Any:
        """The last dense layer."""
        return layers.Dense(self.classes, activation=self.classifier_activation, name="predictions", **more)(x)

    def pooled(self, x: Any, named: bool = False) -> Any:
        """Without the top: the maps, or one number for each of them."""
        if self.pooling == "avg":
            return layers.GlobalAveragePooling2D(name="avg_pool" if named else None)(x)
        if self.pooling == "max":
            return layers.GlobalMaxPooling2D(name="max_pool" if named else None)(x)
        return x

    def averaged_top(self, x: Any, named: bool = True, **more: Any) -> Any:
        """The mean of each map and one dense layer, as most have it since 2014 (Lin, Chen and Yan, NIN)."""
        if not self.include_top:
            return self.pooled(x, named)
        return self.predictions(layers.GlobalAveragePooling2D(name="avg_pool")(x), **more)

    def finish(self, x: Any, inputs: Any, weights_of: str | None) -> Any:
        """The model, with its weights.

        Args:
            x: the output.
            inputs: what `begin` gave.
            weights_of: name of the published weights; None where there are none.

        Raises:
            ValueError: weights that do not fit, or "imagenet" where none are published.
            OSError: they cannot be fetched.
        """
        start = inputs if self.input_tensor is None else get_source_inputs(self.input_tensor)
        model = models.Model(start, x, name=self.name)
        if self.weights == "imagenet":
            model.load_weights(published.weights_file(weights_of, self.include_top))
        elif self.weights is not None:
            model.load_weights(self.weights)
        return model
