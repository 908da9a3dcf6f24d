"""Which Variables a model has, and under which path of a weights file each object keeps its own.

The paths are Keras's: `layers/` and then the snake case of the class name with a counter for Sequential and functional
models, names of attributes otherwise; never a layer's own name. The same walk serves writing and reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from striate.backend import Variable, to_snake_case
from striate.core.configurable import is_ours

#: Attributes of Striate's own classes that hold no state of their own: never part of a path.
_INTERNAL = frozenset(
    {"_build_shapes", "_compiled", "_functions", "_inbound_nodes", "_init_arguments", "_losses", "_weights"}
)


def is_saveable(thing: Any) -> bool:
    """Whether an object takes a group of its own: layers, optimizers, metrics."""
    return not isinstance(thing, type | Variable) and (
        hasattr(thing, "add_weight") or hasattr(thing, "update_step") or hasattr(thing, "update_state")
    )


#: where Keras 2.13 kept a model's layers: a table in which those with weights stood twice.
TWICE = "_layer_checkpoint_dependencies"
#: ways to walk: Keras 3's, Keras 2.13's, Keras 2.15's (attributes from z to a).
STYLES = ("3", "2.13", "2.15")


def _children(thing: Any, style: str) -> Iterator[tuple[str, Any]]:
    """Attributes by name, underscored ones last; Sequential and functional models begin with their layers."""
    kind = getattr(thing, "_saved_as", None)
    if kind in ("Sequential", "Functional"):
        yield "layers", thing.layers
    hidden: frozenset[str] = getattr(thing, "_not_saved", frozenset())
    names = {*vars(thing), *_given_by_class(type(thing))}
    if kind is None and hasattr(thing, "get_layer"):
        names.add("layers")  # of a subclassed model: in its place in the alphabet, as in Keras
    older = style == "2.15"
    for name in sorted(names, key=lambda n: "~" + n if n.startswith("_") and not older else n, reverse=older):
        if name.startswith("__") or name in _INTERNAL or name in hidden:
            continue
        try:
            child = getattr(thing, name)
        except Exception:  # a property of the user's that has no value now
            continue
        yield name, child


def _given_by_class(cls: type) -> frozenset[str]:
    """Names of properties and of layers that a user's class itself holds: Keras finds layers by them too."""
    return frozenset(
        name
        for base in cls.__mro__
        if base is not object and not is_ours(base)
        for name, value in vars(base).items()
        if isinstance(value, property) or is_saveable(value)
    )


def _numbered(name: str, used: dict[str, int]) -> str:
    if name not in used:
        used[name] = 0
        return name
    used[name] += 1
    return f"{name}_{used[name]}"


def walk(
    thing: Any, path: str = "", _seen: dict[int, Any] | None = None, style: str = "3", skip: Iterable[Any] = ()
) -> Iterator[tuple[str, Any]]:
    """(path, object) of everything that keeps Variables, parents first, each object once.

    Args:
        style: whose paths, one of `STYLES`.
        skip: objects that are passed over, with all that is kept in them alone.
    """
    # Objects are kept beside their ids: a list that a property makes must not be freed, or the next has its id.
    seen = {id(one): one for one in skip} if _seen is None else _seen
    if id(thing) in seen:
        return
    seen[id(thing)] = thing
    yield path, thing
    for name, child in _children(thing, style):
        doubled = style == "2.13" and name == "layers" and getattr(thing, "_saved_as", None) is not None
        name = TWICE if doubled else name
        below = f"{path}/{name}" if path else name
        if is_saveable(child):
            yield from walk(child, below, seen, style)
        elif isinstance(child, list | tuple | dict):
            held = [c for layer in child for c in ([layer, layer] if layer.weights else [layer])] if doubled else child
            yield from _walk_container(held, below, seen, style)


def _walk_container(container: Any, path: str, seen: dict[int, Any], style: str) -> Iterator[tuple[str, Any]]:
    if id(container) in seen:
        return
    seen[id(container)] = container
    used: dict[str, int] = {}
    for child in list(container.values()) if isinstance(container, dict) else container:
        if is_saveable(child):
            yield from walk(child, f"{path}/{_numbered(to_snake_case(type(child).__name__), used)}", seen, style)
        elif isinstance(child, list | tuple | dict):
            yield from _walk_container(child, f"{path}/{_numbered('container', used)}", seen, style)


def paths_by_attribute(model: Any) -> dict[int, list[str]]:
    """id of an object -> all the paths by which attributes of what it is found in lead to it."""
    found: dict[int, list[str]] = {}
    for path, parent in walk(model):
        for name, child in _children(parent, "3"):
            if is_saveable(child):
                found.setdefault(id(child), []).append(f"{path}/{name}" if path else name)
    return found


def own_variables(thing: Any) -> list[Variable]:
    """What an object keeps in its own group, in the order of the datasets "0", "1", ..."""
    own = getattr(thing, "_own_variables", None)
    return list(own() if own is not None else thing.variables)
