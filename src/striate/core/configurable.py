"""get_config and from_config, derived from constructors' signatures.

A class of ours keeps each constructor argument as an attribute of the same name, and its config is those attributes:
no class repeats its arguments. A user's subclass may override `get_config` as in Keras; then `super().get_config()`
gives what the classes of ours need. One that does not override it is described by its own constructor's arguments.
"""

from __future__ import annotations

import inspect
import reprlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from striate.core.errors import ArgumentError, DTypeError, LoadError

C = TypeVar("C", bound="Configurable")

#: Turns an attribute into what JSON can hold; set by backend.serialization, which stands above this floor.
_encoders: list[Callable[[Any], Any]] = []


def set_encoder(encode: Callable[[Any], Any]) -> None:
    _encoders[:] = [encode]


_known: WeakKeyDictionary[type, tuple[str, ...]] = WeakKeyDictionary()


def own_parameters(cls: type) -> tuple[str, ...]:
    """The named arguments of the class's own __init__, those of its bases left out."""
    found = _known.get(cls)
    if found is None:
        found = _known[cls] = _own_parameters(cls)
    return found


def _own_parameters(cls: type) -> tuple[str, ...]:
    if "__init__" not in vars(cls):
        return ()
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = list(inspect.signature(vars(cls)["__init__"]).parameters.values())[1:]
    return tuple(p.name for p in parameters if p.kind in kinds)


#: configs in errors: what is nested deeper, or long, is left out, since an error in a layer within layers quotes each.
_shown = reprlib.Repr()
_shown.maxlevel, _shown.maxdict, _shown.maxlist, _shown.maxstring, _shown.maxother, _shown.maxlong = (
    3,
    40,
    8,
    80,
    80,
    40,
)


def shown(config: Any) -> str:
    """A config as errors quote it: in part, where it is long."""
    return in_part(_shown.repr(config))


def in_part(text: str) -> str:
    """A text, without its middle where it is long."""
    return text if len(text) <= 1500 else f"{text[:1000]} ... {text[-500:]}"


def is_ours(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == "striate"


class Configurable:
    """Base of everything that goes into a model file."""

    #: arguments that are no part of the config (made of others, or written by the base).
    _not_in_config: tuple[str, ...] = ()
    #: newer arguments, left out of the config while they have their defaults, so that older Keras reads the file too:
    #: those that a class names, and those that its bases do.
    _config_if_set: tuple[str, ...] = ()

    _init_arguments: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls: type[C], *args: Any, **kwargs: Any) -> C:
        if (args or kwargs) and cls.__init__ is object.__init__:
            given = ", ".join([*map(repr, args), *(f"{name}={value!r}" for name, value in kwargs.items())])
            raise DTypeError(f"{cls.__name__}() takes no arguments. Received: {given}. Leave them out.")
        instance = object.__new__(cls)
        # Kept for user classes that name an argument otherwise than the attribute they keep it in.
        object.__setattr__(instance, "_init_arguments", (args, kwargs))
        return instance

    def _described_parameters(self) -> Iterator[tuple[type, str]]:
        overridden = not is_ours(self._config_owner())
        seen: set[str] = set()
        if_set = {name for cls in type(self).__mro__ for name in vars(cls).get("_config_if_set", ())}
        for cls in type(self).__mro__:
            if not issubclass(cls, Configurable) or (overridden and not is_ours(cls)):
                continue
            for name in own_parameters(cls):
                if name not in seen and name not in self._not_in_config:
                    seen.add(name)
                    if name not in if_set or self._is_set(cls, name):
                        yield cls, name

    def _is_set(self, cls: type, name: str) -> bool:
        default = inspect.signature(vars(cls)["__init__"]).parameters[name].default
        return bool(self._argument(cls, name) != default)

    def _config_owner(self) -> type:
        return next(cls for cls in type(self).__mro__ if "get_config" in vars(cls))

    def _argument(self, cls: type, name: str) -> Any:
        if hasattr(self, name):
            return getattr(self, name)
        args, kwargs = self._init_arguments
        if name in kwargs:
            return kwargs[name]
        signature = inspect.signature(vars(cls)["__init__"])
        names = list(signature.parameters)[1:]
        if name in names and names.index(name) < len(args):
            return args[names.index(name)]
        default = signature.parameters[name].default
        if default is not inspect.Parameter.empty:
            return default
        raise ArgumentError(
            f"{type(self).__name__} cannot be described: its argument {name!r} is kept nowhere. "
            f"Keep it as self.{name}, or override get_config()."
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values, from which `from_config` makes an equal object."""
        encode = _encoders[0]
        return {name: encode(self._argument(cls, name)) for cls, name in self._described_parameters()}

    @classmethod
    def from_config(cls: type[C], config: dict[str, Any]) -> C:
        """An object made from what `get_config` gave.

        Raises:
            TypeError: arguments that the constructor refuses, as in Keras.
        """
        try:
            return cls(**config)
        except LoadError:
            raise
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"Error when making {cls.__name__!r} from its config: {in_part(str(error))}. "
                f"Received config={shown(config)}."
            ) from error
