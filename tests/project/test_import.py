"""`import striate` is lazy: it loads nothing big, opens nothing and builds nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIG = {"h5py", "PIL", "rich", "click", "ml_dtypes", "matplotlib", "multiprocessing", "subprocess", "urllib.request"}


def loaded_after(code: str, folder: Path) -> set[str]:
    """Modules that are there after `code`, run in an empty folder."""
    report = f"{code}\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", report],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    modules: list[str] = json.loads(done.stdout.splitlines()[-1])
    return set(modules)


def test_importing_loads_the_names_and_nothing_else(tmp_path: Path) -> None:
    loaded = loaded_after("import striate", tmp_path)
    assert not loaded & BIG
    assert {m for m in loaded if m.startswith("striate.")} <= {
        "striate.core",
        "striate.core.namespace",
        "striate.core.public_names",
    }
    assert not list(tmp_path.iterdir())


def test_a_layer_loads_no_files_and_no_command_line(tmp_path: Path) -> None:
    loaded = loaded_after("import striate as keras; keras.layers.Dense(1); keras.models.Sequential()", tmp_path)
    assert not loaded & {"h5py", "PIL", "click"}
    assert "striate.cli" not in loaded and "striate.explain" not in loaded


def test_the_command_s_help_loads_no_engine(tmp_path: Path) -> None:
    code = "from striate.cli.main import main\nassert main(['--help']) == 0"
    assert "striate.engine" not in loaded_after(code, tmp_path)
