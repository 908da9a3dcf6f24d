"""The loss of sequences that are shorter than the network's output and stand nowhere in particular in it (CTC).

Of the paths that spell the target (labels in their order, each for one or more steps, blanks between, of necessity
between two equal ones), two sums are kept for each label n and carried from step to step, as logarithms:

    emit[n]    paths whose last step is label n
    blank[n]   paths that have spelled n labels and end with a blank (n = 0: nothing yet)

Step t: emit'[n] = (blank[n] + emit[n - 1] where label n is not label n - 1 + emit[n]) * p[t, label n];
blank'[n] = (blank[n] + emit[n - 1]) * p[t, blank]. At the end, blank[N] + emit[N - 1] have spelled all N labels.
"""

from __future__ import annotations

import numpy as np

from striate import backend
from striate.backend import symbolic_op
from striate.core.errors import ShapeError
from striate.core.registry import export
from striate.ops import activation, arithmetic, elementwise, shapes
from striate.ops._convert import Tensor, dtype_of, shape_of, tensor
from striate.ops.classification import one_hot
from striate.ops.core import stop_gradient
from striate.ops.indexing import slice_axis
from striate.ops.joining import concatenate
from striate.ops.products import matmul
from striate.ops.reductions import sum as total

#: The logarithm of "never", as in Keras on JAX: finite, so that differences are numbers.
NEVER = -1e5


def _either(a: Tensor, b: Tensor) -> Tensor:
    """log(exp(a) + exp(b)); the larger is no part of the gradient, which is so right where they are equal, too."""
    larger = stop_gradient(arithmetic.maximum(a, b))
    return larger + elementwise.log(elementwise.exp(a - larger) + elementwise.exp(b - larger))


def _column(x: Tensor, begin: int, end: int) -> Tensor:
    return slice_axis(x, 1, begin, end)


@export("ops.ctc_loss", "ops.nn.ctc_loss")
@symbolic_op("keras.src.ops.nn", "CTCLoss")
def ctc_loss(
    target: Tensor, output: Tensor, target_length: Tensor, output_length: Tensor, mask_index: int = 0
) -> Tensor:
    """-log of the probability of all paths that spell the target (Graves and others 2006); one value a sequence.

    Impossible targets (longer than the output) cost about 1e5. The program has some 15 nodes for each step.

    Source: `keras.ops.ctc_loss`; the numbers are those of its JAX backend.

    Args:
        target: labels (batch, max_length).
        output: logits (batch, steps, classes).
        target_length: how many labels count (batch,).
        output_length: how many steps count (batch,).
        mask_index: the blank's class.

    Output shape: (batch,).

    Raises:
        ValueError: tensors of other ranks.

    Example:
        >>> logits = np.log(np.array([[[0.4, 0.6], [0.5, 0.5]]], "float32"))
        >>> round(float(np.exp(-ctc_loss([[1]], logits, [1], [2])[0])), 4)  # 1 1, 1 blank, blank 1
        0.8
    """
    target, output = tensor(target, "int32"), tensor(output)
    if len(shape_of(target)) != 2 or len(shape_of(output)) != 3:
        raise ShapeError(
            f"ctc_loss takes labels (batch, max_length) and logits (batch, steps, classes). Received: target of shape "
            f"{shape_of(target)}, output of shape {shape_of(output)}."
        )
    dtype = backend.result_type(dtype_of(output), "float32")
    batch, steps, classes = shape_of(output)
    if backend.is_keras_tensor(target) or backend.is_keras_tensor(output) or batch is None:
        return backend.KerasTensor((batch,), dtype)
    labels = int(shape_of(target)[1] or 0)
    never, zero = np.asarray(NEVER, dtype), np.zeros((), dtype)
    log_p = activation.log_softmax(backend.cast(output, dtype))
    of_labels = matmul(log_p, shapes.transpose(one_hot(target, int(classes or 0), dtype=dtype), (0, 2, 1)))
    of_blank = slice_axis(log_p, 2, mask_index, mask_index + 1)

    # Whether label n + 1 is label n: what follows label n then comes after a blank.
    same = arithmetic.equal(_column(target, 0, labels - 1), _column(target, 1, labels))
    doubled = arithmetic.where(concatenate([same, np.zeros((batch, 1), bool)], axis=1), np.ones((), dtype), zero)
    lengths = shapes.reshape_to(tensor(output_length, "int32"), (batch, 1))

    blank = np.full((batch, labels + 1), NEVER, dtype)
    blank[:, 0] = 0
    emit: Tensor = np.full((batch, labels), NEVER, dtype)
    blank_: Tensor = blank
    for t in range(int(steps or 0)):
        emits, blanks = (shapes.reshape_to(slice_axis(p, 1, t, t + 1), (batch, -1)) for p in (of_labels, of_blank))
        follows = _either(_column(blank_, 1, labels + 1), emit + doubled * never)
        ready = concatenate([_column(blank_, 0, 1), follows], axis=1)
        new_emit = _either(_column(ready, 0, labels), emit) + emits
        waits = _either(follows + blanks, emit + blanks + (1.0 - doubled) * never)
        new_blank = concatenate([_column(ready, 0, 1) + blanks, waits], axis=1)
        running = arithmetic.greater(lengths, np.int32(t))
        emit = arithmetic.where(running, new_emit, emit)
        blank_ = arithmetic.where(running, new_blank, blank_)

    done = concatenate([_column(blank_, 0, 1), _either(_column(blank_, 1, labels + 1), emit)], axis=1)
    chosen = one_hot(tensor(target_length, "int32"), labels + 1, dtype=dtype)
    return -total(done * chosen, axis=1)


__all__ = ["ctc_loss"]
