"""Objects by name: what "relu", "glorot_uniform" or "L2" stand for where a layer takes them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from striate.core.args import unknown_name


def to_snake_case(name: str) -> str:
    """Keras's rule for turning a class name into a plain one.

    Example:
        >>> to_snake_case("GlorotUniform"), to_snake_case("MaxPooling2D"), to_snake_case("L1L2")
        ('glorot_uniform', 'max_pooling2d', 'l1l2')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def name_table(things: Iterable[Any], **aliases: Any) -> dict[str, Any]:
    """name -> class or function: each under its own name, classes in snake case too, and the aliases."""
    table: dict[str, Any] = {}
    for thing in things:
        table[thing.__name__] = thing
        if inspect.isclass(thing):
            table[to_snake_case(thing.__name__)] = thing
    table.update(aliases)
    return table


def get(
    identifier: Any,
    kind: str,
    table: Mapping[str, Any],
    deserialize: Callable[[dict[str, Any]], Any],
    registered: Callable[[str], Any],
) -> Any:
    """The object an identifier stands for: None, a name, a config, a class (made with its defaults), the thing itself.

    The user's registered objects come after our own names, so that they never stand in for them.

    Raises:
        ArgumentError: nothing callable is meant; `kind` ("activation function") is said in the message.
    """
    if identifier is None:
        return None
    thing: Any = identifier
    if isinstance(identifier, str):
        thing = table.get(identifier)
        if thing is None:
            thing = registered(identifier)
    elif isinstance(identifier, dict):
        thing = deserialize(identifier)
    if inspect.isclass(thing):
        thing = thing()
    if not callable(thing):
        raise unknown_name(kind, identifier, table)
    return thing


def deserialize(config: Any, table: Mapping[str, Any], general: Callable[[Any], Any]) -> Any:
    """The object of a config. Older files leave out the module: then the class is looked up in `table` by its name."""
    if isinstance(config, dict) and config.get("module") is None and config.get("class_name") in table:
        thing: Any = table[config["class_name"]]
        make = getattr(thing, "from_config", None)
        return thing if make is None else make(dict(config.get("config") or {}))
    if isinstance(config, str) and config in table:
        return table[config]
    return general(config)
