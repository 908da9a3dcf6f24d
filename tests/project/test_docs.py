"""Documents agree with the code: the op table, the table of bounds, decisions, what the how-tos show, files named."""

from __future__ import annotations

import ast
import doctest
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from striate.engine import native
from striate.layers import norm
from tests.support.bounds import ULPS

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
DECISIONS = sorted((ROOT / "docs" / "adr").glob("0*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---- the op table


def test_the_op_table_is_up_to_date() -> None:
    checked = subprocess.run([sys.executable, "tools/op_table.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def test_the_table_of_keras_s_api_is_up_to_date() -> None:
    checked = subprocess.run(
        [sys.executable, "tools/api_table.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr


def test_a_reason_for_a_name_that_is_here_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    table = tool("api_table")
    hard = {"Too hard": r"layers\.LSTM layers\.Conv2D"}
    assert table.reasons(["layers.LSTM", "layers.Conv2D"], hard) == dict.fromkeys(
        ("layers.LSTM", "layers.Conv2D"), "Too hard"
    )
    with pytest.raises(SystemExit, match=r"nothing .* is missing here fits 'layers\\\\.Conv2D'"):
        table.reasons(["layers.LSTM"], hard)


def test_every_name_that_is_missing_has_a_reason() -> None:
    assert "Not written yet" not in (ROOT / "docs" / "api-coverage.md").read_text()


def test_names_repeated_by_a_namespace_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    names = ["ops.relu", "ops.nn.relu", "ops.image.resize", "layers.relu", "relu"]
    assert tool("api_table").repeated(names) == {"ops.nn.relu"}


def test_the_op_table_has_the_kernels_of_this_build() -> None:
    told = {
        (op, f"{kernel.function}_{isa}", isa)
        for op, kernels in tool("op_table").read_kernels().items()
        for kernel in kernels
        for isa in kernel.isas
    }
    here = {row.isa for row in native.kernels()}
    assert {row for row in told if row[2] in here} == {tuple(row) for row in native.kernels()}


# ---- numerics.md


def bounds_told() -> dict[str, list[float]]:
    """op -> bound, and what was measured for each instruction set."""
    text = (ROOT / "docs" / "numerics.md").read_text()
    table = text.partition("<!-- ulps")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (\w+) \| ([\d.]+(?: \| [\d.]+)+) \|", table, re.MULTILINE)
    return {op: [float(n) for n in numbers.split(" | ")] for op, numbers in rows}


def test_the_bounds_told_are_those_that_are_tested() -> None:
    told = bounds_told()
    assert {op: numbers[0] for op, numbers in told.items()} == {k: v for k, v in ULPS.items() if k != "reduce_prod"}


def test_what_was_measured_is_within_the_bounds() -> None:
    over = {op: numbers for op, numbers in bounds_told().items() if max(numbers[1:]) > numbers[0]}
    assert not over


# ---- decisions


def test_decisions_are_numbered_and_listed() -> None:
    assert [int(p.name[:4]) for p in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    index = (ROOT / "docs" / "adr" / "README.md").read_text()
    missing = [p.name for p in DECISIONS if f"]({p.name})" not in index]
    assert not missing, "docs/adr/README.md lists every decision"


@pytest.mark.parametrize("page", DECISIONS, ids=lambda p: p.stem)
def test_a_decision_has_its_parts(page: Path) -> None:
    text = page.read_text()
    lines = text.splitlines()
    assert lines[0].startswith(f"# {int(page.name[:4])}. ") and re.match(r"\d{4}-\d\d-\d\d\. ", lines[2])
    assert len(lines) <= 30, "a page, not a chapter"
    assert "**Alternatives.**" in text or "| instead of |" in text, "what else was weighed?"


# ---- how-tos


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / "how-to" / page).read_text()
    return [code for kind, code in BLOCK.findall(text) if kind == language]


def test_the_layer_of_the_how_to_works() -> None:
    source, rows = blocks("add-a-layer.md", "python")
    scope: dict[str, Any] = {**vars(norm), "np": np, "export": lambda *names: lambda thing: thing}
    exec(compile(source, "add-a-layer.md", "exec"), scope)
    layer = scope["UnitNormalization"]
    failures: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)  # else pytest's own -v is taken for its
    for example in doctest.DocTestFinder().find(layer, "UnitNormalization", module=False, globs=scope):
        runner.run(example, out=failures.append)
    assert runner.summarize(verbose=False).attempted > 0 and not failures, "".join(failures)
    x = np.arange(24, dtype="float32").reshape(2, 3, 4) + 1
    both = layer(axis=[1, 2])
    np.testing.assert_allclose((np.asarray(both(x)) ** 2).sum(axis=(1, 2)), 1, rtol=1e-5)
    assert layer.from_config(both.get_config()).axis == [1, 2]
    ast.parse(f"[{rows}]".replace("    _case", "_case"))


def test_the_kernel_of_the_how_to_names_what_there_is() -> None:
    function, row = blocks("add-a-kernel.md", "cpp")
    family = "".join(p.read_text() for p in (ROOT / "csrc" / "kernels" / "pool").glob("*.h"))
    base = "".join(p.read_text() for p in (ROOT / "csrc" / "base").glob("*.h"))
    for name in ("each_vector", "nan_max", "decode_pool", "load_n", "store_n", "add_phase", "set_params"):
        assert name in function and re.search(rf"\b{name}\(", family + base), name
    found = re.match(r"STRIATE_KERNEL\(max_pool2d, (\w+)\)", row)
    assert found is not None and f" {found.group(1)}(const StepSpec& spec, StepPlan* plan)" in function


# ---- files


@pytest.mark.parametrize("page", [*DOCS, ROOT / "README.md", ROOT / "CONTRIBUTING.md"], ids=lambda p: p.stem)
def test_files_named_exist(page: Path) -> None:
    """`csrc/base/lines.h`, `compiler/trace.py` (of the package), `layers/`: what is written as code and has a slash."""
    text = BLOCK.sub("", page.read_text())
    named = set(re.findall(r"`([\w.-]+(?:/[\w.-]+)*/(?:[\w-]+\.(?:py|h|cc|inc|md|txt|npz))?)`", text))
    places = (ROOT, ROOT / "src" / "striate", ROOT / "csrc", ROOT / "tests")
    made = ("runs/", "dist/", "build/", ".venv")  # by running something
    missing = [n for n in sorted(named) if not n.startswith(made) and not any((p / n).exists() for p in places)]
    assert not missing, f"{page.name} names {missing}"
