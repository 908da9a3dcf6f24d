"""Packages whose public names are found when first used: `__getattr__, __dir__ = lazy_names(__name__)`."""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Callable
from typing import Any

from striate.core.public_names import PUBLIC


def _names_in(package: str) -> list[str]:
    head = package.partition(".")[2]
    head = head + "." if head else ""
    return sorted({n[len(head) :].partition(".")[0] for n in PUBLIC if n.startswith(head)})


def _find(package: str, name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    head = package.partition(".")[2]
    path = f"{head}.{name}" if head else name
    if path in PUBLIC:
        module, attribute = PUBLIC[path]
        value = getattr(importlib.import_module(module), attribute)
        setattr(sys.modules[package], name, value) if package in sys.modules else None
        return value
    if any(known.startswith(path + ".") for known in PUBLIC):
        return importlib.import_module(f"{package}.{name}")
    hint = f" Did you mean {near}?" if (near := _nearest(package, name)) else ""
    raise AttributeError(f"{package}.{name} does not exist in Striate.{hint}")


def _nearest(package: str, name: str) -> str | None:
    """A name in this package that is spelled nearly so, or the same name in another: `striate.Conv2D` is a layer.

    The package's own part of the path does not count: layers.LSTM is as near to layers.ELU as to nothing.
    """
    near = difflib.get_close_matches(name.lower(), {n.lower(): n for n in _names_in(package)}, n=1, cutoff=0.7)
    if near:
        return f"{package}." + next(n for n in _names_in(package) if n.lower() == near[0])
    same = [n for n in PUBLIC if n.rpartition(".")[2] == name]
    return f"striate.{min(same, key=len)}" if same else None


def lazy_names(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """A package's module-level `__getattr__` and `__dir__` (PEP 562)."""
    return (lambda name: _find(package, name)), (lambda: _names_in(package))
