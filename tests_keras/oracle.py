"""Real Keras, asked from outside: runs in .venv-keras, reads requests on stdin, answers on stdout (pickled).

Each request names one of the functions below and its arguments, which are plain values and NumPy arrays. Compiled
programs are kept in the environment's folder, so that only the first run of a comparison waits for XLA.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import struct
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"
# Nearly all the time of a comparison is XLA compiling; plain programs are there in a seventh of it.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false")

import h5py
import jax
import keras
import numpy as np
import recording
from keras.src.applications import convnext
from keras.src.legacy.saving import legacy_h5_format

jax.config.update("jax_compilation_cache_dir", os.path.join(sys.prefix, "jax-cache"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _make(kind: str, name: str, config: dict[str, Any]) -> Any:
    # A layer inside another is described as in files.
    inside = {k: keras.saving.deserialize_keras_object(v) for k, v in config.items() if isinstance(v, dict)}
    if name == "Pipeline":
        inside["layers"] = [keras.saving.deserialize_keras_object(v) for v in config["layers"]]
    return getattr(getattr(keras, kind), name)(**{**config, **inside})


def _described(thing: Any) -> Any:
    return keras.saving.serialize_keras_object(thing)


def _jit(function: Callable[..., Any], *arguments: Any) -> Any:
    """One program instead of one an operation: XLA's compilations are what takes time here."""
    return jax.tree.map(np.asarray, jax.jit(function)(*arguments))


@contextlib.contextmanager
def _no_draws() -> Iterator[None]:
    """Weights that are given are not drawn first: that costs a compilation for each shape."""
    every = [k for k in vars(keras.initializers).values() if isinstance(k, type)]
    kinds = [k for k in every if k.__module__.endswith("random_initializers")]
    kept = [(k, vars(k)["__call__"]) for k in kinds if "__call__" in vars(k)]
    for kind, _ in kept:
        kind.__call__ = lambda self, shape, dtype=None: np.zeros(shape, dtype)
    try:
        yield
    finally:
        for kind, call in kept:
            kind.__call__ = call


def layer(
    name: str, config: dict[str, Any], inputs: list[np.ndarray], weights: list[np.ndarray], training: bool
) -> Any:
    """Output, weights after it, gradients of sum(output * cotangent), config, weights' paths and trainability."""
    keras.utils.clear_session(free_memory=False)  # looking for garbage costs more than all the rest
    made = _make("layers", name, config)
    shapes = inputs[0].shape if len(inputs) == 1 else [x.shape for x in inputs]
    with _no_draws():
        made.build(shapes)
    made.set_weights(weights)
    kwargs = {"training": training} if "training" in made.call.__code__.co_varnames else {}
    trainable = [np.asarray(v.value) for v in made.trainable_variables]
    fixed = [np.asarray(v.value) for v in made.non_trainable_variables]
    floats = all(x.dtype.kind == "f" for x in inputs)

    def loss(variables: Any, xs: Any, rest: Any) -> Any:
        y, after = made.stateless_call(variables, rest, xs[0] if len(xs) == 1 else list(xs), **kwargs)
        cotangent = np.cos(np.arange(y.size, dtype=np.float32)).reshape(y.shape)
        return (y * cotangent).sum(), (y, after)

    wanted = (0, 1) if floats else 0
    (_, (out, after)), gradients = _jit(jax.value_and_grad(loss, wanted, has_aux=True), trainable, tuple(inputs), fixed)
    values = dict(zip([v.path for v in made.non_trainable_variables], after))
    return {
        "output": out,
        "weight_gradients": list(gradients[0] if floats else gradients),
        "input_gradients": list(gradients[1]) if floats else [],
        "weights": [values.get(v.path, np.asarray(v.value)) for v in made.weights],
        "paths": [v.path for v in made.weights],
        "trainable": [v.trainable for v in made.weights],
        # Keras 3.15.1's Pipeline cannot tell its own.
        "output_shape": out.shape if name == "Pipeline" else made.compute_output_shape(shapes),
        "config": _described(made),
    }


def loss(name: str, config: dict[str, Any], y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
    """A loss's value, its gradient for the predictions, and its config."""
    made = _make("losses", name, config)

    def summed(predicted: Any) -> Any:
        value = made(y_true, predicted, sample_weight)
        return value.sum(), value

    (_, value), gradient = _jit(jax.value_and_grad(summed, has_aux=True), y_pred)
    return {"value": value, "gradient": gradient, "config": _described(made)}


def loss_function(name: str, config: dict[str, Any], y_true: Any, y_pred: Any) -> Any:
    """What a function of keras.losses gives."""
    return {"value": _jit(lambda a, b: getattr(keras.losses, name)(a, b, **config), y_true, y_pred)}


def metric(name: str, config: dict[str, Any], updates: list[tuple[Any, ...]], late: bool = False) -> Any:
    """A metric's result after each update, its variables at the end, and its config.

    late: it makes its variables with the first batch.
    """
    made = _make("metrics", name, config)
    if late:
        made.update_state(*updates[0])
        made.reset_state()
    state = [np.asarray(v.value) for v in made.variables]

    def one(variables: Any, update: Any) -> Any:
        after = made.stateless_update_state(variables, *update)
        return made.stateless_result(after), after

    results = []
    for update in updates:
        result, state = _jit(one, state, update)
        results.append(result)
    return {"results": results, "state": state, "config": _described(made)}


def optimizer(
    name: str, config: dict[str, Any], start: list[np.ndarray], gradients: list[list[np.ndarray]], names: list[str]
) -> Any:
    """The variables after each step, the optimizer's own variables after the last, and its config."""
    keras.utils.clear_session(free_memory=False)
    made = keras.optimizers.deserialize({"class_name": name, "config": config, "module": "keras.optimizers"})
    variables = [keras.Variable(v, name=n) for v, n in zip(start, names)]
    made.build(variables)
    step = jax.jit(made.stateless_apply)
    state, values = [np.asarray(v.value) for v in made.variables], start
    steps = []
    for given in gradients:
        values, state = step(state, given, values)
        steps.append([np.asarray(v) for v in values])
    return {
        "steps": steps,
        "state": [np.asarray(v) for v in state],
        "names": [v.name for v in made.variables],
        "config": _described(made),
    }


def schedule(described: Any, steps: list[int]) -> Any:
    """A schedule's values, made from how we describe it."""
    made = keras.saving.deserialize_keras_object(described)
    return {"values": _jit(jax.vmap(made), np.asarray(steps, "int32")).tolist(), "config": _described(made)}


def activation(name: str, x: np.ndarray, config: dict[str, Any]) -> Any:
    """An activation's values and derivative."""
    fn = getattr(keras.activations, name)

    def summed(z: Any) -> Any:
        y = fn(z, **config)
        return (y * np.cos(x)).sum(), y

    (_, value), gradient = _jit(jax.value_and_grad(summed, has_aux=True), x)
    return {"value": value, "gradient": gradient}


def regularizer(kind: str, name: str, config: dict[str, Any], x: np.ndarray) -> Any:
    """A regularizer's penalty or a constraint's projection."""
    made = _make(kind, name, config)
    return {"value": _jit(lambda z: made(z), x), "config": _described(made)}


def initializer(name: str, config: dict[str, Any], shape: tuple[int, ...]) -> Any:
    """What an initializer draws, for its statistics."""
    made = _make("initializers", name, config)
    return {"value": np.asarray(made(shape)), "config": _described(made)}


def revive(described: Any) -> Any:
    """What real Keras makes of a config of ours, described by itself."""
    with _no_draws():
        return {"config": _described(keras.saving.deserialize_keras_object(described))}


def _predict(model: Any, x: Any) -> Any:
    kinds = (model.trainable_variables, model.non_trainable_variables)
    variables = [[np.asarray(v.value) for v in of_kind] for of_kind in kinds]
    return _jit(lambda *given: model.stateless_call(*given, training=False)[0], *variables, x)


def stochastic_depth(rate: float, x: Any) -> Any:
    """What Keras's StochasticDepth makes of x in training, and its config."""
    keras.utils.clear_session(free_memory=False)
    layer = convnext.StochasticDepth(rate)
    return {"output": np.asarray(layer(x, training=True)), "config": _described(layer)}


def application(name: str, arguments: dict[str, Any], weights: str, x: Any, legacy: str | None) -> Any:
    """What a network of keras.applications is made of, and what it says of x with the weights of a file of ours.

    legacy: where to write its weights as Keras 2 did, and as those that Keras publishes are.
    """
    keras.utils.clear_session()
    with _no_draws():
        made = getattr(keras.applications, name)(weights=None, **arguments)
    made.load_weights(weights)
    if legacy is not None:
        with h5py.File(legacy, "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, made)
    return {
        "name": made.name,
        "layers": [(layer.name, type(layer).__name__) for layer in made.layers],
        "weights": [(v.path, tuple(v.shape)) for v in made.weights],
        "output": _predict(made, x),
    }


def run_script(source: str, **given: Any) -> Any:
    """Run a script of the tests under real Keras; its variable `result` is the answer."""
    keras.utils.clear_session()
    scope: dict[str, Any] = {"keras": keras, "np": np, "no_draws": _no_draws, "predict": _predict, **given}
    exec(source, scope)
    return scope["result"]


def run_file(name: str) -> Any:
    """What a file of examples/keras_style computes and prints with real Keras in Striate's place."""
    return recording.record(keras, name)


FUNCTIONS = (
    layer, loss, loss_function, metric, optimizer, schedule, activation, regularizer, initializer, revive,
    application, stochastic_depth, run_script, run_file,
)  # fmt: skip


def main() -> None:
    gc.freeze()  # Keras and JAX are not garbage: nobody needs to look through them
    table = {f.__name__: f for f in FUNCTIONS}
    stdin, stdout = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints, prints to stderr
    while header := stdin.read(8):
        request = pickle.loads(stdin.read(struct.unpack("<Q", header)[0]))
        try:
            answer: Any = {"ok": table[request["function"]](**request["arguments"])}
        except Exception as error:
            kinds = [k.__name__ for k in type(error).__mro__]
            answer = {"error": kinds, "text": str(error), "trace": traceback.format_exc()}
        data = pickle.dumps(answer)
        stdout.write(struct.pack("<Q", len(data)) + data)
        stdout.flush()


if __name__ == "__main__":
    main()
