"""Names that Keras has take Keras's arguments, in Keras's order, with Keras's defaults."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import striate
from striate.core.public_names import PUBLIC

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden" / "keras_signatures.txt"
UPDATE = "make keras-env && .venv-keras/bin/python tools/keras_signatures.py"

#: (pattern of names, why they differ)
DIFFERENT = (
    (r"\w+\.(train|test|predict)_step", "read off Keras on JAX, whose steps pass state around; ours are TensorFlow's"),
    (r"\w+\.add_weight", "Keras's *args is the shape as well, and so is our first argument"),
    (r"\w+\.compute_output_shape", "(*args, **kwargs) in Keras: what it takes is said here"),
    (r"Sequential\.compute_output_spec", "inherited: takes whatever `call` takes"),
    (r"Sequential\.call|Variable|KerasTensor|random\.SeedGenerator|saving\.save_weights",
     "arguments of Keras for backends and tensors that Striate does not have (layout, sparse, ragged) are refused"),
)  # fmt: skip


def read_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("keras_signatures", ROOT / "tools" / "keras_signatures.py")
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


TOOL = read_tool()
KERAS = {
    found[1]: found[2] for line in GOLDEN.read_text().splitlines() if (found := re.fullmatch(r"([\w.]+)(\(.*\))", line))
}
OURS_ALONE = {line.partition(":")[0] for line in GOLDEN.read_text().splitlines() if line.endswith(": not in Keras")}


def is_different(name: str) -> bool:
    return any(re.fullmatch(pattern, name) for pattern, _ in DIFFERENT)


def ours(name: str) -> str | None:
    thing: Any = striate
    for part in name.split("."):
        thing = getattr(thing, part, None)
    return TOOL.lines_of(name, thing).get(name) if thing is not None else None


def ours_of_method(name: str) -> str | None:
    owner, _, method = name.rpartition(".")
    thing: Any = striate
    for part in owner.split("."):
        thing = getattr(thing, part)
    return TOOL.lines_of(owner, thing).get(f"{owner}.{method}")


def test_every_name_was_looked_up_in_keras() -> None:
    unknown = sorted(set(PUBLIC) - set(KERAS) - OURS_ALONE)
    assert not unknown, (
        f"not in {GOLDEN.name}: {unknown}. It has all of Keras's names: one that is Striate's alone needs a line "
        f"`{unknown[0]}: not in Keras`. To look them up in Keras: {UPDATE}"
    )


@pytest.mark.parametrize("name", sorted(set(KERAS) & set(PUBLIC)))
def test_a_signature_is_keras_s(name: str) -> None:
    if is_different(name):
        return
    assert ours(name) == KERAS[name], f"striate.{name} takes other arguments than Keras's"


@pytest.mark.parametrize("name", sorted(n for n in KERAS if n.rpartition(".")[0] in TOOL.WITH_METHODS))
def test_a_method_is_keras_s(name: str) -> None:
    if is_different(name):
        return
    mine = ours_of_method(name)
    assert mine is None or mine == KERAS[name], f"striate.{name} takes other arguments than Keras's"


def test_every_difference_is_one() -> None:
    different = [n for n in KERAS if is_different(n)]
    for pattern, _ in DIFFERENT:
        named = [n for n in different if re.fullmatch(pattern, n)]
        found = [(n, ours(n) if n in PUBLIC else ours_of_method(n)) for n in named]
        assert any(mine is not None and mine != KERAS[n] for n, mine in found), f"{pattern}: no difference is left"
