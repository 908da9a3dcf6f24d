"""The older `.h5` format: a whole model, or weights alone, as Keras 1 to 3 write it. Read with the same distrust.

    model_config, training_config    attributes with JSON
    model_weights/                   layer_names: the layers in order; a group for each
        conv2d/                      weight_names: its weights in order, trained ones first; a dataset for each
    optimizer_weights/               weight_names

A file of weights alone begins at what is `model_weights` here. Weights are matched by order, as Keras does, or by the
layers' names.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import h5py
import numpy as np

from striate import backend
from striate.backend import Variable
from striate.core.errors import LoadError, UnsafeFileError
from striate.saving import limits
from striate.saving.hdf5 import open_weights, variables_in_file
from striate.saving.older_config import compilation, is_older, modernize, unwrap_single, wraps_single
from striate.saving.store import Array, Store, child

_MEND = " Build the model as it was when it was saved, or pass skip_mismatch=True."


# Attributes -----------------------------------------------------------------------------------------------------------


def _attribute(thing: h5py.Group, name: str, limit: int) -> Any:
    """An attribute that holds text or a list of it; None where there is none.

    Raises:
        LoadError: anything else, or over `limit` bytes.
    """
    if name not in thing.attrs:
        return None
    kind = thing.attrs.get_id(name)
    text = h5py.check_string_dtype(kind.dtype) is not None
    if kind.shape is None or len(kind.shape) > 1 or not (text or kind.shape == (0,)):
        raise LoadError(
            f"The attribute {name!r} of {thing.name} holds {kind.dtype} of shape {kind.shape}. Expected text, or a "
            "list of it. The file is damaged, or no model of Keras."
        )
    count = int(np.prod(kind.shape))
    if count * kind.dtype.itemsize > limit:
        raise LoadError(f"The attribute {name!r} of {thing.name} has over {limit} bytes. It is refused.")
    if count == 0 and kind.shape == (0,):
        return []
    value = thing.attrs[name]
    found = [_text(v, name) for v in (value if kind.shape else [value])]
    if sum(map(len, found)) > limit:
        raise LoadError(f"The attribute {name!r} of {thing.name} has over {limit} bytes. It is refused.")
    return found if kind.shape else found[0]


def _text(value: Any, name: str) -> str:
    try:
        return value.decode("utf-8") if isinstance(value, bytes) else str(value)
    except UnicodeDecodeError as error:
        raise LoadError(f"The attribute {name!r} is not in UTF-8: {error}. It is refused.") from error


def _names(group: h5py.Group, name: str) -> list[str]:
    """A list of names; a long one is kept in several attributes, name0, name1, ..."""
    found = _attribute(group, name, limits.MAX_CONFIG)
    if found is None:
        found, part = [], 0
        while f"{name}{part}" in group.attrs:
            found += _list(_attribute(group, f"{name}{part}", limits.MAX_CONFIG))
            part += 1
            if len(found) > limits.MAX_NAMES or part > limits.MAX_NAMES:
                break
    found = _list(found)
    if len(found) > limits.MAX_NAMES:
        raise LoadError(f"{group.name} of the file lists over {limits.MAX_NAMES} names. It is refused.")
    return found


def _list(found: Any) -> list[str]:
    return found if isinstance(found, list) else [found]


# Groups of weights ----------------------------------------------------------------------------------------------------


class _Entry(NamedTuple):
    """What a file holds of one layer: where, and the names of its weights."""

    name: str
    group: h5py.Group
    weights: list[str]


def _inside(group: h5py.Group, path: str) -> tuple[h5py.Group, str]:
    """The group in which the last part of a path stands, and that part."""
    *before, last = path.split("/")
    for part in before:
        found = child(group, part) if part else None
        if not isinstance(found, h5py.Group):
            raise LoadError(f"The file has no group {path!r} in {group.name}, though it names a weight there.")
        group = found
    if not last:
        raise LoadError(f"{path!r} in {group.name} of the file names no weight.")
    return group, last


class _File:
    """The weights of an open file, layer by layer. Each group is looked at once: links cannot make it seem larger."""

    def __init__(self, root: h5py.Group) -> None:
        self._root = root
        self._seen: set[Any] = set()
        #: weights that may still be named: as many as any real model has.
        self._left = limits.MAX_NAMES

    def _entry(self, name: str, group: h5py.Group) -> _Entry:
        info = h5py.h5o.get_info(group.id)
        place = (info.fileno, str(info.addr) if hasattr(info, "addr") else str(info.token))
        if place in self._seen:
            raise UnsafeFileError(f"Two layers of the file have one group ({group.name}). It is refused.")
        self._seen.add(place)
        weights = _names(group, "weight_names")
        self._left -= len(weights)
        if self._left < 0:
            raise LoadError(f"The file names over {limits.MAX_NAMES} weights. It is refused.")
        return _Entry(name, group, weights)

    def layers(self) -> list[_Entry]:
        """Those with weights, in order.

        Raises:
            LoadError: no list of layers, or a layer that is not there.
        """
        listed = _names(self._root, "layer_names")
        found = []
        for name in listed:
            group, last = _inside(self._root, name)
            entry = child(group, last)
            if not isinstance(entry, h5py.Group):
                raise LoadError(f"The file lists a layer {name!r}, for which it has no group.")
            found.append(self._entry(name, entry))
        return [entry for entry in found if entry.weights]

    def group(self, name: str) -> _Entry | None:
        """Another group with weights: those of the model itself, or the optimizer's."""
        entry = child(self._root, name)
        return self._entry(name, entry) if isinstance(entry, h5py.Group) else None


def _dataset(entry: _Entry, name: str, limit: int) -> tuple[Store, str]:
    group, last = _inside(entry.group, name)
    return Store(group, limit), last


def _pairs(
    entry: _Entry, own: list[Variable], names: list[str], where: str, skip_mismatch: bool
) -> Iterator[tuple[Variable, Array]]:
    limit = 1024 + 2 * sum(v.array.nbytes for v in own)
    for variable, name in zip(own, names, strict=True):
        store, last = _dataset(entry, name, limit)
        found = store.dataset(last)
        if found.shape != variable.shape:
            message = f"{where}: the file has shape {found.shape} for {variable.path}, which has {variable.shape}."
            if not skip_mismatch:
                raise LoadError(message + _MEND)
            warnings.warn(f"{message} It is not loaded.", stacklevel=7)
            continue
        with np.errstate(invalid="ignore", over="ignore"):
            yield variable, store[last].astype(variable.array.dtype, copy=False)


def in_order(layer: Any) -> list[Variable]:
    """A layer's Variables as this format has them: what trains, then the rest."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _layer_pairs(entry: _Entry, layer: Any, skip_mismatch: bool) -> list[tuple[Variable, Array]]:
    own, names = in_order(layer), entry.weights
    where = f"{type(layer).__name__} {layer.name!r} (in the file {entry.name!r})"
    if len(names) != len(own):
        message = f"{where} has {len(own)} weights, but the file has {len(names)} for it."
        if not skip_mismatch:
            raise LoadError(message + _MEND)
        warnings.warn(f"{message} They are not loaded.", stacklevel=6)
        return []
    return list(_pairs(entry, own, names, where, skip_mismatch))


def _model_pairs(model: Any, file: _File, by_name: bool, skip_mismatch: bool) -> list[tuple[Variable, Array]]:
    """What a file has for each Variable of a model."""
    entries = file.layers()
    pairs: list[tuple[Variable, Array]] = []
    if by_name:
        named = {layer.name: layer for layer in model.layers}
        for entry in entries:
            if entry.name in named:
                pairs += _layer_pairs(entry, named[entry.name], skip_mismatch)
    else:
        layers = [layer for layer in model.layers if layer.weights]
        if len(layers) != len(entries):
            raise LoadError(
                f"The model has {len(layers)} layers with weights, but the file has {len(entries)}: "
                f"{', '.join(e.name for e in entries[:12])}{', ...' if len(entries) > 12 else ''}. Build the model as "
                "it was when it was saved; or pass by_name=True, which loads the layers whose names are in the file."
            )
        for entry, layer in zip(entries, layers, strict=True):
            pairs += _layer_pairs(entry, layer, skip_mismatch)
    # Weights that belong to the model itself and to no layer of it.
    held = {id(v) for layer in model.layers for v in layer.weights}
    own = [v for v in in_order(model) if id(v) not in held]
    top = file.group("top_level_model_weights")
    if top is not None and (top.weights or own) and not (by_name and len(top.weights) != len(own)):
        where = f"The model {model.name!r} itself"
        if len(top.weights) != len(own):
            raise LoadError(f"{where} has {len(own)} weights, but the file has {len(top.weights)} for it.{_MEND}")
        pairs += _pairs(top, own, top.weights, where, skip_mismatch)
    return pairs


def _write(pairs: list[tuple[Variable, Array]]) -> None:
    for variable, value in pairs:
        variable.write(value)


def _root(file: h5py.File) -> h5py.Group:
    """Where the weights begin."""
    if "layer_names" not in file.attrs and "layer_names0" not in file.attrs:
        found = child(file, "model_weights")
        if isinstance(found, h5py.Group):
            return found
        raise LoadError(
            "The file lists no layers, so it is no older .h5 file of Keras's. A file that save_weights() wrote ends "
            "in .weights.h5: load it under that name."
        )
    return file


def read_older_weights(model: Any, content: bytes, skip_mismatch: bool = False, by_name: bool = False) -> None:
    """Set a built model's Variables from an older .h5 file, of weights or of a model; all of them, or none.

    Args:
        by_name: give each layer what the file has under its name, and pass over the others.

    Raises:
        LoadError: no such file, or one that does not fit.
    """
    with open_weights(content) as file:
        _write(_model_pairs(model, _File(_root(file)), by_name, skip_mismatch))


# Whole models ---------------------------------------------------------------------------------------------------------


def load_older_model(content: bytes, what: str, custom_objects: Any = None, compile: bool = True) -> Any:
    """The model of an older .h5 file.

    Raises:
        LoadError: whatever is wrong with the file.
    """
    with open_weights(content) as file:
        text = _attribute(file, "model_config", limits.MAX_CONFIG)
        if not isinstance(text, str):
            raise LoadError(
                f"{what} holds no model, but weights alone: it has no attribute model_config. Make the model, then "
                "call model.load_weights(filepath)."
            )
        training = _attribute(file, "training_config", limits.MAX_CONFIG) if compile else None
        version = _attribute(file, "keras_version", 64)
        config = limits.parse_json(text, f"model_config of {what}")
        objects = limits.check_config(config, f"model_config of {what}")
        if isinstance(training, str):
            training = limits.parse_json(training, f"training_config of {what}")
            objects += limits.check_config(training, f"training_config of {what}")
        with (
            backend.clean_errors(f"model_config of {what}"),
            backend.CustomObjectScope(custom_objects),
            backend.sharing_scope(),
            backend.values_from_file(),
            backend.loading_limits(limits.weights_for(len(content)), limits.calls_for(objects)),
        ):
            model = _make(config, what, version)
            pairs = _model_pairs(model, _File(_root(file)), False, False)
            if training is not None:
                arguments = compilation(training, getattr(model, "output_names", None))
                if arguments is not None:
                    model.compile_from_config(arguments)
                    pairs += _optimizer_pairs(model, file, is_older(version))
            _write(pairs)
    return model


def _make(config: Any, what: str, version: Any) -> Any:
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        raise LoadError(f"model_config of {what} should be a JSON object with a class_name.")
    described = modernize(unwrap_single(config) if wraps_single(version) else config)
    if described.get("module") is None and described["class_name"] in ("Model", "Functional", "Sequential"):
        name = "Sequential" if described["class_name"] == "Sequential" else "Functional"
        described.update(module="keras", class_name=name)
    model = backend.deserialize_keras_object(described)
    if not (hasattr(model, "call") and hasattr(model, "get_layer")):
        raise LoadError(f"model_config of {what} describes a {type(model).__name__}, which is no model.")
    if not model.built:
        raise LoadError(
            f"model_config of {what} does not say what the model takes in, so it has no weights that could be loaded. "
            "Give it an Input in Keras, and save it again."
        )
    return model


def _optimizer_pairs(model: Any, file: h5py.File, older: bool) -> list[tuple[Variable, Array]]:
    optimizer = model.optimizer
    if not optimizer.built:
        optimizer.build(model.trainable_variables)
    entry = _File(file).group("optimizer_weights")
    if entry is None:
        return []
    own, count = variables_in_file(optimizer, len(entry.weights), older)
    if count != len(own):
        warnings.warn(
            f"The file has {count} variables of {type(optimizer).__name__}, which has {len(own)}. They are not loaded: "
            "training begins with a fresh optimizer.",
            stacklevel=4,
        )
        return []
    names = _by_variable(entry.weights[:count], len(model.trainable_variables))
    return list(_pairs(entry, own, names, f"The optimizer {optimizer.name!r}", False))


def _by_variable(names: list[str], weights: int) -> list[str]:
    """Adam's m and v in turns, where a file of Keras 2's first optimizers has all m before all v."""
    plain = [name.removesuffix(":0") for name in names[1:]]
    first, second = plain[:weights], plain[weights : 2 * weights]
    apart = bool(first) and all(n.endswith("/m") for n in first) and all(n.endswith("/v") for n in second)
    if not apart or len(second) != weights:
        return names
    slots = names[1 : 1 + 2 * weights]
    turned = [slots[half * weights + i] for i in range(weights) for half in (0, 1)]
    return [names[0], *turned, *names[1 + 2 * weights :]]
