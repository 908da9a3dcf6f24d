"""RMSprop: a step by the gradient over the root of the running mean of its square.

    v <- rho v + (1 - rho) g^2        w <- w - lr g / sqrt(v + epsilon)

Shapes: w, v and g alike; lr (). Source: Keras 3 `keras.optimizers.RMSprop` (momentum and centered left out).
"""

from __future__ import annotations

import numpy as np

from striate.ir.ops._arrays import Array
from striate.ir.ops._optimizer import define_update
from striate.ir.ops.attrs import RMSpropAttrs


def rmsprop(w: Array, v: Array, g: Array, lr: Array, a: RMSpropAttrs) -> tuple[Array, Array]:
    v = a.rho * v + (1 - a.rho) * g * g
    return w - lr * g / np.sqrt(v + a.epsilon), v


define_update("rmsprop_update", rmsprop, slots=1, attrs=RMSpropAttrs)
