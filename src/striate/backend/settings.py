"""Keras's global settings: floatx, epsilon, image_data_format, the backend's name."""

from __future__ import annotations

import os

from striate.core.errors import ArgumentError
from striate.core.registry import export

_FLOATS = ("float16", "bfloat16", "float32", "float64")
_FORMATS = ("channels_last", "channels_first")
_settings: dict[str, object] = {"floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}


@export("backend.backend", "config.backend")
def backend() -> str:
    """The engine's name in Keras's words: always "striate"."""
    return "striate"


@export("backend.floatx", "config.floatx")
def floatx() -> str:
    """The dtype of weights and of what Python floats become; "float32" unless set."""
    return str(_settings["floatx"])


@export("backend.set_floatx", "config.set_floatx")
def set_floatx(value: str) -> None:
    """Set what `floatx()` gives.

    Raises:
        ValueError: not one of float16, bfloat16, float32, float64.
    """
    if value not in _FLOATS:
        raise ArgumentError(f"Unknown `floatx` value: {value!r}. Expected one of {_FLOATS}.")
    _settings["floatx"] = value


@export("backend.epsilon", "config.epsilon")
def epsilon() -> float:
    """The fuzz factor of losses and optimizers, 1e-7 unless set."""
    return float(_settings["epsilon"])  # type: ignore[arg-type]


@export("backend.set_epsilon", "config.set_epsilon")
def set_epsilon(value: float) -> None:
    """Set what `epsilon()` gives."""
    _settings["epsilon"] = float(value)


@export("backend.image_data_format", "config.image_data_format")
def image_data_format() -> str:
    """ "channels_last" unless set: the order of axes that image layers take by default."""
    return str(_settings["image_data_format"])


@export("backend.set_image_data_format", "config.set_image_data_format")
def set_image_data_format(data_format: str) -> None:
    """Set what `image_data_format()` gives.

    Raises:
        ValueError: not "channels_last" or "channels_first".
    """
    _settings["image_data_format"] = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """`data_format` checked; the default where it is None."""
    if data_format is None:
        return image_data_format()
    name = str(data_format).lower()
    if name not in _FORMATS:
        raise ArgumentError(f"The `data_format` argument must be one of {_FORMATS}. Received: {data_format!r}.")
    return name


def _limit(name: str, value: object) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ArgumentError(f"`{name}` must be an integer of at least 1, or None for no limit. Received: {value!r}.")
    return value


def _from_environment(variable: str) -> int | None:
    text = os.environ.get(variable)
    return None if text is None else _limit(variable, int(text) if text.isdecimal() else text)


_limits: dict[str, int | None] = {}


@export("config.set_max_epochs")
def set_max_epochs(max_epochs: int | None) -> None:
    """Let `fit` train no more epochs than this, to try a script quickly; None takes the limit away.

    The environment variable KERAS_MAX_EPOCHS does the same without a change of the script.

    Source: `keras.config.set_max_epochs`.

    Raises:
        ValueError: not an integer of at least 1.
    """
    _limits["epochs"] = _limit("max_epochs", max_epochs)


@export("config.max_epochs")
def max_epochs() -> int | None:
    """What `set_max_epochs` or KERAS_MAX_EPOCHS says, or None. Source: `keras.config.max_epochs`."""
    return _limits["epochs"] if "epochs" in _limits else _from_environment("KERAS_MAX_EPOCHS")


@export("config.set_max_steps_per_epoch")
def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Let an epoch of `fit`, `evaluate` or `predict` take no more steps than this; None takes the limit away.

    As with `steps_per_epoch`, the next epoch goes on where the data stands.

    The environment variable KERAS_MAX_STEPS_PER_EPOCH does the same without a change of the script.

    Source: `keras.config.set_max_steps_per_epoch`.

    Raises:
        ValueError: not an integer of at least 1.
    """
    _limits["steps"] = _limit("max_steps_per_epoch", max_steps_per_epoch)


@export("config.max_steps_per_epoch")
def max_steps_per_epoch() -> int | None:
    """What `set_max_steps_per_epoch` or KERAS_MAX_STEPS_PER_EPOCH says, or None.

    Source: `keras.config.max_steps_per_epoch`.
    """
    return _limits["steps"] if "steps" in _limits else _from_environment("KERAS_MAX_STEPS_PER_EPOCH")
