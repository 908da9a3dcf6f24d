"""to_keras and from_keras: the same network as a model of real Keras, trained further there, and back.

What goes over is a `.keras` file that lies in a folder of its own for the moment: architecture, names, weights, what
was compiled, the optimizer's numbers, by the way whose every part is compared with Keras. Before it is read each object
in it is looked up on the other side, so that what has no counterpart is named with the layer it belongs to.
"""

from __future__ import annotations

import importlib
import os
import tempfile
from collections.abc import Iterator
from typing import Any, NamedTuple

from striate.backend import CustomObjectScope
from striate.backend.closed_table import find_class, find_function, find_operation, is_keras
from striate.backend.serialization import serialize_whole
from striate.core.configurable import Configurable
from striate.core.errors import ArgumentError, LoadError, UnsafeFileError
from striate.core.registry import export
from striate.saving import limits
from striate.saving.keras_archive import make_model, read_archive, save_archive
from striate.saving.keras_twins import import_keras, twins
from striate.saving.older_config import is_older, modernize


class _Named(NamedTuple):
    """An object of a config, and the layer in whose config it stands."""

    described: dict[str, Any]
    where: str


def _named(config: Any) -> Iterator[_Named]:
    waiting: list[tuple[Any, str]] = [(config, "The model")]
    while waiting:
        value, where = waiting.pop()
        if isinstance(value, list):
            waiting += [(item, where) for item in value]
        elif isinstance(value, dict):
            inner = value.get("config")
            if isinstance(value.get("class_name"), str) and "config" in value:
                if isinstance(inner, dict) and isinstance(inner.get("name"), str) and "trainable" in inner:
                    where = f"Layer {inner['name']!r}"
                if not value["class_name"].startswith("__"):
                    yield _Named(value, where)
            waiting += [(item, where) for item in value.values()]


def _check_custom_objects(custom_objects: Any) -> dict[str, Any]:
    if custom_objects is not None and not isinstance(custom_objects, dict):
        raise ArgumentError(
            "`custom_objects` is a dictionary, name -> class or function: custom_objects={'MyLayer': MyLayer}. "
            f"Received: {custom_objects!r}."
        )
    return dict(custom_objects or {})


@export("saving.register_in_keras")
def register_in_keras() -> dict[str, Any]:
    """Let real Keras read files that hold what only Striate has: LocalResponseNormalization, LeNet-5's layers, ...

    Call it once; `keras.saving.load_model` then finds these classes of real Keras, which run on all its backends.

    Source: none in Keras; it is `keras.saving.register_keras_serializable` for each of them.

    Returns:
        Name -> the class or function of Keras, also for building such layers there.

    Raises:
        ImportError: real Keras is not installed.

    Example (where Keras is installed):
        import keras, striate
        striate.saving.register_in_keras()
        model = keras.saving.load_model("alexnet.keras")
    """
    return twins(import_keras("register_in_keras"))


@export("to_keras")
def to_keras(model: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True) -> Any:
    """The same network as a model of real Keras, on the backend that is set there: to go on on a GPU or TPU.

    Layers, their names, weights, what is frozen, how it was compiled, and the optimizer's state go over. What only
    Striate has becomes a class of Keras that is shipped with Striate. The counters of random layers begin anew, as in a
    file. The weights take up to their own size in the folder for temporary files for a moment.

    Source: none in Keras.

    Args:
        model: a built model of Striate.
        custom_objects: {"name": class or function of real Keras} for those of your own.
        compile: whether optimizer, loss and metrics go along.

    Raises:
        ImportError: real Keras is not installed.
        ValueError: no built model of Striate; something in it that has no counterpart in Keras.

    Example (where Keras is installed):
        on_gpu = striate.to_keras(model)
        on_gpu.fit(images, labels)
        model = striate.from_keras(on_gpu)
    """
    keras = import_keras("to_keras")
    if not (isinstance(model, Configurable) and hasattr(model, "get_layer")):
        raise ArgumentError(
            f"to_keras() takes a model of Striate. Received: {type(model).__module__}.{type(model).__name__}. "
            "A model of Keras goes the other way: striate.from_keras(model)."
        )
    given = _check_custom_objects(custom_objects)
    twins(keras)
    config = serialize_whole(model)
    if not compile:
        limits.drop_compilation(config)
    known = _counterparts(keras, config, given)
    with tempfile.TemporaryDirectory(prefix="striate-") as folder:
        path = os.path.join(folder, "model.keras")
        save_archive(model, path)
        try:
            return keras.saving.load_model(path, custom_objects=known, compile=compile)
        except Exception as error:  # whatever an object of Keras's, or the user's, raises as it is made
            name = config["config"].get("name")
            said = str(error)  # Keras quotes the whole config first, and says what is wrong with it at the end
            raise ArgumentError(
                f"Keras {keras.__version__} does not take over {name!r}: {type(error).__name__}: {said[-1000:]}"
            ) from error


def _counterparts(keras: Any, config: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The user's classes and functions under each name by which Keras may look for them.

    Raises:
        ArgumentError: something in the config that neither Keras nor the user has.
    """
    known = dict(given)
    for described, where in _named(config):
        name, module = str(described["class_name"]), str(described.get("module"))
        registered = described["config"] if name == "function" else described.get("registered_name")
        name = str(registered) if name == "function" else name
        short = name.rpartition(">")[2]
        if isinstance(registered, str):
            found = keras.saving.get_registered_object(registered, custom_objects=known) or given.get(short)
            if found is not None:
                known[registered] = found
                continue
        if not is_keras(module):
            raise ArgumentError(
                f"{where} has {short!r} (module {module!r}), which is not part of Keras. Write it for Keras too, with "
                f"the same arguments and weights, and pass to_keras(model, custom_objects={{{short!r}: "
                f"...}}); or register it there with keras.saving.register_keras_serializable()."
            )
        if not _has(keras, module, name):
            raise ArgumentError(
                f"{where} needs {module}.{name}, which Keras {keras.__version__} does not have. Install a newer one: "
                "pip install --upgrade keras."
            )
    return known


def _has(keras: Any, module: str, name: str) -> bool:
    if module.startswith("keras.src."):
        # From our own tables, for what Keras's files name by its place in Keras's source.
        try:
            return hasattr(importlib.import_module(module), name)
        except ImportError:
            return False
    found = keras
    for part in (*module.split(".")[1:], name):
        found = getattr(found, part, None)
    return found is not None


@export("from_keras")
def from_keras(model: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True) -> Any:
    """The same network as a model of Striate, from a model of real Keras on any of its backends.

    The reverse of `to_keras`: layers, names, weights, what is frozen, how it was compiled, and the optimizer's state
    come over. What Keras says about the model is trusted no more than a file. Models of Keras 2.13 to 2.15 and of
    `tf_keras` are taken too.

    Source: none in Keras.

    Args:
        model: a built model of Keras.
        custom_objects: {"name": class or function of Striate} for those of your own.
        compile: whether optimizer, loss and metrics come along.

    Raises:
        ValueError: no built model of Keras; something in it that Striate lacks.

    Example (where Keras is installed):
        model = striate.from_keras(keras.applications.MobileNetV2())
    """
    if isinstance(model, Configurable):
        raise ArgumentError(
            f"from_keras() takes a model of real Keras. Received: {type(model).__name__} of Striate. "
            "It goes to Keras by striate.to_keras(model)."
        )
    packages = {cls.__module__.partition(".")[0] for cls in type(model).__mro__}
    if not packages & {"keras", "tf_keras"} or not hasattr(model, "get_layer"):
        raise ArgumentError(
            f"from_keras() takes a model of Keras. Received: {type(model).__module__}.{type(model).__name__}."
        )
    if not model.built:
        raise ArgumentError(
            f"The Keras model {model.name!r} has no weights yet: it is not built. Call it on data first, or give it an "
            "Input."
        )
    given = _check_custom_objects(custom_objects)
    with tempfile.TemporaryDirectory(prefix="striate-") as folder:
        path = os.path.join(folder, "model.keras")
        model.save(path)
        archive = read_archive(path)
    if not compile:
        limits.drop_compilation(archive.config)
    what = f"The Keras model {model.name!r}"
    limits.check_config(archive.config, what)
    config = modernize(archive.config) if is_older(archive.metadata.get("keras_version")) else archive.config
    with CustomObjectScope(given):
        for described, where in _named(config):
            _check_ours(described, where)
    return make_model(archive, what, given, compile)


def _check_ours(described: dict[str, Any], where: str) -> None:
    name, module, registered = described["class_name"], described.get("module"), described.get("registered_name")
    if module is None or find_operation(module, name) is not None:
        return  # of Keras 2, which leaves modules out; or an operation
    try:
        if name == "function":
            find_function(module, str(described["config"]), registered, None)
        else:
            find_class(module, name, registered, None)
    except UnsafeFileError:
        raise
    except LoadError as error:
        raise ArgumentError(f"{where} of the Keras model has no counterpart in Striate. {error}") from error
