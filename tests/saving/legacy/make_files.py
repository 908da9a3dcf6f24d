"""Makes the files of older Keras in this folder, by the Keras that runs it. The tests only read them.

    python3.11 -m venv /tmp/k && /tmp/k/bin/pip install tensorflow-cpu==2.15.1    (2.13.1 the same; both 2026-11-29)
    /tmp/k/bin/python tests/saving/legacy/make_files.py
    (Keras 3.0: keras==3.0.5 jax==0.4.25 jaxlib==0.4.25 "numpy<2" "scipy<1.13" h5py ml_dtypes packaging)

Each model is trained for two steps and saved as .keras and .h5, its weights as .h5 and .weights.h5; `expected.npz` has
what it predicts, the loss of a third step and the predictions after it. Inputs are made of sines, so that the tests
make them too. All files of a version are packed into one archive.
"""

from __future__ import annotations

import os
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "jax")

import numpy as np


def wave(*shape: int, shift: float = 0.0) -> Any:
    """Numbers from -1 to 1 that need no file."""
    return np.sin(np.arange(np.prod(shape), dtype="float64") * 0.7 + shift).reshape(shape).astype("float32")


def weights_for(model: Any) -> list[Any]:
    """Values for all weights of a model: those that must be positive are."""
    values = [0.4 * wave(*w.shape, shift=i) for i, w in enumerate(model.weights)]
    return [abs(v) + 0.5 if "variance" in w.name else v for v, w in zip(values, model.weights)]


def sequential(keras: Any) -> tuple[Any, Any, Any]:
    """What most published files hold."""
    L = keras.layers
    model = keras.Sequential(
        [
            L.Rescaling(0.5, offset=0.1, input_shape=(8, 8, 3)),
            L.Conv2D(4, 3, padding="same", use_bias=False, kernel_initializer="he_normal", kernel_regularizer="l2"),
            L.BatchNormalization(momentum=0.9),
            L.ReLU(6.0),
            L.DepthwiseConv2D(3, strides=2, padding="same", depthwise_initializer="glorot_uniform"),
            L.LeakyReLU(alpha=0.2),
            L.SeparableConv2D(3, 2, activation="elu"),
            L.MaxPooling2D(2, strides=1),
            L.Dropout(0.0, seed=3),
            L.Flatten(),
            L.Dense(3, activation="softmax", name="scores"),
        ],
        name="plain",
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, wave(4, 8, 8, 3), np.array([0, 1, 2, 1])


def functional(keras: Any) -> tuple[Any, Any, Any]:
    """Two inputs and outputs, a layer called twice, models inside models, one of them called twice."""
    L = keras.layers
    block_in = keras.Input((6, 6, 2), name="block_in")
    block = keras.Model(
        block_in,
        [L.Conv2D(2, 3, padding="same", name="c")(block_in), L.ELU(alpha=0.5, name="e")(block_in)],
        name="block",
    )
    head = keras.Sequential([L.Dense(3, activation="tanh", name="d1"), L.Dense(2, name="d2")], name="head")
    image, extra = keras.Input((6, 6, 2), name="image"), keras.Input((4,), name="extra")
    a, b = block(image)
    c, _ = block(L.Add(name="sum")([a, b]))
    pooled = L.Concatenate(axis=-1, name="joined")(
        [L.GlobalAveragePooling2D(name="mean")(c), L.GlobalMaxPooling2D(name="most")(b)]
    )
    twice = L.Dense(4, name="twice")
    t = twice(L.LayerNormalization(axis=[1], name="ln")(twice(extra)))
    first = head(L.Multiply(name="product")([pooled, t]))
    second = L.Dense(1, activation="sigmoid", name="second")(L.Activation("swish", name="act")(t))
    model = keras.Model(inputs=[image, extra], outputs=[first, second], name="wide")
    model.compile(
        keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5), momentum=0.9),
        loss={"head": "mse", "second": keras.losses.BinaryCrossentropy()},
        loss_weights={"head": 1.0, "second": 0.5},
        metrics={"second": [keras.metrics.MeanAbsoluteError(name="mae")]},
    )
    return model, [wave(4, 6, 6, 2), wave(4, 4, shift=1.0)], [wave(4, 2), (wave(4, 1, shift=2.0) > 0).astype("float32")]


def frozen(keras: Any) -> tuple[Any, Any, Any]:
    """Part of it does not train, which older files order otherwise than newer ones."""
    L = keras.layers
    base = keras.Sequential(
        [
            keras.Input((5, 3)),
            L.Conv1D(4, 2, name="early"),
            L.BatchNormalization(name="bn"),
            L.Conv1D(3, 2, padding="causal", name="late"),
        ],
        name="base",
    )
    base.layers[0].trainable = False
    model = keras.Sequential([base, L.GlobalMaxPooling1D(), L.PReLU(), L.Dense(2)], name="tuned")
    model.build((None, 5, 3))
    model.compile(keras.optimizers.RMSprop(0.01, momentum=0.5), keras.losses.Huber(0.5))
    return model, wave(4, 5, 3), wave(4, 2)


def first_kind(keras: Any) -> tuple[Any, Any, Any]:
    """An optimizer of Keras 2's first kind, with its decay; a layer that counted what it was adapted to."""
    L = keras.layers
    scale = L.Normalization(name="scale")
    scale.adapt(wave(8, 3))
    model = keras.Sequential([keras.Input((3,)), scale, L.Dense(2, activation="selu"), L.Dense(1)], name="first")
    older = keras.__version__ < "3" and hasattr(keras.optimizers, "legacy")  # Striate's own version is 0
    model.compile(keras.optimizers.legacy.Adam(0.01, decay=0.5) if older else "adam", "mae")
    return model, wave(4, 3), wave(4, 1)


def own_weights(keras: Any) -> tuple[Any, Any, Any]:
    """A subclass with a weight of its own beside its layers: only its weights are saved."""

    class Shifted(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="shifted")
            self.dense = keras.layers.Dense(2, name="dense")
            self.shift = self.add_weight(name="shift", shape=(2,), initializer="ones")

        def call(self, x: Any) -> Any:
            return self.dense(x) + self.shift

    model, x = Shifted(), wave(4, 3)
    model(x)
    model.compile("sgd", "mse")
    return model, x, wave(4, 2)


#: those whose weights alone are saved.
WEIGHTS_ONLY = ("own_weights",)
MODELS = {f.__name__: f for f in (sequential, functional, frozen, first_kind, own_weights)}


def refused(keras: Any, folder: Path) -> None:
    """Files that nothing but the Keras that wrote them can read: a function of TensorFlow, a function in bytes."""
    start = keras.Input((2,))
    keras.Model(start, keras.layers.Dense(1)(start * 2.0)).save(folder / "of-tensorflow.h5")
    keras.Sequential([keras.layers.Lambda(lambda x: x * 2.0, input_shape=(2,))]).save(folder / "lambda.h5")


def save(keras: Any, folder: Path) -> None:
    expected: dict[str, Any] = {}
    for name, make in MODELS.items():
        keras.backend.clear_session()
        model, x, y = make(keras)
        adapted = 3 if name == "first_kind" else 0  # what its Normalization found stays
        model.set_weights(model.get_weights()[:adapted] + weights_for(model)[adapted:])
        for _ in range(2):
            model.train_on_batch(x, y)
        if name not in WEIGHTS_ONLY:
            model.save(folder / f"{name}.keras")
        if keras.__version__ < "3":
            # Keras 3.0's .h5 lacks what two weights of one name had; later ones are asked in tests_keras.
            model.save_weights(folder / f"{name}-weights.h5")
            if name not in WEIGHTS_ONLY:
                model.save(folder / f"{name}.h5")
        model.save_weights(folder / f"{name}.weights.h5")

        def note(when: str, model: Any = model, x: Any = x, name: str = name) -> None:
            got = model.predict(x, verbose=0)
            for i, value in enumerate(got if isinstance(got, list) else [got]):
                expected[f"{name}/{when}/{i}"] = value

        note("predicted")
        model.reset_metrics()  # Keras 3 gives a mean over the steps
        for i, value in enumerate(model.get_weights()):
            expected[f"{name}/weights/{i}"] = value
        expected[f"{name}/loss"] = np.atleast_1d(model.train_on_batch(x, y))[0]
        note("after")
    np.savez_compressed(folder / "expected.npz", **expected)


def main() -> None:
    import keras

    version = ".".join(keras.__version__.split(".")[:2])
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        save(keras, folder)
        if keras.__version__ < "3":
            refused(keras, folder)
        target = Path(__file__).resolve().parent / f"keras-{version}.zip"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for path in sorted(folder.iterdir()):
                archive.write(path, path.name)
    print(keras.__version__, target.stat().st_size)


if __name__ == "__main__":
    sys.exit(main())
