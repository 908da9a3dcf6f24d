"""summary(): the text that real Keras 3.15.1 prints for the same models."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers
from striate.models.summary import readable_size
from tests.models.test_functional import branched

SEQUENTIAL = """\
Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ conv2d (Conv2D)                 │ (None, 8, 8, 4)        │           112 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ batch_normalization             │ (None, 8, 8, 4)        │            16 │
│ (BatchNormalization)            │                        │               │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ max_pooling2d (MaxPooling2D)    │ (None, 4, 4, 4)        │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ conv2d_1 (Conv2D)               │ (None, 4, 4, 2)        │            74 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ flatten (Flatten)               │ (None, 32)             │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dropout (Dropout)               │ (None, 32)             │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense (Dense)                   │ (None, 3)              │            99 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 889 (3.47 KB)
 Trainable params: 293 (1.14 KB)
 Non-trainable params: 8 (32.00 B)
 Optimizer params: 588 (2.30 KB)
"""

NESTED = """\
Model: "functional_1"
┏━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━┳━━━━━━━━━━━━━━━━┳━━━━━━━┓
┃ Layer (type)      ┃ Output Shape    ┃   Param # ┃ Connected to   ┃ Trai… ┃
┡━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━╇━━━━━━━━━━━━━━━━╇━━━━━━━┩
│ img (InputLayer)  │ (None, 8, 8, 3) │         0 │ -              │   -   │
├───────────────────┼─────────────────┼───────────┼────────────────┼───────┤
│ stem (Conv2D)     │ (None, 8, 8, 4) │       112 │ img[0][0]      │   Y   │
├───────────────────┼─────────────────┼───────────┼────────────────┼───────┤
│ conv2d (Conv2D)   │ (None, 8, 8, 4) │       148 │ stem[0][0]     │   Y   │
├───────────────────┼─────────────────┼───────────┼────────────────┼───────┤
│ re_lu (ReLU)      │ (None, 8, 8, 4) │         0 │ conv2d[0][0]   │   -   │
├───────────────────┼─────────────────┼───────────┼────────────────┼───────┤
│ add (Add)         │ (None, 8, 8, 4) │         0 │ stem[0][0],    │   -   │
│                   │                 │           │ re_lu[0][0]    │       │
├───────────────────┼─────────────────┼───────────┼────────────────┼───────┤
│ head (Sequential) │ (None, 2)       │        10 │ add[0][0]      │   Y   │
├───────────────────┼─────────────────┼───────────┼────────────────┼───────┤
│    └ conv2d_1     │ (None, 8, 8, 2) │        10 │ -              │   Y   │
│ (Conv2D)          │                 │           │                │       │
├───────────────────┼─────────────────┼───────────┼────────────────┼───────┤
│    └              │ (None, 2)       │         0 │ -              │   -   │
│ global_average_p… │                 │           │                │       │
│ (GlobalAveragePo… │                 │           │                │       │
├───────────────────┼─────────────────┼───────────┼────────────────┼───────┤
│ logits (Dense)    │ (None, 2)       │         6 │ head[0][0]     │   Y   │
└───────────────────┴─────────────────┴───────────┴────────────────┴───────┘
 Total params: 276 (1.08 KB)
 Trainable params: 276 (1.08 KB)
 Non-trainable params: 0 (0.00 B)
"""

NARROW_HEAD = """\
Model: "functional_1"
┏━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━┳━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)    ┃ Output Shape ┃ Param # ┃ Connected to  ┃
┡━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━╇━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ img             │ (None, 8, 8, │       0 │ -             │
│ (InputLayer)    │ 3)           │         │               │
"""

UNBUILT = """\
Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ flatten (Flatten)               │ ?                      │   0 (unbuilt) │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense (Dense)                   │ ?                      │   0 (unbuilt) │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 0 (0.00 B)
 Trainable params: 0 (0.00 B)
 Non-trainable params: 0 (0.00 B)
"""


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def text_of(model: Any, **options: Any) -> str:
    parts: list[str] = []
    model.summary(print_fn=parts.append, **options)
    (text,) = parts  # the whole text at once, as Keras gives it
    return text


def test_sequential_with_an_optimizer(capsys: pytest.CaptureFixture[str]) -> None:
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Conv2D(2, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(np.zeros((2, 8, 8, 3)), np.zeros(2), verbose=0)
    model.summary()
    assert capsys.readouterr().out == SEQUENTIAL


def test_nested_and_trainable() -> None:
    assert text_of(branched(), expand_nested=True, show_trainable=True) == NESTED


def test_a_narrow_table_wraps() -> None:
    assert text_of(branched(), line_length=60).startswith(NARROW_HEAD)


def test_unbuilt() -> None:
    assert text_of(keras.Sequential([layers.Flatten(), layers.Dense(3)])) == UNBUILT


def test_a_chain_needs_no_column_of_connections() -> None:
    inputs = keras.Input((4,))
    assert "Connected to" not in text_of(keras.Model(inputs, layers.Dense(2)(inputs)))


def test_subclassed() -> None:
    class Mine(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.flat = layers.Flatten()
            self.dense = layers.Dense(3)

        def call(self, x: Any) -> Any:
            return self.dense(self.flat(x))

    model = Mine()
    model(np.zeros((2, 2, 2)))
    text = text_of(model)
    assert "│ flatten (Flatten)               │ (2, 4)                 │             0 │" in text
    assert "│ dense (Dense)                   │ (2, 3)                 │            15 │" in text


def test_layer_range() -> None:
    text = text_of(branched(), layer_range=["stem", "re_lu"])
    assert "img (InputLayer)" not in text and "re_lu (ReLU)" in text and "logits" not in text
    with pytest.raises(ValueError, match="do not match"):
        text_of(branched(), layer_range=["stem", "nose"])


def test_too_narrow() -> None:
    with pytest.raises(ValueError, match="Insufficient console width"):
        text_of(branched(), line_length=12)


def test_sizes() -> None:
    sizes = [0, 1012, 1024, 5 * 2**20, 3 * 2**30]
    assert [readable_size(n) for n in sizes] == ["0.00 B", "1012.00 B", "1.00 KB", "5.00 MB", "3.00 GB"]
