"""What a file may name: Striate's own classes and functions, and what the user registered or gave.

Nothing is imported or fetched by a name that a file chose: a name is looked up in tables that were there before the
file was opened. Of ours only what configs are made of can be found: layers and models, losses, metrics, optimizers, and
what they are given; functions only from activations, losses and metrics.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

from striate.backend.custom_objects import get_registered_object, registered_as
from striate.backend.dtypes import DTypePolicy
from striate.backend.symbolic import OPERATIONS
from striate.core.configurable import Configurable
from striate.core.errors import LoadError, UnsafeFileError
from striate.core.public_names import PUBLIC

#: where functions that a config may name are kept, in the order in which a bare name is looked for.
_OF_FUNCTIONS = ("activations", "losses", "metrics")
#: ... and classes; single names ("Sequential") too.
_OF_CLASSES = frozenset(
    {
        "constraints", "dtype_policies", "initializers", "layers", "losses", "metrics", "models", "optimizers",
        "random", "regularizers",
    }
)  # fmt: skip
#: ... and what of ours no file may name: a class that runs a function which the file would choose.
_IN_CODE_ONLY = frozenset({"Lambda"})
_NO_FUNCTIONS = frozenset({"get", "serialize", "deserialize"})
#: what of ours Keras lacks. Files name it as Keras names what was registered: "striate>" and the name. Keras reads it
#: after `saving.register_in_keras()`. (Files of Striate 0.1 before that called it Keras's; they are read too.)
OURS_ALONE = frozenset(
    {
        "activations.scaled_tanh", "initializers.DigitCodes", "initializers.FanInUniform", "layers.EuclideanRBF",
        "layers.LocalResponseNormalization", "layers.Subsampling2D", "layers.TableConv2D", "losses.SparsePenalty",
        "losses.SparsePenaltyCrossentropy", "losses.sparse_penalty", "losses.sparse_penalty_crossentropy",
        "metrics.SparsePenaltyAccuracy", "metrics.sparse_penalty_accuracy",
    }
)  # fmt: skip
PACKAGE = "striate"


def place_of(cls: Any) -> tuple[str, str] | None:
    """(module, name) under which files know a class or function of ours; None for a user's. What Keras lacks stands in
    a module of ours."""
    own = vars(cls) if isinstance(cls, type) else getattr(cls, "__dict__", {})
    if "__keras_place__" in own:
        module, name = own["__keras_place__"]
        return module, name
    names = own.get("__striate_export__", ())
    fitting = [n for n in names if n.rpartition(".")[2] == cls.__name__] or list(names)
    if not fitting:
        return None
    path = min(fitting, key=lambda n: n.count("."))
    module, _, name = path.rpartition(".")
    package = PACKAGE if path in OURS_ALONE else "keras"
    return f"{package}.{module}" if module else package, name


def registered_name_of(module: str, name: str) -> str | None:
    """What files give as registered name of what `place_of` found."""
    if module.partition(".")[0] == PACKAGE:
        return f"{PACKAGE}>{name}"
    # As Keras writes them: what its files name by where it is kept in Keras's source bears its name here too.
    return name if module.startswith("keras.src.") else None


def is_keras(module: Any) -> bool:
    return isinstance(module, str) and (module == "keras" or module.startswith("keras."))


@functools.cache
def _public(path: str) -> Any:
    place = PUBLIC.get(path)
    return getattr(importlib.import_module(place[0]), place[1]) if place else None


def _paths(module: str, name: str) -> list[str]:
    """Public names that a module and a name of Keras's may stand for, the likeliest first."""
    path = module.removeprefix("keras").removeprefix(".")
    paths = [f"{path}.{name}" if path else name]
    if path.startswith("src."):
        # Files name some classes by where Keras keeps them: keras.src.models.functional -> models, and the like.
        parts = path.split(".")
        paths += [f"{'.'.join(parts[1:3])}.{name}", f"{parts[1]}.{name}", name]
        if parts[1] == "applications":  # a network's own layers, which Keras keeps beside it
            paths.append(f"layers.{name}")
    return [p for p in paths if p.partition(".")[0] in _OF_CLASSES or "." not in p]


def _own_class(module: str | None, name: str) -> type | None:
    # Older files leave the module out.
    for path in _paths(module, name) if module is not None else [f"{kind}.{name}" for kind in sorted(_OF_CLASSES)]:
        found = _public(path)
        if isinstance(found, type) and issubclass(found, Configurable | DTypePolicy):
            return found
    return None


def _alone(module: Any, name: str, registered_name: Any) -> Any:
    """What Keras lacks, by the name that its files, and ours, give it; None if it is nothing of the kind."""
    bare = name.removeprefix(f"{PACKAGE}>")
    placed = isinstance(module, str) and module.partition(".")[0] == PACKAGE
    if placed or bare != name or registered_name == f"{PACKAGE}>{name}":
        return next((_public(path) for path in OURS_ALONE if path.rpartition(".")[2] == bare), None)
    return None


def find_operation(module: Any, name: str) -> Any:
    """The function of `striate.ops` that an operation of a functional model stands for, or None."""
    if not isinstance(module, str) or not module.startswith("keras.src.ops."):
        return None
    importlib.import_module("striate.ops")
    return OPERATIONS.get((module, name))


def _check_registered(registered_name: Any, *own: str) -> None:
    """Refuse a built-in that a file calls by the name of something that was registered.

    Raises:
        LoadError: it does.
    """
    if isinstance(registered_name, str) and registered_name and registered_name not in own:
        raise LoadError(
            f"The name {own[0]!r} resolved to a Keras built-in, but its registered_name is {registered_name!r}. "
            "The file says two things of one object, and is refused."
        )


def find_class(module: Any, name: str, registered_name: Any, custom_objects: Any) -> type:
    """The class that a file names: ours under Keras's name for it, else the user's.

    Raises:
        LoadError: nothing of ours and nothing that the user gave bears the name.
    """
    alone = _alone(module, name, registered_name)
    if isinstance(alone, type):
        return alone
    packaged = isinstance(registered_name, str) and ">" in registered_name
    if name not in _IN_CODE_ONLY and (is_keras(module) or (module is None and not packaged)):
        found = _own_class(module, name)
        if found is not None:
            _check_registered(registered_name, name)
            return found
    users = _users(registered_name, name, custom_objects)
    if isinstance(users, type):
        return users
    if name in _IN_CODE_ONLY and (module is None or is_keras(module)):
        raise UnsafeFileError(
            "The file holds a Lambda layer, that is Python code. Striate never runs code from a file, with any "
            "setting. Write the layer as a class and save the model with it; or, where its function is registered or "
            "given as well, pass custom_objects={'Lambda': striate.layers.Lambda}."
        )
    raise LoadError(
        f"Unknown {name!r} (module {module!r}). Striate loads its own classes and those that you give. "
        f"If it is yours, pass custom_objects={{{name!r}: {name}}} or decorate it with "
        "@striate.saving.register_keras_serializable()."
    )


def find_function(module: Any, name: str, registered_name: Any, custom_objects: Any) -> Any:
    """The function that a file names: an activation, loss or metric of ours, else the user's.

    Raises:
        LoadError: neither.
    """
    alone = _alone(module, name, registered_name)
    if callable(alone) and not isinstance(alone, type):
        return alone
    for kind in _OF_FUNCTIONS if name.islower() and name not in _NO_FUNCTIONS else ():
        if not is_keras(module) or kind in module.split("."):
            found = _public(f"{kind}.{name}")
            if callable(found) and not isinstance(found, type):
                _check_registered(registered_name, name, "function")
                return found
    users = _users(registered_name, name, custom_objects) or _users(None, name.rpartition(">")[2], custom_objects)
    if users is None and registered_name == "function" and ">" not in name:
        users = registered_as(name)  # Keras 3.6 left the package out
    if callable(users):
        return users
    raise LoadError(
        f"Unknown function {name!r} (module {module!r}). Striate knows its own activations, losses and metrics, and "
        f"the functions that you give. If it is yours, pass custom_objects={{{name!r}: {name}}} or decorate it with "
        "@striate.saving.register_keras_serializable()."
    )


def _users(registered_name: Any, name: str, custom_objects: Any) -> Any:
    for known in (registered_name, name):
        if isinstance(known, str):
            found = get_registered_object(known, custom_objects)
            if found is not None:
                return found
    return None
