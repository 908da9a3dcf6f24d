"""Install dist/'s wheel in an empty environment, in an empty folder, and use it: python tools/check_wheel.py

What a checkout hides shows here: a file that is not packed, a dependency that is not named, a path into the sources.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 5_000_000  # bytes, the sample left out
SAMPLE = "striate/datasets/fashion_mnist_mini.npz"
NEEDED = (SAMPLE, "striate/datasets/fashion_mnist_mini.LICENSE", "striate/py.typed", "striate/engine/_native.pyi")


def check_content(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {info.filename: info for info in archive.infolist()}
    missing = [name for name in NEEDED if name not in packed]
    engines = [name for name in packed if name.startswith("striate/engine/_native") and not name.endswith(".pyi")]
    if missing or len(engines) != 1 or not any(name.endswith("licenses/LICENSE") for name in packed):
        sys.exit(f"{wheel.name}: missing {missing}; engines {engines}")
    size = wheel.stat().st_size
    without = size - packed[SAMPLE].compress_size
    print(f"{wheel.name}: {size / 1e6:.2f} MB, {without / 1e6:.2f} MB without the sample; {len(packed)} files")
    if without > LIMIT:
        sys.exit(f"{wheel.name} is larger than meant: {LIMIT / 1e6:.1f} MB without the sample")


def main() -> None:
    wheels = sorted((ROOT / "dist").glob("striate-*.whl"))
    if len(wheels) != 1:
        sys.exit(f"Expected one wheel in dist/, found {[w.name for w in wheels]}. Run make wheel.")
    check_content(wheels[0])
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    with tempfile.TemporaryDirectory() as folder:
        venv, empty = Path(folder) / "venv", Path(folder) / "empty"
        empty.mkdir()
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        programs = venv / ("Scripts" if os.name == "nt" else "bin")
        quiet = ("--quiet", "--disable-pip-version-check")
        for command in (
            (programs / "python", "-m", "pip", "install", *quiet, wheels[0]),
            (programs / "striate", "doctor"),
            (programs / "python", "-W", "error", ROOT / "tools" / "use_wheel.py"),
            (programs / "striate", "predict", "model.keras", "garment.png"),
            (programs / "striate", "summary", "model.keras"),
        ):
            subprocess.run([str(word) for word in command], cwd=empty, env=kept, check=True)
    print("the wheel works in an empty environment")


if __name__ == "__main__":
    main()
