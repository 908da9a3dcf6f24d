"""The examples in docstrings run and give what they say."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from typing import Any

import numpy as np
import pytest

import striate
from striate.core.public_names import PUBLIC

NAMESPACES = ("activations", "callbacks", "initializers", "layers", "losses", "metrics", "models", "ops", "optimizers")
MODULES = sorted(
    info.name for info in pkgutil.walk_packages(striate.__path__, "striate.") if not info.name.endswith("__main__")
)


def names_in_scope() -> dict[str, Any]:
    """NumPy, Striate, its namespaces, and its public classes by their bare names, as a reader takes them."""
    scope: dict[str, Any] = {"np": np, "striate": striate, "keras": striate}
    scope.update({name: getattr(striate, name) for name in NAMESPACES})
    for name in PUBLIC:
        package, _, last = name.rpartition(".")
        if package in ("", *NAMESPACES) and last[0].isupper():
            scope[last] = getattr(getattr(striate, package) if package else striate, last)
    return scope


SCOPE = names_in_scope()
FINDER = doctest.DocTestFinder(exclude_empty=True)
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if name.endswith("._native"):
        return
    module = importlib.import_module(name)
    monkeypatch.chdir(tmp_path)
    failures: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)  # else pytest's own -v is taken for its
    for test in FINDER.find(module, name, extraglobs=None):
        if test.examples and inspect.getmodule(module) is module:
            test.globs = {**SCOPE, **vars(module)}
            striate.utils.clear_session()
            striate.utils.set_random_seed(0)
            runner.run(test, out=failures.append)
    assert not failures, "".join(failures)


def test_there_are_examples() -> None:
    found = [
        t
        for name in ("striate.layers.merge", "striate.ops.elementwise")
        for t in FINDER.find(importlib.import_module(name))
    ]
    assert sum(len(test.examples) for test in found) >= 5
