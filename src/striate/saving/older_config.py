"""Configs of Keras 2, and of the older .h5 format, said as Keras 3 says them.

Plain dictionaries to plain dictionaries: nothing is made here, and nothing is looked up. What differs is arguments that
Keras 3 dropped or renamed, modules by which classes were known, and where an .h5 file keeps how a model was compiled.
The old form of calls ([["layer", call, result, kwargs]]) is read by `models.functional_config` itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from striate.core.errors import LoadError

#: modules of Keras 2 that are others now.
_MOVED = {
    "keras.optimizers.experimental": "keras.optimizers",
    "keras.optimizers.legacy": "keras.optimizers",
    "keras.src.engine.functional": "keras.src.models.functional",
    "keras.engine.functional": "keras.src.models.functional",
    "keras.src.engine.sequential": "keras",
    "keras.engine.sequential": "keras",
    "keras.src.engine.training": "keras",
}
#: optimizers that .h5 files name as if a user had registered them.
_OPTIMIZERS = frozenset(
    {"SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam", "Lion", "Ftrl", "Adafactor"}
)
#: arguments that Keras 2's layers wrote and Keras 3's do not take, by class.
_DROPPED = {
    "DepthwiseConv1D": ("groups", "filters", "kernel_initializer", "kernel_regularizer", "kernel_constraint"),
    "DepthwiseConv2D": ("groups", "filters", "kernel_initializer", "kernel_regularizer", "kernel_constraint"),
    "SeparableConv1D": ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"),
    "SeparableConv2D": ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"),
    "Conv1DTranspose": ("groups",),
    "Conv2DTranspose": ("groups",),
    "Conv3DTranspose": ("groups",),
    "BatchNormalization": ("fused", "virtual_batch_size", "adjustment"),
}
#: of those, the ones that only these values make meaningless.
_TELLING: dict[str, tuple[Any, ...]] = {"groups": (1, None), "virtual_batch_size": (None,), "adjustment": (None,)}
#: functions of TensorFlow as layers, which only TensorFlow can run.
_OF_TENSORFLOW = frozenset({"TFOpLambda", "SlicingOpLambda", "ClassMethod", "InstanceMethod", "InstanceProperty"})


def is_older(version: Any) -> bool:
    """Whether a file says that Keras before 3 wrote it."""
    found = re.match(r"(\d{1,4})\.", version) if isinstance(version, str) else None
    return found is not None and int(found.group(1)) < 3


def wraps_single(version: Any) -> bool:
    """Whether a file says that Keras before 3.4 wrote it: an only input or output stood in a list there."""
    found = re.match(r"(\d{1,4})\.(\d{1,4})", version) if isinstance(version, str) else None
    return found is not None and tuple(map(int, found.groups())) < (3, 4)


def unwrap_single(config: Any) -> Any:
    """A config in which an only input or output of a functional model stands alone, as it was when the model was made:
    `model.output` is a tensor then, and no list."""
    if isinstance(config, list):
        return [unwrap_single(item) for item in config]
    if not isinstance(config, dict):
        return config
    made = {key: unwrap_single(value) for key, value in config.items()}
    for key in ("input_layers", "output_layers"):
        held = made.get(key)
        if isinstance(held, list) and len(held) == 1 and isinstance(held[0], list):
            made[key] = held[0]
    return made


def modernize(config: Any) -> Any:
    """A config with every object in it as Keras 3 writes it; the rest as it is. The one given is not changed.

    Raises:
        LoadError: what only TensorFlow can run.
    """
    if isinstance(config, list):
        return [modernize(item) for item in config]
    if not isinstance(config, dict):
        return config
    made = {key: modernize(value) for key, value in config.items()}
    if isinstance(made.get("class_name"), str) and isinstance(made.get("config"), dict):
        _modernize_object(made)
    return made


def _modernize_object(described: dict[str, Any]) -> None:
    """Change one object, whose parts are changed already."""
    name, config, module = described["class_name"], described["config"], described.get("module")
    if name in _OF_TENSORFLOW:
        raise LoadError(
            f"The layer {config.get('name') or described.get('name')!r} is a function of TensorFlow "
            f"({config.get('function')!r}) that was called on Keras 2's tensors. Neither Keras 3 nor Striate can read "
            "it. Build the model with layers (Rescaling, Add, Multiply, ...) and load its weights alone."
        )
    if isinstance(module, str) and module in _MOVED:
        described["module"] = _MOVED[module]
    plain = name.removeprefix("Custom>")
    if plain in _OPTIMIZERS and (name != plain or "learning_rate" in config):
        described["class_name"] = plain
        _modernize_optimizer(described)
    elif name in ("Policy", "PolicyV1"):
        described.update(module="keras", class_name="DTypePolicy")
    elif config.get("reduction") in ("auto", "none", "sum", "sum_over_batch_size"):
        _modernize_loss(config)
    else:
        _modernize_layer(name, config)
    if isinstance(described.get("compile_config"), dict):
        compiled = compilation(described.pop("compile_config"), None)
        if compiled is not None:
            described["compile_config"] = compiled


def _modernize_layer(name: str, config: dict[str, Any]) -> None:
    if name == "InputLayer" and "batch_input_shape" in config:
        config["batch_shape"] = config.pop("batch_input_shape")
    for dropped in _DROPPED.get(name, ()):
        # Not where they say something: then the layer is another one, and is refused.
        if dropped not in _TELLING or config.get(dropped) in _TELLING[dropped]:
            config.pop(dropped, None)
    axis = config.get("axis")
    if isinstance(axis, list) and len(axis) == 1 and name in ("BatchNormalization", "LayerNormalization"):
        config["axis"] = axis[0]


def _modernize_loss(config: dict[str, Any]) -> None:
    config.pop("fn", None)
    if config["reduction"] == "auto":
        config["reduction"] = "sum_over_batch_size"


def _modernize_optimizer(described: dict[str, Any]) -> None:
    config = described["config"]
    described["module"] = "keras.optimizers"
    for dropped in ("jit_compile", "is_legacy_optimizer"):
        config.pop(dropped, None)
    if not config.get("use_ema", False):
        config.pop("ema_overwrite_frequency", None)
    decay = config.pop("decay", None)
    rate = config.get("learning_rate")
    if isinstance(decay, int | float) and decay and isinstance(rate, int | float):
        # What Keras 2's first optimizers did by themselves: rate / (1 + decay * steps).
        described_rate = {"initial_learning_rate": rate, "decay_steps": 1, "decay_rate": decay}
        config["learning_rate"] = {
            "module": "keras.optimizers.schedules", "class_name": "InverseTimeDecay", "config": described_rate,
            "registered_name": None,
        }  # fmt: skip


# How a model was compiled ---------------------------------------------------------------------------------------------


def compilation(config: Any, output_names: list[str] | None) -> dict[str, Any] | None:
    """`compile`'s arguments, as `Model.compile_from_config` takes them, from those that Keras 2 or an .h5 file holds.

    Raises:
        LoadError: no dictionary.
    """
    if not isinstance(config, dict):
        raise LoadError(f"How the model was compiled is described by a dictionary. Received: {str(config)[:80]!r}.")
    found = modernize(config)
    optimizer = found.pop("optimizer_config", found.pop("optimizer", None))
    if optimizer is None:
        return None
    made = {k: v for k, v in found.items() if v is not None and k != "sample_weight_mode"}
    for key in ("metrics", "weighted_metrics"):
        if key in made:
            made[key] = _each(_metrics(made[key], output_names or []), lambda m: _placed(m, "keras.metrics"))
    if "loss" in made:
        made["loss"] = _each(made["loss"], lambda loss: _placed(loss, "keras.losses"))
    return {"optimizer": optimizer, **made}


#: names by which "accuracy" and "crossentropy" were resolved, from the form of the targets.
_ACCURACIES = frozenset({"binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy"})


def _metrics(found: Any, output_names: list[str]) -> Any:
    """Keras 2 kept a list of lists, one an output, and wrote each output's name into its metrics' names."""
    if isinstance(found, dict) and "class_name" not in found:
        return {name: _of_output(value, name) for name, value in found.items()}
    if not isinstance(found, list) or not any(isinstance(item, list) for item in found):
        return _of_output(found, "")
    several = len(found) > 1
    names = output_names if several and len(output_names) == len(found) else [""] * len(found)
    made = [_of_output(inner, name) for inner, name in zip(found, names, strict=True)]
    return made if several else made[0]


def _of_output(metrics: Any, name: str) -> Any:
    if isinstance(metrics, list):
        metrics = [m for m in metrics if m is not None]
    return _each(metrics, lambda metric: _metric(metric, name))


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, list):
        return [_each(item, change) for item in value]
    if isinstance(value, dict) and "class_name" not in value:
        return {k: _each(v, change) for k, v in value.items()}
    return change(value)


def _placed(described: Any, module: str) -> Any:
    """A loss or metric whose module an .h5 file leaves out: MeanSquaredError is the name of both kinds."""
    return {"module": module, **described} if isinstance(described, dict) else described


def _metric(metric: Any, output: str) -> Any:
    if not isinstance(metric, dict) or not isinstance(metric.get("config"), dict):
        return metric
    config = dict(metric["config"])
    name = config.get("name")
    if isinstance(name, str) and output and name.startswith(f"{output}_"):
        name = config["name"] = name[len(output) + 1 :]
    function = config.pop("fn", None)
    if metric["class_name"] == "MeanMetricWrapper" and isinstance(function, str):
        # "accuracy" again, so that it takes the form of what it is given; other functions by their names.
        return "accuracy" if function in _ACCURACIES and name in ("accuracy", "acc") else function
    return {**metric, "config": config}
