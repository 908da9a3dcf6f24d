"""`striate demo` on a few images: what it writes and says. `make demo` runs it whole."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable
from pathlib import Path

from striate.cli import demo
from striate.cli.sources import LabelledImages
from striate.cli.training import Recipe
from tests.cli.conftest import run


def test_demo(few: Callable[[str], LabelledImages], tmp_path: Path) -> None:
    out, err = io.StringIO(), io.StringIO()
    folder = tmp_path / "runs" / "demo"
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        demo.run_demo(few("fashion_mnist_mini"), Recipe(1, 32, 1e-3), folder)
    assert sorted(p.name for p in folder.iterdir()) == ["metrics.jsonl", "model.keras", "report.html"]
    lines = out.getvalue().splitlines()
    assert re.fullmatch(r"test accuracy 0\.\d{3}", lines[-1])
    assert f"report  {folder / 'report.html'}" in lines
    told = err.getvalue().splitlines()
    assert told[0] == "The lecture model on 128 images of Fashion-MNIST, batches of 32, epochs: 1"
    assert told[1].startswith("epoch 1/1  4 steps")
    page = (folder / "report.html").read_text(encoding="utf-8")
    share = float(lines[-1].split()[-1])
    assert f"{share:.1%}" in page
    assert "1,413,834 parameters" in page and "Ankle boot" in page


def test_a_folder_that_cannot_be_is_told_first(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    result = run("demo", "--out", tmp_path)
    assert (result.code, result.out) == (2, "")
    assert "holds a folder 'report.html'" in result.err
