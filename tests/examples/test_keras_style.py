"""The scripts of examples/keras_style run, learn, and would be real Keras's by the change of one line.

What they compute is compared with real Keras in tests_keras/test_scripts.py.
"""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

import striate

SCRIPTS = Path(__file__).resolve().parents[2] / "examples" / "keras_style"

#: script -> the least of the number it says at its end; about half of what is between guessing and what it reaches
FLOORS = {
    "autoencoder.py": (r"(\d+\.\d) times less", 2.0),
    "callbacks.py": (r"test accuracy (0\.\d+)", 0.6),
    "custom_layer.py": (r"test accuracy (0\.\d+)", 0.5),
    "custom_metric.py": (r"test accuracy (0\.\d+)", 0.65),
    "custom_training_step.py": (r"test accuracy (0\.\d+)", 0.65),
    "data_augmentation.py": (r"test accuracy (0\.\d+)", 0.55),
    "multi_output.py": (r"test accuracy (0\.\d+)", 0.55),
    "residual_network.py": (r"test accuracy (0\.\d+)", 0.6),
    "signal_1d.py": (r"test accuracy (0\.\d+)", 0.7),
    "transfer_learning.py": (r"test accuracy (0\.\d+)", 0.6),
}


def test_every_script_is_tested() -> None:
    assert sorted(path.name for path in SCRIPTS.glob("*.py")) == sorted(FLOORS)


@pytest.mark.parametrize("name", FLOORS)
def test_it_runs_and_learns(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    striate.utils.clear_session()
    runpy.run_path(str(SCRIPTS / name), run_name="__main__")
    pattern, floor = FLOORS[name]
    told = re.search(pattern, capsys.readouterr().out)
    assert told is not None and float(told.group(1)) >= floor


@pytest.mark.parametrize("name", FLOORS)
def test_one_line_is_the_difference_to_keras(name: str) -> None:
    """Beside the import, only the sample's loader is ours: what it gives are NumPy arrays."""
    text = (SCRIPTS / name).read_text()
    code = re.sub(r'""".*?"""', "", text, count=1, flags=re.DOTALL)
    ours = [line for line in code.splitlines() if "striate" in line]
    assert [line for line in ours if line != "from striate.datasets import fashion_mnist_mini"] == [
        "import striate as keras"
    ]
    assert f"python examples/keras_style/{name}" in text
