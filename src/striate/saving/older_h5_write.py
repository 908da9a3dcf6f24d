"""A whole model as an older `.h5` file, as Keras 3 writes it: for programs that read nothing else. See `older_h5`.

What the format has no place for is not in it: class names and other notes; on Keras 3's side also the optimizer's
state, which it writes and does not take up again. Inner layers keep their modules, so that operations (`x * 2.0`) are
read again, which those of Keras's own files are not.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import Any

import h5py
import numpy as np

from striate import backend
from striate.backend import Variable
from striate.core.errors import ArgumentError
from striate.saving.keras_archive import KERAS_VERSION
from striate.saving.older_h5 import in_order

#: bytes that an attribute kept in its object's header may have: 64 kB, less what the header itself takes.
_IN_HEADER = 64512


def write_older_model(model: Any, include_optimizer: bool = True) -> memoryview:
    """The bytes of an `.h5` file.

    Raises:
        ValueError: a subclassed model, or one that is not built; a name that takes no place in a file.
    """
    if not model.built:
        raise ArgumentError(
            f"Model {model.name!r} has no weights to save yet: it is not built. Call it on data first, or give it an "
            "Input."
        )
    if getattr(model, "_saved_as", None) is None or not model._is_config_made():
        raise ArgumentError(
            f"The older .h5 format holds Sequential and functional models. Received: {type(model).__name__}. "
            "Save it as .keras."
        )
    described = backend.serialize_whole(model)
    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        file.attrs["keras_version"] = KERAS_VERSION
        file.attrs["backend"] = "striate"
        file.attrs["model_config"] = json.dumps({"class_name": described["class_name"], "config": described["config"]})
        compiled = described.get("compile_config")
        if compiled and include_optimizer:
            arguments = {k: v for k, v in compiled.items() if k != "optimizer"}
            file.attrs["training_config"] = json.dumps({**arguments, "optimizer_config": compiled["optimizer"]})
        weights = file.create_group("model_weights")
        weights.attrs["keras_version"] = KERAS_VERSION
        weights.attrs["backend"] = "striate"
        _write_names(weights, "layer_names", [layer.name for layer in model.layers])
        for layer in sorted(model.layers, key=lambda layer: layer.name):
            _write_variables(_group(weights, layer.name), in_order(layer))
        inside = {id(v) for layer in model.layers for v in layer.weights}
        _write_variables(
            _group(weights, "top_level_model_weights"), [v for v in in_order(model) if id(v) not in inside]
        )
        if compiled and include_optimizer and model.optimizer.built:
            _write_variables(file.create_group("optimizer_weights"), model.optimizer.variables)
    return held.getbuffer()


def _group(parent: h5py.Group, name: str) -> h5py.Group:
    if name in parent or not all(part not in ("", ".", "..") for part in name.split("/")):
        raise ArgumentError(
            f"A layer named {name!r} has no place of its own in an .h5 file. Rename it, or save the model as .keras."
        )
    return parent.create_group(name)


def _write_variables(group: h5py.Group, variables: Iterable[Variable]) -> None:
    names: list[str] = []
    for i, variable in enumerate(variables):
        name = variable.path
        if name in group or not all(part not in ("", ".", "..") for part in name.split("/")):
            name = f"{name.replace('/', '_').strip('.')}_{i}"  # of another layer with the same name
        value = np.asarray(variable)
        # HDF5 has no bfloat16, and this format no mark for its bits.
        group.create_dataset(name, data=value.astype("float32") if value.dtype.name == "bfloat16" else value)
        names.append(name)
    _write_names(group, "weight_names", names)


def _write_names(group: h5py.Group, name: str, names: list[str]) -> None:
    """A list of names; where it is too long for one attribute, in several: name0, name1, ..."""
    encoded = np.asarray([n.encode() for n in names]) if names else np.asarray([], "S1")
    if encoded.nbytes <= _IN_HEADER:
        group.attrs[name] = encoded
        return
    parts = -(-encoded.nbytes // _IN_HEADER)
    each = max(1, len(names) // (parts + 1))
    for number, begin in enumerate(range(0, len(names), each)):
        group.attrs[f"{name}{number}"] = encoded[begin : begin + each]
