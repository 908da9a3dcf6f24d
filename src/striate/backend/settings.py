"""Keras's global settings: floatx, epsilon, image_data_format, the backend's name."""

from __future__ import annotations

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
