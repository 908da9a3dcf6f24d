"""Each reader meets damaged files for 10 s of the processor's time; 60 s in the long form. See `run.py`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS, corpus

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60 if os.environ.get("STRIATE_LONG") == "1" else 10


@pytest.mark.parametrize("name", TARGETS)
def test_only_clean_errors_come_out(name: str) -> None:
    """In a process of its own: HDF5 could crash, and how much it grew is seen there."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.run", name, "--seconds", str(SECONDS)],
        cwd=ROOT, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-8000:]}"
    assert f"{name}: " in done.stdout and not done.stdout.startswith(f"{name}: 0 rounds")


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_is_small_and_whole_files_are_read(name: str) -> None:
    """Fuzzing begins at files that are good; what it found before is among them."""
    files = corpus(name)
    assert files and sum(f.stat().st_size for f in files) < 400_000
    whole = [path for path in files if not path.name.startswith("found-")]
    assert whole
    for path in whole:
        TARGETS[name].read(path.read_bytes())


def test_a_fault_is_found(tmp_path: Path) -> None:
    """A reader that lets a KeyError out does not pass."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom tests.fuzz import run, targets\n"
        "run.FOUND = Path(sys.argv.pop())\n"
        "def read(content):\n    if content[:1] != b'\\0':\n        raise KeyError('x')\n"
        "targets.TARGETS['idx'] = targets.Target(targets.TARGETS['idx'].change, read)\n"
        "sys.argv[1:] = ['idx', '--seconds', '5']\nfrom unittest import mock\n"
        "mock.patch.object(run, 'corpus', lambda name: targets.corpus(name)[:1]).start()\nsys.exit(run.main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and "KeyError" in done.stderr
    assert "found in round 0, kept as" in done.stdout
    assert len(list(tmp_path.iterdir())) == 1
