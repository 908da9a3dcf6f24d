"""Adam: a step by the running mean of the gradient over that of its square, both corrected for their start at 0.

    m <- beta_1 m + (1 - beta_1) g        v <- beta_2 v + (1 - beta_2) g^2
    w <- w - m lr sqrt(1 - beta_2^t) / (1 - beta_1^t) / (sqrt(v) + epsilon)

Shapes: w, m, v and g alike; lr and step = t, the iteration counted from 1, ().
Source: Keras 3 `keras.optimizers.Adam`; Kingma and Ba, 2014 (epsilon is their epsilon-hat).
"""

from __future__ import annotations

import numpy as np

from striate.ir.ops._arrays import Array
from striate.ir.ops._optimizer import define_update
from striate.ir.ops.attrs import AdamAttrs


def adam(w: Array, m: Array, v: Array, g: Array, lr: Array, t: Array, a: AdamAttrs) -> tuple[Array, Array, Array]:
    m = a.beta_1 * m + (1 - a.beta_1) * g
    v = a.beta_2 * v + (1 - a.beta_2) * g * g
    rate = lr * np.sqrt(1 - a.beta_2**t) / (1 - a.beta_1**t)
    return w - m * rate / (np.sqrt(v) + a.epsilon), m, v


define_update("adam_update", adam, slots=2, scalars=("lr", "step"), attrs=AdamAttrs)
