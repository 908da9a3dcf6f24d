"""Every row's environment is one that `make bench-env` makes, and every row's file is there."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from bench.contender import Place, environment
from bench.peers import OURS, ROWS, Row
from bench.startup import import_seconds, installed_bytes

ROOT = Path(__file__).resolve().parents[2]


def test_environments_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    spec = importlib.util.spec_from_file_location("bench_env", ROOT / "tools" / "bench_env.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    assert {row.environment for row in ROWS} - {""} <= made.REQUIREMENTS.keys()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_has_its_file_and_its_words(row: Row) -> None:
    assert (ROOT / "bench" / "peers" / f"{row.module}.py").exists()
    assert bool(row.imports) == bool(row.installs)


def test_a_worker_gets_none_of_our_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_VERIFY", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    made = environment(ROWS[0], Place((0, 1), "avx2"))
    assert "STRIATE_VERIFY" not in made
    assert made["OMP_NUM_THREADS"] == made["STRIATE_NUM_THREADS"] == "2"
    assert made["STRIATE_ISA"] == "avx2" and made["ONEDNN_MAX_CPU_ISA"] == "AVX2"


def test_what_workers_import_needs_no_striate() -> None:
    words = "import bench.peers.worker, bench.models, sys; assert 'striate' not in sys.modules"
    subprocess.run([sys.executable, "-c", words], cwd=ROOT, check=True)


def test_import_and_size_of_striate() -> None:
    ours = next(row for row in ROWS if row.name == OURS)
    assert 0 < import_seconds(ours, Place.of(1)) < 10
    made = installed_bytes(ours)
    assert {"numpy", "h5py", "pillow"} <= set(made["distributions"]) and 10e6 < made["bytes"] < 1e9
