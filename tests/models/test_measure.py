"""Multiply-adds and receptive fields: by hand on small models, and by what really reaches an output."""

from __future__ import annotations

import numpy as np
import pytest

import striate
from striate import layers, ops
from striate.models.measure import multiply_adds, receptive_field


def branched() -> striate.Model:
    """Two ways, one wide along rows and one along columns, with a step, a dilation and a gate over the whole image."""
    x = striate.Input((40, 40, 1))
    y = layers.Conv2D(2, (3, 1), padding="same", dilation_rate=2)(x)
    z = layers.Conv2D(2, (1, 5), padding="same")(x)
    y = layers.MaxPooling2D(2)(layers.Add()([y, z]))
    gate = layers.Dense(2, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(y))
    y = layers.Multiply()([y, gate])
    return striate.Model(x, layers.DepthwiseConv2D(3, padding="same")(y))


def test_products_by_hand() -> None:
    #      3x1 and 1x5 windows for 2 maps of 40x40    gate      3x3 on 2 maps of 20x20
    assert multiply_adds(branched()) == 1600 * 2 * (3 + 5) + 2 * 2 + 400 * 2 * 9


@pytest.mark.parametrize(
    ("layer", "shape", "products"),
    [
        (layers.Conv2D(6, 3, groups=2), (5, 5, 4), 9 * 9 * 2 * 6),
        (layers.Conv2DTranspose(3, 2, strides=2), (4, 4, 5), 16 * 4 * 5 * 3),
        (layers.SeparableConv2D(6, 3), (5, 5, 4), 9 * (9 * 4 + 4 * 6)),
        (layers.Dense(7), (3, 3, 2), 9 * 2 * 7),
        (layers.BatchNormalization(), (3, 3, 2), 0),
    ],
    ids=lambda v: getattr(v, "name", ""),
)
def test_products_of_layers(layer: layers.Layer, shape: tuple[int, ...], products: int) -> None:
    assert multiply_adds(striate.Sequential([striate.Input(shape), layer])) == products


def test_a_nested_model_counts_as_its_layers_do() -> None:
    inner = striate.Sequential([layers.Conv2D(4, 3), layers.MaxPooling2D(2)])
    x = striate.Input((9, 9, 2))
    model = striate.Model(x, layers.Conv2D(1, 3)(inner(x)))
    assert multiply_adds(model) == 49 * 9 * 2 * 4 + 9 * 4
    assert receptive_field(model) == (8, 8)


def test_the_field_is_what_reaches_an_output() -> None:
    """Change one pixel after the other, the gate held: the outputs that move say how far one sees."""
    x = striate.Input((40, 40, 1))
    y = layers.Conv2D(2, (3, 1), padding="same", dilation_rate=2)(x)
    z = layers.Conv2D(2, (1, 5), padding="same")(x)
    y = layers.DepthwiseConv2D(3, padding="same")(layers.AveragePooling2D(2)(layers.Add()([y, z])))
    model = striate.Model(x, y)
    for weight in model.weights:
        weight.assign(ops.ones(weight.shape))
    image = np.zeros((1, 40, 40, 1), "float32")
    quiet = model.predict(image, verbose=0)[0, 10, 10, 0]
    rows, columns = set(), set()
    for i in range(40):
        for j in range(40):
            image[0, i, j] = 1
            if model.predict(image, verbose=0)[0, 10, 10, 0] != quiet:
                rows.add(i)
                columns.add(j)
            image[0, i, j] = 0
    reach = max(rows) - min(rows) + 1, max(columns) - min(columns) + 1
    assert reach == receptive_field(model) == receptive_field(branched())


def test_what_cannot_be_counted_says_so() -> None:
    class Own(striate.Model):
        pass

    with pytest.raises(ValueError, match="subclassed models are not counted"):
        multiply_adds(Own())
    with pytest.raises(ValueError, match="known size"):
        multiply_adds(striate.Sequential([striate.Input((None, None, 3)), layers.Conv2D(2, 3)]))
