"""The functions have Keras's names, arguments and defaults: keras_signatures.txt was read off Keras 3.15.1."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from striate import ops
from striate.core.public_names import PUBLIC

KERAS = dict(
    re.match(r"(\w+)(\(.*\))$", line).groups()  # type: ignore[union-attr]
    for line in (Path(__file__).parent / "keras_signatures.txt").read_text().splitlines()
)

NAMES = [name.removeprefix("ops.") for name in PUBLIC if name.startswith("ops.") and name.count(".") == 1]


def _plain(function: object) -> str:
    signature = inspect.signature(function)  # type: ignore[arg-type]
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    return str(inspect.Signature(bare))


@pytest.mark.parametrize("name", NAMES)
def test_signature_is_keras(name: str) -> None:
    assert name in KERAS, f"{name} is not in keras_signatures.txt: add its line, read off Keras"
    assert _plain(getattr(ops, name)) == KERAS[name]


def test_every_function_says_where_it_comes_from() -> None:
    for name in NAMES:
        text = inspect.getdoc(getattr(ops, name)) or ""
        assert "Source:" in text or name in ("is_tensor", "shape"), f"ops.{name} has no source in its docstring"
