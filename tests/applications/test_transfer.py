"""docs/how-to/transfer-learning.md does what it says, on random weights in place of those that would be fetched."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "transfer-learning.md"


def code() -> list[str]:
    found = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(found) == 7
    # Nothing is fetched; a step or two in place of tens of epochs.
    return [re.sub(r"epochs=\d+", "epochs=1", c.replace('weights="imagenet"', "weights=None")) for c in found]


@pytest.fixture(scope="module")
def pages() -> list[dict[str, Any]]:
    """What the names stand for after each block, with copies of the weights then."""
    striate.utils.set_random_seed(4)
    draws = np.random.default_rng(4)
    names: dict[str, Any] = {"x": draws.integers(0, 256, (10, 96, 96, 3)).astype("uint8"), "y": np.arange(10) % 5}
    states = []
    for block in code():
        exec(compile(block, str(PAGE), "exec"), names)
        weights = {v.path: v.numpy() for v in names["base"].weights}
        trained = [v.path for v in names["model"].trainable_weights] if "model" in names else []
        inside = [v.path for v in names["base"].trainable_weights]
        states.append({**names, "weights": weights, "trained": trained, "trained inside": inside})
    return states


def moved(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [path for path, value in before["weights"].items() if (value != after["weights"][path]).any()]


def test_a_frozen_base_stays(pages):
    frozen, headed, fed = pages[:3]
    assert frozen["trained inside"] == []
    assert headed["trained"] == ["head/kernel", "head/bias"]
    assert moved(frozen, fed) == []
    assert fed["seen"].shape == (10, 1280)


def test_fine_tuning_moves_the_last_blocks_and_no_statistics(pages):
    changed = moved(pages[2], pages[3])
    assert changed and all("block_1" in path or "Conv_1" in path for path in changed)
    assert not any("BN" in path or "_bn" in path for path in changed)
    assert "block_13_expand/kernel" in changed and "block_12_project/kernel" not in changed


def test_rates_of_groups(pages):
    held = pages[4]["rates"].optimizers
    assert [float(o.learning_rate.numpy()) for o in held] == pytest.approx([1e-3 / 2.6**2, 1e-3 / 2.6, 1e-3])
    changed = moved(pages[3], pages[4])
    # Not all of the first ones: with random weights and no statistics hardly a signal comes back through 50 layers.
    for part in ("expanded_conv_", "block_6_", "block_12_", "block_16_"):
        assert any(path.startswith(part) for path in changed)
    assert not any("BN" in path or "bn_" in path or "_bn" in path for path in changed)


def test_a_map_written_out_takes_in_the_whole_base_but_its_end(pages):
    rates = pages[5]["rates"]
    rates.build(pages[5]["model"].trainable_variables)
    slow, fast = ([v.path.split("/")[-2] for v in o._trainable_variables] for o in rates.optimizers)
    assert set(fast) == {"Conv_1", "head"} and {"Conv1", "expanded_conv_project", "block_16_project"} < set(slow)


def test_a_network_of_one_s_own_is_cut(pages):
    assert pages[6]["cut"].output_shape == (None, 1280)
