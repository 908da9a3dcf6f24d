"""The lecture's code, verbatim, and what it says of it."""

from __future__ import annotations

import numpy as np
import pytest

import striate as keras
from striate.ir.opdef import run_reference
from striate.ir.ops.attrs import ConvAttrs


def test_listing_1_a_convolutional_layer():
    conv = keras.layers.Conv2D(filters=32, kernel_size=3, strides=1,
                               padding="same", activation="relu")  # fmt: skip
    images = np.random.default_rng(0).random((2, 10, 12, 3), dtype="float32")
    maps = conv(images)
    assert isinstance(maps, np.ndarray) and maps.shape == (2, 10, 12, 32)
    assert (maps >= 0).all() and (maps > 0).any()


def test_listing_2_a_pooling_layer():
    max_pool = keras.layers.MaxPool2D(pool_size=2)
    images = np.arange(16, dtype="float32").reshape(1, 4, 4, 1)
    assert max_pool(images)[0, :, :, 0].tolist() == [[5, 7], [13, 15]]


def test_listing_3_the_lecture_model():
    model = keras.models.Sequential([
        keras.layers.Conv2D(64, 7, activation="relu", padding="same",
                            input_shape=[28, 28, 1]),
        keras.layers.MaxPooling2D(2),
        keras.layers.Conv2D(128, 3, activation="relu", padding="same"),
        keras.layers.Conv2D(128, 3, activation="relu", padding="same"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Conv2D(256, 3, activation="relu", padding="same"),
        keras.layers.Conv2D(256, 3, activation="relu", padding="same"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Flatten(),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(10, activation="softmax")
    ])  # fmt: skip
    assert model.count_params() == 1_413_834
    images = np.random.default_rng(0).random((3, 28, 28, 1), dtype="float32")
    probabilities = model.predict(images, verbose=0)
    assert probabilities.shape == (3, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(("padding", "columns"), [("same", 3), ("valid", 2)])
def test_padding_example_of_width_13(padding, columns):
    """Input width 13, filter width 6, stride 5: "same" adds zeros and gives 3 columns, "valid" ignores the last 2."""
    conv = keras.layers.Conv2D(1, (1, 6), strides=(1, 5), padding=padding)
    assert conv(np.ones((1, 1, 13, 1), "float32")).shape == (1, 1, columns, 1)


def test_same_padding_adds_one_left_and_two_right():
    """(3-1)*5 + 6 - 13 = 3 zeros: one before, two after."""
    conv = keras.layers.Conv2D(1, (1, 6), strides=(1, 5), padding="same", kernel_initializer="ones", use_bias=False)
    x = np.arange(1, 14, dtype="float32").reshape(1, 1, 13, 1)
    expected = [sum(range(1, 6)), sum(range(5, 11)), sum(range(10, 14))]
    assert conv(x).ravel().tolist() == expected


def test_equation_14_1():
    """z[i,j,k] = b[k] + sum over u,v,k' of x[i*sh+u, j*sw+v, k'] * w[u,v,k',k], by four loops."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(1, 7, 9, 2)).astype("float32")
    w = rng.normal(size=(3, 2, 2, 4)).astype("float32")
    b = rng.normal(size=4).astype("float32")
    sh, sw = 2, 3
    rows, columns = (7 - 3) // sh + 1, (9 - 2) // sw + 1
    z = np.zeros((rows, columns, 4))
    for i in range(rows):
        for j in range(columns):
            for k in range(4):
                z[i, j, k] = b[k] + sum(
                    float(x[0, i * sh + u, j * sw + v, m]) * float(w[u, v, m, k])
                    for u in range(3)
                    for v in range(2)
                    for m in range(2)
                )
    (meaning,) = run_reference("conv2d", (x, w, b), ConvAttrs(strides=(sh, sw)))
    np.testing.assert_allclose(meaning[0], z, rtol=1e-6, atol=1e-6)
    conv = keras.layers.Conv2D(4, (3, 2), strides=(sh, sw))
    conv.build(x.shape)
    conv.set_weights([w, b])
    np.testing.assert_allclose(conv(x)[0], z, rtol=1e-5, atol=1e-5)


def test_line_filters_find_lines():
    """The lecture's two filters: a vertical line answers to vertical lines, a horizontal one to horizontal lines."""
    filters = np.zeros((7, 7, 1, 2), "float32")
    filters[:, 3, :, 0] = 1
    filters[3, :, :, 1] = 1
    picture = np.zeros((1, 21, 21, 1), "float32")
    picture[:, :, 5] = 1  # a vertical line
    picture[:, 15, :] = 1  # a horizontal line
    maps = keras.ops.conv(picture, filters, strides=1, padding="same")[0]
    assert maps[8, 5, 0] == 7 and maps[8, 5, 1] == 1
    assert maps[15, 12, 1] == 7 and maps[15, 12, 0] == 1
