"""A batch that a model could have been given: plans want its shapes, timings its numbers too."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.core.errors import StateError

Array = np.ndarray[Any, Any]


def example_inputs(model: Any, count: int, random: np.random.Generator | None = None) -> Any:
    """An array of `count` images, or a list of them, one an input; zeros, or with `random` from [0, 1).

    Axes of open size have the length 1.

    Raises:
        ValueError: a model without known input shapes.
    """
    inputs = getattr(model, "inputs", None)
    if not inputs:
        raise StateError(
            f"A plan needs the shapes of the inputs. {model.name!r} has no Input; give it one, or call it on data."
        )
    arrays = [_filled((count, *(1 if d is None else d for d in t.shape[1:])), t.dtype, random) for t in inputs]
    return arrays[0] if len(arrays) == 1 else arrays


def example_labels(model: Any, count: int, random: np.random.Generator | None = None) -> Any:
    """Labels as the loss of `compile` takes them: class numbers for sparse losses, else like the outputs.

    With `random`, class numbers are drawn, and of what is no class number a random one in the last axis is 1.

    Raises:
        ValueError: a model that is not compiled.
    """
    if not model.compiled:
        raise StateError(f"{model.name!r} is not compiled, so it has no training step. Call compile() first.")
    given = model.loss
    if isinstance(given, dict):
        losses = [given.get(name) for name in model.output_names]
    else:
        losses = list(given) if isinstance(given, list | tuple) else [given] * len(model.outputs)
    made = [_labels(loss, t, count, random) for loss, t in zip(losses, model.outputs, strict=True)]
    return made[0] if len(made) == 1 else made


def _labels(loss: Any, output: Any, count: int, random: np.random.Generator | None) -> Array:
    classes = output.shape[-1]
    if "sparse" in str(getattr(loss, "name", loss)).lower():
        return np.zeros(count, "int32") if random is None else random.integers(0, classes, count).astype("int32")
    labels = np.zeros((count, *output.shape[1:]), output.dtype)
    if random is not None:
        right = random.integers(0, classes, (*labels.shape[:-1], 1))
        np.put_along_axis(labels, right, 1, axis=-1)
    return labels


def _filled(shape: tuple[int, ...], dtype: str, random: np.random.Generator | None) -> Array:
    if random is None:
        return np.zeros(shape, dtype)
    if np.dtype(dtype).kind in "iub":
        return random.integers(0, 2, shape).astype(dtype)
    return random.random(shape, "float32").astype(dtype)
