"""What this machine is, to stand beside what was measured; what it can do: `striate.backend.peaks`."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from striate.engine import native

ROOT = Path(__file__).resolve().parent.parent


def describe() -> dict[str, Any]:
    """Machine, load and versions, to stand beside what was measured."""
    engine = native.report()
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": engine["cpu"],
        "cpus": os.cpu_count(),
        "instruction_set": native.kernels()[0].isa,
        "system": f"{platform.system()} {platform.release()}",
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "commit": _commit(),
    }


def _commit() -> str:
    said = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "unknown"


def heading() -> str:
    """`describe()` on one line."""
    about = describe()
    cpus = f"{about['cpus']} CPUs, {about['instruction_set']}, load {about['load']}"
    return f"{about['cpu']}, {cpus}, {about['system']}, {about['date']}, commit {about['commit']}"
