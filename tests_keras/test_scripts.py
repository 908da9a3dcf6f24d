"""The scripts of examples/keras_style with Striate and with real Keras: losses, metrics, answers, and what they print.

Tolerance: two float32 programs that sum in other orders differ by roundings, and training makes small differences grow,
by how much depends on the script. So each script measures it: run again with initial weights that are off by 2^-17 or
2^-15 of themselves (what sums of a thousand terms can be off by, and more), Striate's own numbers move by D, the
largest so far in that training. Real Keras's may differ by `GROWTH` D, and by `FLOOR` where nothing has grown yet.
Shares of right answers move in steps: two images more or less are allowed beside.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from recording import SCRIPTS, record

import striate

DISTURBANCES = (2.0**-17, 2.0**-15)
GROWTH = 16
FLOOR = 2e-5
LEAST_BATCH = 20  # images in a batch of these scripts, at least

#: what is meant to differ in print: (script, what Keras says, what Striate says)
BETTER = {
    # Keras shows the size of the first batch as if the model were made for it; it takes any, and ours says so.
    "custom_training_step.py": (r"\(50, ([\d, ]+)\)  ", r"(None, \1)"),
}


@pytest.mark.parametrize("name", sorted(path.name for path in SCRIPTS.glob("*.py")))
def test_script(trainer: Any, name: str) -> None:
    ours, expected = record(striate, name), trainer("run_file", name=name)
    disturbed = [record(striate, name, disturbance=d) for d in DISTURBANCES]
    assert [len(fit["batches"]) for fit in ours["fits"]] == [len(fit["batches"]) for fit in expected["fits"]]
    for i in range(len(ours["fits"])):
        same_course(*(run["fits"][i] for run in (ours, expected, *disturbed)), where=f"fit {i}")
    assert len(ours["answers"]) == len(expected["answers"])
    for i in range(len(ours["answers"])):
        same_answers(*(run["answers"][i] for run in (ours, expected, *disturbed)), where=f"answer {i}")
    assert printed(ours["printed"]) == printed(expected["printed"], *BETTER.get(name, ()))


def same_course(ours: Any, expected: Any, *disturbed: Any, where: str) -> None:
    """The same names in the same order in all logs, and values within the tolerance above."""
    for part in ("batches", "epochs"):
        assert [list(logs) for logs in ours[part]] == [list(logs) for logs in expected[part]], f"{where}, {part}"
    spreads = {}
    for key in set(ours["batches"][0]) - {"batch"} if ours["batches"] else ():
        spreads[key] = movement(key, ours["batches"], *(run["batches"] for run in disturbed))
        same_values(key, ours["batches"], expected["batches"], spreads[key], f"{where}, batches")
    firsts = [i for i, logs in enumerate(ours["batches"]) if logs["batch"] == 0]
    ends = np.array([*firsts[1:], len(ours["batches"])]) - 1
    for key in ours["epochs"][0] if ours["epochs"] else ():
        spread = movement(key, ours["epochs"], *(run["epochs"] for run in disturbed))
        if (base := key.removeprefix("val_")) in spreads:  # a value an epoch is few to see a movement by
            spread = np.maximum(spread, spreads[base][ends])
        same_values(key, ours["epochs"], expected["epochs"], spread, f"{where}, epochs")


def movement(key: str, ours: Any, *disturbed: Any) -> Any:
    """D: by how much disturbances have moved a value so far."""
    mine, *moved = (np.array([logs[key] for logs in run]) for run in (ours, *disturbed))
    length = min(len(run) for run in (mine, *moved))
    spread = np.max([np.abs(mine[:length] - run[:length]) for run in moved], axis=0)
    return np.maximum.accumulate(np.pad(spread, (0, len(mine) - length), mode="edge"))


def same_values(key: str, ours: Any, expected: Any, spread: Any, where: str) -> None:
    mine, theirs = (np.array([logs[key] for logs in run]) for run in (ours, expected))
    allowed = GROWTH * spread + FLOOR * np.maximum(1, np.abs(theirs))
    if is_share(key):
        allowed = allowed + 2 / (LEAST_BATCH * np.array([logs.get("batch", 0) + 1 for logs in ours]))
    off = np.abs(mine - theirs)
    worst = int(np.argmax(off - allowed))
    assert (off <= allowed).all(), (
        f"{where}: {key} is {mine[worst]} at {worst}, Keras's {theirs[worst]}: {off[worst]:.2g} off, "
        f"{allowed[worst]:.2g} allowed"
    )


def is_share(name: str) -> bool:
    """Whether a metric counts right answers (or has thresholds, as AUC)."""
    return any(part in name for part in ("accuracy", "top_", "recall", "auc"))


def same_answers(ours: Any, expected: Any, *disturbed: Any, where: str) -> None:
    """What `evaluate` and `predict` gave: the same structure and types; the mean difference within the tolerance."""
    assert type(ours) is type(expected), f"{where}: {type(ours)}, Keras's {type(expected)}"
    if isinstance(ours, dict):
        assert list(ours) == list(expected), where
        for key in ours:
            same_answers(*(run[key] for run in (ours, expected, *disturbed)), where=f"{where}, {key}")
    elif isinstance(ours, list):
        assert len(ours) == len(expected), where
        for i in range(len(ours)):
            same_answers(*(run[i] for run in (ours, expected, *disturbed)), where=f"{where}[{i}]")
    else:
        assert np.shape(ours) == np.shape(expected) and np.result_type(ours) == np.result_type(expected), where
        spread = max(float(np.mean(np.abs(np.subtract(ours, run)))) for run in disturbed)
        off = float(np.mean(np.abs(np.subtract(ours, expected))))
        # A share of at least 150 images, as these scripts evaluate on.
        step = 2 / 150 if isinstance(ours, float) else 0
        assert off <= GROWTH * spread + FLOOR + step, f"{where}: {off:.2g} off, {GROWTH} x {spread:.2g} allowed"


def printed(text: str, pattern: str | None = None, replacement: str = "") -> list[str]:
    """What a reader sees, without the numbers that training makes; of a bar that was redrawn, its last state."""
    lines: list[str] = []
    bar = ""
    for line in text.replace("\b", "").splitlines():
        if (
            "\x1b" in line
        ):  # where nothing can be redrawn, Keras writes each state on a line of its own, we write the last
            bar = re.sub(r"\x1b\[\d+m", "", line)
            continue
        if bar:
            done, seconds, a_step, values = re.fullmatch(r" *(\d+/\d+) ━+ (\w+) (\S+)(.*)", bar.rstrip()).groups()
            lines.append(numberless(f"{done} - {seconds} - {a_step}{values}"))
            bar = ""
        if "│" in line or "params:" in line:  # a summary, to the letter
            lines.append(re.sub(pattern, replacement, line) if pattern else line)
        elif not re.fullmatch(r"[ .:=+*#%@-]*", line):  # that is a picture in characters
            lines.append(numberless(line))
    return lines


def numberless(line: str) -> str:
    line = re.sub(r"/tmp/\S+", "<folder>", line)
    return " ".join(re.sub(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?(ms|us|s)?(/step)?", "#", line).split())


def test_what_the_comparison_lets_pass_is_little() -> None:
    """The tolerance is far below what a wrong rate, or another loss, would do to the first steps."""
    ours = record(striate, "callbacks.py")["fits"][0]["batches"]
    moved = record(striate, "callbacks.py", disturbance=DISTURBANCES[1])["fits"][0]["batches"]
    spread = np.maximum.accumulate([abs(a["loss"] - b["loss"]) for a, b in zip(ours, moved)])
    assert GROWTH * spread[:100].max() + FLOOR < 1e-2 < abs(ours[0]["loss"] - ours[10]["loss"])
