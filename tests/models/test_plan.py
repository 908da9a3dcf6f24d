"""The plan for people: what `striate summary --plan` prints."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

import striate
from striate.compiler.plan.footprint import Footprint
from striate.core.errors import StateError
from striate.models.plan import ModelPlan


def small() -> striate.Model:
    return striate.Sequential(
        [
            striate.Input((8, 8, 1), name="image"),
            striate.layers.Conv2D(4, 3, activation="relu"),
            striate.layers.Flatten(),
            striate.layers.Dense(3, activation="softmax"),
        ]
    )


def test_the_prediction_s_steps():
    plan = striate.explain.plan(small(), batch_size=2)
    assert [r.op for r in plan.rows] == ["conv2d", "dense", "softmax"]
    told = plan.as_dict()
    assert json.loads(json.dumps(told)) == told
    assert told["steps"][0]["flops"] == 2 * 2 * 6 * 6 * 4 * 9
    lines = plan.text().splitlines()
    assert lines[0].startswith("Plan: prediction of sequential") and lines[0].endswith("batch 2")
    assert lines[1].startswith("3 steps, ") and lines[1].endswith("no host steps")
    assert lines[2].startswith("Peak memory ")
    assert lines[4].split() == ["step", "op", "kernel", "result", "work", "why"]
    at = lines[4].index("kernel")
    rows = [line for line in lines[5:] if not line.lstrip().startswith("not ")]
    assert [row[at:].split()[0] for row in rows] == [r.kernel for r in plan.rows]


def test_why_other_kernels_were_refused():
    plan = striate.explain.plan(small(), batch_size=2)
    convolution = plan.rows[0]
    text = plan.text()
    assert convolution.refused
    for why in {why for _, why in convolution.refused}:  # one line a reason, by the first kernel that gave it
        kernel = next(name for name, reason in convolution.refused if reason == why)
        assert f"not {kernel}: {why}\n" in text


def test_the_training_step():
    model = small()
    with pytest.raises(StateError, match="is not compiled"):
        striate.explain.plan(model, training=True)
    model.compile("adam", "sparse_categorical_crossentropy")
    plan = striate.explain.plan(model, 4, training=True)
    assert plan.host_steps == ()
    assert {"conv2d_grad_w", "adam_update"} <= {r.op for r in plan.rows}
    assert "3 x float32[3]" in plan.text()  # a weight and its two slots


@pytest.mark.parametrize("how", ["by name", "in order"])
def test_several_inputs_and_outputs(how):
    a, b = striate.Input((4,), name="a"), striate.Input((2,), name="b")
    both = striate.layers.Concatenate()([a, b])
    outputs = [
        striate.layers.Dense(3, activation="softmax", name="kind")(both),
        striate.layers.Dense(1, name="size")(both),
    ]
    model = striate.Model([a, b], outputs)
    losses = ["sparse_categorical_crossentropy", "mse"]
    model.compile("sgd", dict(zip(("kind", "size"), losses)) if how == "by name" else losses)
    assert "sparse_softmax_crossentropy" in {r.op for r in striate.explain.plan(model, 2, training=True).rows}


def test_a_model_without_known_shapes():
    with pytest.raises(StateError, match="has no Input"):
        striate.explain.plan(striate.Sequential([striate.layers.Dense(2)]))


def test_host_steps_and_kept_values_are_marked():
    row = SimpleNamespace(
        step=0,
        op="sort",
        kernel=None,
        result="float32[3]",
        reason="no kernel",
        refused=(),
        bytes=24,
        flops=0,
        derived=True,
    )
    memory = Footprint(500, 0, 4, 0, 0, 5_000_000_000, 0, 0)
    text = ModelPlan("prediction of x, batch 1", (row,), memory, ("sort",)).text()
    assert "HOST steps (run by NumPy): sort" in text
    assert "Peak memory 5 GB: 500 B of variables, 4 B of batch, results and constants, 5 GB between steps" in text
    assert " ".join(text.splitlines()[-1].split()) == (
        "0 sort HOST float32[3] 24 B no kernel; kept until the weights change"
    )
