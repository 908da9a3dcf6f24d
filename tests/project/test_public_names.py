"""The public names are one list: the marks, the golden file, what can be imported, what is explained."""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import striate
from striate.core.public_names import PUBLIC

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden" / "public_names.txt"
UPDATE = "STRIATE_UPDATE_GOLDEN=1 .venv/bin/python -m pytest tests/project/test_public_names.py"


def lookup(name: str) -> Any:
    thing: Any = striate
    for part in name.split("."):
        thing = getattr(thing, part)
    return thing


def test_the_names_are_those_of_the_golden_file() -> None:
    names = sorted(PUBLIC)
    if os.environ.get("STRIATE_UPDATE_GOLDEN") == "1":
        GOLDEN.write_text("".join(f"{name}\n" for name in names))
    golden = GOLDEN.read_text().split()
    new, gone = sorted(set(names) - set(golden)), sorted(set(golden) - set(names))
    assert names == golden, f"new: {new}; gone: {gone}. If that is meant: {UPDATE}"


def test_the_table_is_what_the_marks_say() -> None:
    checked = subprocess.run(
        [sys.executable, "tools/public_names.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_a_name_is_found_both_ways(name: str) -> None:
    module, attribute = PUBLIC[name]
    thing = lookup(name)
    assert thing is getattr(importlib.import_module(module), attribute)
    package, _, last = f"striate.{name}".rpartition(".")
    imported: dict[str, Any] = {}
    exec(f"from {package} import {last}", imported)
    assert imported[last] is thing


def test_the_namespaces_list_their_names() -> None:
    assert {"layers", "models", "Sequential", "ops"} <= set(dir(striate))
    assert {"Conv2D", "Dense"} <= set(dir(striate.layers))
    assert {"gelu", "conv"} <= set(dir(striate.ops))


def test_a_misspelt_name_gets_a_suggestion() -> None:
    with pytest.raises(AttributeError, match=r"striate\.layers\.Conv2d does not exist.* Did you mean .*Conv2D"):
        _ = striate.layers.Conv2d


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_a_name_is_explained(name: str) -> None:
    thing = lookup(name)
    if not (inspect.isclass(thing) or inspect.isroutine(thing)):
        return
    text = thing.__doc__  # its own, not that of a base
    assert text and text.strip(), f"{name} has no docstring"
    first = text.strip().partition("\n")[0]
    assert len(first) > 10, f"{name}: the docstring's first line says nothing: {first!r}"


def test_no_module_stands_where_a_name_is() -> None:
    """Importing a submodule puts it into its package, over a function of the same name."""
    modules = {info.name.removeprefix("striate.") for info in pkgutil.walk_packages(striate.__path__, "striate.")}
    assert not modules & set(PUBLIC)
