"""Optimizers and schedules: each step's variables, the order of the state, configs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import close, same_config

import striate

OPTIONS = {
    "SGD": {
        "learning_rate": [0.01, 0.1],
        "momentum": [0.0, 0.9],
        "nesterov": [False, True],
    },
    "Adam": {"learning_rate": [0.001, 0.01], "beta_1": [0.9, 0.8], "amsgrad": [False, True], "epsilon": [1e-7, 1e-3]},
    "AdamW": {"learning_rate": [0.001], "weight_decay": [0.004, 0.1]},
    "RMSprop": {"learning_rate": [0.001], "rho": [0.9, 0.5], "momentum": [0.0, 0.9], "centered": [False, True]},
}
COMMON = {
    "weight_decay": [None, 0.01],
    "clipnorm": [None, 0.5],
    "use_ema": [False, True],
    "gradient_accumulation_steps": [None, 2],
}


@pytest.mark.parametrize("name", OPTIONS)
@given(data=st.data())
def test_optimizer(oracle, name, data):
    options = {**COMMON, **OPTIONS[name]}
    config = {k: data.draw(st.sampled_from(v), label=k) for k, v in options.items()}
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    start = [rng.normal(size=s).astype("float32") for s in ((3, 4), (5,))]
    gradients = [[rng.normal(size=v.shape).astype("float32") for v in start] for _ in range(5)]
    expected = oracle("optimizer", name=name, config=config, start=start, gradients=gradients)
    made = getattr(striate.optimizers, name)(**config)
    variables = [striate.Variable(v, name=f"v{i}") for i, v in enumerate(start)]
    made.build(variables)
    for step, after in zip(gradients, expected["steps"], strict=True):
        made.apply(step, variables)
        for variable, value in zip(variables, after, strict=True):
            close(variable.numpy(), value)
    assert len(made.variables) == len(expected["state"])
    for variable, value in zip(made.variables, expected["state"], strict=True):
        close(variable.numpy(), value)
    same_config(striate.saving.serialize_keras_object(made), expected["config"])


SCHEDULES = {
    "CosineDecay": {"initial_learning_rate": 0.0, "decay_steps": 20, "alpha": 0.1, "warmup_target": 0.3, "warmup_steps": 5},
    "ExponentialDecay": {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.5, "staircase": True},
    "PiecewiseConstantDecay": {"boundaries": [3, 9], "values": [0.1, 0.01, 0.001]},
    "PolynomialDecay": {"initial_learning_rate": 0.1, "decay_steps": 10, "power": 2.0, "cycle": True},
    "InverseTimeDecay": {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.5},
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule(oracle, name):
    steps = list(range(0, 30))
    expected = oracle("schedule", name=name, config=SCHEDULES[name], steps=steps)
    made = getattr(striate.optimizers.schedules, name)(**SCHEDULES[name])
    assert [float(made(s)) for s in steps] == pytest.approx(expected["values"], rel=2e-5, abs=1e-7)
    same_config(striate.saving.serialize_keras_object(made), expected["config"])
