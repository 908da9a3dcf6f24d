"""Runs a script of examples/keras_style with Striate or with real Keras, and notes what it computes and prints.

The script is not changed. What is drawn by chance is made equal: initial weights come from one NumPy generator, in the
order in which they are made; dropout is off; nothing is shuffled; layers that change images at random draw what their
samples' numbers say. Both processes use this file: it imports neither.
"""

from __future__ import annotations

import contextlib
import io
import os
import runpy
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "examples" / "keras_style"
DRAWN = (
    "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "GlorotNormal", "GlorotUniform", "HeNormal",
    "HeUniform", "LecunNormal", "LecunUniform",
)  # fmt: skip


class Draws:
    """Initial weights, the same in both: those of the n-th initializer depend on n and the shape alone."""

    def __init__(self, disturbance: float) -> None:
        self.disturbance = disturbance
        self.asked: list[Any] = []  # initializers, kept so that no other takes their identity

    def __call__(self, initializer: Any, shape: Any, dtype: Any = None) -> np.ndarray:
        # Keras may build a model several times before it trains, symbolically at first.
        if not any(initializer is known for known in self.asked):
            self.asked.append(initializer)
        place = next(i for i, known in enumerate(self.asked) if known is initializer)
        rng = np.random.default_rng([7, place])
        field = int(np.prod(shape[:-2]))  # of a convolution; 1 of a dense layer
        limit = np.sqrt(6 / (field * (shape[-2] + shape[-1])))
        values = rng.uniform(-limit, limit, shape).astype("float32")
        return values * (1 + self.disturbance * rng.uniform(-1, 1, shape)).astype("float32")

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Inside, draws do not count: a file is loaded, and whether weights are drawn before is nobody's business."""
        before = list(self.asked)
        yield
        self.asked[:] = before


def spread_out(shape: Any = (), minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """In the place of uniform random numbers: multiples of the golden ratio, evenly over the range."""
    turns = (np.arange(1, 1 + int(np.prod(shape))) * 0.6180339887) % 1
    return (minval + (maxval - minval) * turns).astype("float32").reshape(shape)


class Notes:
    """Every batch's and epoch's logs, and what `evaluate` and `predict` gave the script, in order."""

    def __init__(self, keras: Any) -> None:
        self.fits: list[dict[str, Any]] = []
        self.answers: list[Any] = []
        self._inside = False
        notes = self

        class Recorder(keras.callbacks.Callback):
            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
                notes.fits[-1]["batches"].append({"batch": batch, **logs})

            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                notes.fits[-1]["epochs"].append(dict(logs))

        self._recorder = Recorder

    def fit(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def fit(model: Any, *args: Any, **kwargs: Any) -> Any:
            self.fits.append({"batches": [], "epochs": []})
            kwargs.update(shuffle=False, callbacks=[*(kwargs.get("callbacks") or ()), self._recorder()])
            self._inside = True
            try:
                return original(model, *args, **kwargs)
            finally:
                self._inside = False

        return fit

    def answer(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(model: Any, *args: Any, **kwargs: Any) -> Any:
            given = original(model, *args, **kwargs)
            if not self._inside:
                self.answers.append(given)
            return given

        return call


def record(keras: Any, name: str, disturbance: float = 0.0, width: int = 100) -> dict[str, Any]:
    """What a script computed and printed, run with the package `keras` for its line `import striate as keras`.

    Args:
        keras: Striate, or real Keras.
        name: of the script's file.
        disturbance: initial weights are off by up to so much of themselves.
        width: columns of the terminal it prints to.
    """
    draws, notes, printed = Draws(disturbance), Notes(keras), io.StringIO()
    load = keras.models.load_model

    def load_model(*args: Any, **kwargs: Any) -> Any:
        with draws.kept():
            return load(*args, **kwargs)

    with contextlib.ExitStack() as stack:
        for kind in DRAWN:
            owner = getattr(keras.initializers, kind)
            call = lambda self, shape, dtype=None, **_: draws(self, shape, dtype)  # noqa: E731
            stack.enter_context(mock.patch.object(owner, "__call__", call))
        stack.enter_context(
            mock.patch.object(keras.layers.Dropout, "call", lambda self, inputs, training=False: inputs)
        )
        stack.enter_context(mock.patch.object(keras.Model, "fit", notes.fit(keras.Model.fit)))
        for method in ("evaluate", "predict"):
            wrapped = notes.answer(getattr(keras.Model, method))
            stack.enter_context(mock.patch.object(keras.Model, method, wrapped))
        stack.enter_context(mock.patch.object(keras.models, "load_model", load_model))
        stack.enter_context(mock.patch.dict(os.environ, {"COLUMNS": str(width)}))
        stack.enter_context(mock.patch.object(drawing(keras), "uniform", spread_out))
        if keras.__name__ != "striate":
            stack.enter_context(mock.patch.dict(sys.modules, {"striate": keras, "striate.datasets": datasets()}))
        stack.enter_context(contextlib.redirect_stdout(printed))
        keras.utils.clear_session()
        runpy.run_path(str(SCRIPTS / name), run_name="__main__")
    return {"fits": notes.fits, "answers": notes.answers, "printed": printed.getvalue()}


def drawing(keras: Any) -> Any:
    """The module whose random numbers layers take."""
    return keras.random if keras.__name__ == "striate" else keras.src.backend.random


def datasets() -> types.ModuleType:
    """Stands for `striate.datasets` where there is no Striate: the sample's file, read."""
    module = types.ModuleType("striate.datasets")

    def load_data() -> Any:
        with np.load(ROOT / "src" / "striate" / "datasets" / "fashion_mnist_mini.npz") as held:
            return (held["x_train"], held["y_train"]), (held["x_test"], held["y_test"])

    module.fashion_mnist_mini = types.SimpleNamespace(load_data=load_data)  # type: ignore[attr-defined]
    return module
