"""Stochastic gradient descent, without and with momentum.

    sgd_update        w <- w - lr g
    momentum_update   m <- momentum m - lr g;  w <- w + m, or with Nesterov's  w <- w + momentum m - lr g

Shapes: w, m and g alike; lr (). Source: Keras 3 `keras.optimizers.SGD`.
"""

from __future__ import annotations

import numpy as np

from striate.ir.ops._arrays import Array
from striate.ir.ops._optimizer import define_update
from striate.ir.ops.attrs import MomentumAttrs


def sgd(w: Array, g: Array, lr: Array) -> Array:
    return np.asarray(w - lr * g)


def momentum(w: Array, m: Array, g: Array, lr: Array, a: MomentumAttrs) -> tuple[Array, Array]:
    m = a.momentum * m - lr * g
    return (w + a.momentum * m - lr * g if a.nesterov else w + m), m


define_update("sgd_update", sgd, slots=0)
define_update("momentum_update", momentum, slots=1, attrs=MomentumAttrs)
