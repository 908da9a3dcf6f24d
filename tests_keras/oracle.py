"""Real Keras, asked from outside: runs in .venv-keras, reads requests on stdin, answers on stdout (pickled dictionaries).

Each request names one of the functions below and its arguments, which are plain values and NumPy arrays.
"""

from __future__ import annotations

import os
import pickle
import struct
import sys
import traceback
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import jax
import keras
import numpy as np


def _make(kind: str, name: str, config: dict[str, Any]) -> Any:
    return getattr(getattr(keras, kind), name)(**config)


def layer(name: str, config: dict[str, Any], inputs: list[np.ndarray], weights: list[np.ndarray] | None, training: bool) -> Any:
    """Output, gradients of sum(output * cotangent) and the layer's config, weights' shapes and paths."""
    keras.utils.clear_session()
    made = _make("layers", name, config)
    given = inputs[0] if len(inputs) == 1 else inputs
    shapes = given.shape if len(inputs) == 1 else [x.shape for x in inputs]
    made.build(shapes)
    if weights is not None:
        made.set_weights(weights)
    kwargs = {"training": training} if "training" in made.call.__code__.co_varnames else {}
    out = np.asarray(made(given, **kwargs))
    cotangent = np.cos(np.arange(out.size, dtype=np.float32)).reshape(out.shape)
    trainable = [v.value for v in made.trainable_variables]
    fixed = [v.value for v in made.non_trainable_variables]

    def loss(variables: Any, xs: Any) -> Any:
        x = xs[0] if len(xs) == 1 else list(xs)
        y, _ = made.stateless_call(variables, fixed, x, **kwargs)
        return (y * cotangent).sum()

    float_inputs = all(x.dtype.kind == "f" for x in inputs)
    if float_inputs:
        dw, dx = jax.grad(loss, argnums=(0, 1))(trainable, tuple(inputs))
    else:
        dw, dx = jax.grad(loss, argnums=0)(trainable, tuple(inputs)), ()
    return {
        "output": out,
        "weight_gradients": [np.asarray(g) for g in dw],
        "input_gradients": [np.asarray(g) for g in dx],
        "weights": [np.asarray(w) for w in made.get_weights()],
        "paths": [v.path for v in made.weights],
        "output_shape": made.compute_output_shape(shapes),
        "config": keras.saving.serialize_keras_object(made),
    }


def loss(name: str, config: dict[str, Any], y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
    """A loss's value, its gradient for the predictions, and its config."""
    made = _make("losses", name, config)
    value = np.asarray(made(y_true, y_pred, sample_weight))
    gradient = jax.grad(lambda p: made(y_true, p, sample_weight).sum())(y_pred)
    return {"value": value, "gradient": np.asarray(gradient), "config": keras.saving.serialize_keras_object(made)}


def metric(name: str, config: dict[str, Any], updates: list[tuple[Any, ...]]) -> Any:
    """A metric's result after each update, and its config."""
    made = _make("metrics", name, config)
    results = []
    for update in updates:
        made.update_state(*update)
        results.append(np.asarray(made.result()))
    return {"results": results, "config": keras.saving.serialize_keras_object(made)}


def optimizer(name: str, config: dict[str, Any], start: list[np.ndarray], gradients: list[list[np.ndarray]]) -> Any:
    """The variables after each step, the optimizer's own variables after the last, and its config."""
    made = keras.optimizers.deserialize({"class_name": name, "config": config, "module": "keras.optimizers"})
    variables = [keras.Variable(v, name=f"v{i}") for i, v in enumerate(start)]
    made.build(variables)
    steps = []
    for step in gradients:
        made.apply([keras.ops.convert_to_tensor(g) for g in step], variables)
        steps.append([np.asarray(v.value) for v in variables])
    return {
        "steps": steps,
        "state": [np.asarray(v.value) for v in made.variables],
        "config": keras.saving.serialize_keras_object(made),
    }


def schedule(name: str, config: dict[str, Any], steps: list[int]) -> Any:
    """A schedule's values."""
    made = getattr(keras.optimizers.schedules, name)(**config)
    return {"values": [float(made(s)) for s in steps], "config": keras.saving.serialize_keras_object(made)}


def activation(name: str, x: np.ndarray) -> Any:
    """An activation's values and derivative."""
    fn = getattr(keras.activations, name)
    return {"value": np.asarray(fn(x)), "gradient": np.asarray(jax.grad(lambda z: (fn(z) * np.cos(x)).sum())(x))}


def regularizer(kind: str, name: str, config: dict[str, Any], x: np.ndarray) -> Any:
    """A regularizer's penalty or a constraint's projection."""
    return {"value": np.asarray(_make(kind, name, config)(keras.ops.convert_to_tensor(x)))}


def initializer(name: str, config: dict[str, Any], shape: tuple[int, ...]) -> Any:
    """What a seeded initializer draws, for its statistics."""
    made = _make("initializers", name, config)
    return {"value": np.asarray(made(shape)), "config": keras.saving.serialize_keras_object(made)}


def load_and_predict(path: str, x: Any) -> Any:
    """Load a file of ours, predict, give weights and the optimizer's state."""
    model = keras.saving.load_model(path)
    predicted = model.predict(x, verbose=0)
    return {
        "predicted": predicted if isinstance(predicted, list | dict) else np.asarray(predicted),
        "weights": [np.asarray(w) for w in model.get_weights()],
        "optimizer": [np.asarray(v.value) for v in model.optimizer.variables] if model.optimizer else None,
        "names": [layer.name for layer in model.layers],
    }


def run_script(source: str) -> Any:
    """Run a short script of the tests under real Keras; its variable `result` is the answer."""
    keras.utils.clear_session()
    scope: dict[str, Any] = {"keras": keras, "np": np}
    exec(source, scope)
    return scope["result"]


FUNCTIONS = (layer, loss, metric, optimizer, schedule, activation, regularizer, initializer, load_and_predict, run_script)


def main() -> None:
    table = {f.__name__: f for f in FUNCTIONS}
    stdin, stdout = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints, prints to stderr
    while header := stdin.read(8):
        request = pickle.loads(stdin.read(struct.unpack("<Q", header)[0]))
        try:
            answer: Any = {"ok": table[request["function"]](**request["arguments"])}
        except Exception as error:
            answer = {"error": type(error).__name__, "text": str(error), "trace": traceback.format_exc()}
        data = pickle.dumps(answer)
        stdout.write(struct.pack("<Q", len(data)) + data)
        stdout.flush()


if __name__ == "__main__":
    main()
