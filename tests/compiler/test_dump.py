"""STRIATE_DUMP."""

from __future__ import annotations

from pathlib import Path

import pytest

from striate.compiler.pipeline import compile_graph
from tests.support.graphs import Builder, convolution_block


def test_every_pass_and_the_plan_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_DUMP", str(tmp_path / "dump"))
    b = Builder()
    compile_graph(b.graph(convolution_block(b, b.input(1, 4, 4, 2), 3)), training=False)
    files = sorted((tmp_path / "dump").iterdir())
    names = [f.name.split("-", 2)[2] for f in files]
    assert names[0] == "traced.txt" and names[-1] == "plan.txt" and "fold_batch_norm.txt" in names
    text = {f.name.split("-", 2)[2]: f.read_text() for f in files}
    assert "batch_norm_infer" in text["traced.txt"]
    assert "batch_norm_infer" not in text["plan.txt"]
    assert "arena" in text["plan.txt"]


def test_nothing_is_written_without_being_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STRIATE_DUMP", raising=False)
    monkeypatch.chdir(tmp_path)
    b = Builder()
    compile_graph(b.graph(b.op("exp", b.input(2))), training=False)
    assert not list(tmp_path.iterdir())
