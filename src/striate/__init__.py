"""Striate: convolutional neural networks with the Keras 3 API and Keras's files, on an engine of its own.

    import striate as keras
    model = keras.models.Sequential([keras.layers.Conv2D(32, 3, activation="relu"), ...])

Names are resolved when first used (PEP 562), so that the import itself costs milliseconds.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

from striate.core.public_names import PUBLIC

__version__ = "0.1.0"

#: The first parts of public names: layers, models, ... Each is a package here, or a namespace made of the table.
_NAMESPACES = {name.partition(".")[0] for name in PUBLIC if "." in name}


class _Namespace(ModuleType):
    """A public module (striate.utils, ...): its names come from the table, whatever file defines them."""

    def __getattr__(self, name: str) -> Any:
        path = f"{self.__name__.partition('.')[2]}.{name}"
        if path in PUBLIC:
            module, attribute = PUBLIC[path]
            value = getattr(importlib.import_module(module), attribute)
            setattr(self, name, value)
            return value
        if any(known.startswith(path + ".") for known in PUBLIC):
            value = _Namespace(f"{self.__name__}.{name}")
            setattr(self, name, value)
            return value
        raise AttributeError(_unknown(f"{self.__name__}.{name}", path))

    def __dir__(self) -> list[str]:
        head = self.__name__.partition(".")[2] + "."
        return sorted({n[len(head) :].partition(".")[0] for n in PUBLIC if n.startswith(head)})


def _unknown(full: str, path: str) -> str:
    import difflib

    near = difflib.get_close_matches(path, PUBLIC, n=1)
    hint = f" Did you mean striate.{near[0]}?" if near else ""
    return f"{full} does not exist in Striate {__version__}.{hint}"


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    if name in PUBLIC:
        module, attribute = PUBLIC[name]
        return getattr(importlib.import_module(module), attribute)
    if name in _NAMESPACES:
        value = _Namespace(f"striate.{name}")
        globals()[name] = value
        return value
    raise AttributeError(_unknown(f"striate.{name}", name))


def __dir__() -> list[str]:
    return sorted({"__version__", *_NAMESPACES, *(n for n in PUBLIC if "." not in n)})
