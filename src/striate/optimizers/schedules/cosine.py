"""Schedules along half a cosine wave."""

from __future__ import annotations

import math
from typing import Any

from striate import ops
from striate.core.registry import export
from striate.optimizers.schedules.schedule import LearningRateSchedule, as_rate, positive_steps


@export("optimizers.schedules.CosineDecay")
class CosineDecay(LearningRateSchedule):
    """Down half a cosine wave, after an optional straight way up.

        warm-up, t < warmup_steps:  initial + (warmup_target - initial) * t / warmup_steps
        decay, u = t - warmup_steps: top * ((1 - alpha) * (1 + cos(pi * min(u, decay_steps) / decay_steps)) / 2 + alpha)

    where top is warmup_target, or the initial rate without warm-up.

    Source: `keras.optimizers.schedules.CosineDecay`; Loshchilov and Hutter 2017.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: how many steps the decay takes.
        alpha: the last rate, as a fraction of the top.
        warmup_target: the rate at the end of the warm-up; None leaves the warm-up out.
        warmup_steps: how many steps the warm-up takes.

    Example:
        >>> schedule = CosineDecay(0.0, 100, warmup_target=0.1, warmup_steps=10)
        >>> [round(float(schedule(t)), 4) for t in (0, 5, 10, 60, 110)]
        [0.0, 0.05, 0.1, 0.05, 0.0]
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive_steps(decay_steps)
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def _decay(self, step: Any, top: float) -> Any:
        wave = 0.5 * (1.0 + ops.cos(math.pi * (step / self.decay_steps)))
        return top * ((1.0 - self.alpha) * wave + self.alpha)

    def __call__(self, step: Any) -> Any:
        step = as_rate(step)
        if self.warmup_target is None:
            return self._decay(ops.minimum(step, self.decay_steps), self.initial_learning_rate)
        step = ops.minimum(step, self.decay_steps + self.warmup_steps)
        decay = self._decay(step - self.warmup_steps, self.warmup_target)
        if not self.warmup_steps:
            return decay
        rise = self.warmup_target - self.initial_learning_rate
        warm_up = rise * (step / self.warmup_steps) + self.initial_learning_rate
        return ops.where(ops.less(step, self.warmup_steps), warm_up, decay)


@export("optimizers.schedules.CosineDecayRestarts")
class CosineDecayRestarts(LearningRateSchedule):
    """Down half a cosine wave again and again, each time t_mul as long and m_mul as high.

    Source: `keras.optimizers.schedules.CosineDecayRestarts`; Loshchilov and Hutter 2017 (SGDR).

    Args:
        initial_learning_rate: the top of the first wave.
        first_decay_steps: how many steps the first wave takes.
        t_mul: by how much each wave is longer than the one before.
        m_mul: by how much its top is higher.
        alpha: the lowest rate, as a fraction of the initial one.

    Example:
        >>> schedule = CosineDecayRestarts(0.1, 10)
        >>> [round(float(schedule(t)), 4) for t in (0, 5, 10, 20)]
        [0.1, 0.05, 0.1, 0.05]
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = positive_steps(first_decay_steps, "first_decay_steps")
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: Any) -> Any:
        done = as_rate(step) / self.first_decay_steps  # in first waves
        if self.t_mul == 1.0:
            wave = ops.floor(done)
            done = done - wave
        else:
            # Waves before number i take (1 - t_mul**i) / (1 - t_mul) first waves together.
            wave = ops.floor(ops.log(1.0 - done * (1.0 - self.t_mul)) / math.log(self.t_mul))
            length = ops.power(float(self.t_mul), wave)
            done = (done - (1.0 - length) / (1.0 - self.t_mul)) / length
        height = ops.power(float(self.m_mul), wave)
        cosine = 0.5 * height * (1.0 + ops.cos(math.pi * done))
        return self.initial_learning_rate * ((1.0 - self.alpha) * cosine + self.alpha)
