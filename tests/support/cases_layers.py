"""Cases of softmax, losses, normalisation and optimizer updates."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from striate.ir.ops.attrs import AdamAttrs, AxisAttrs, MomentumAttrs, NormAttrs, RMSpropAttrs
from tests.support.cases import Case, Draw, cases_for


@cases_for("softmax", "log_softmax")
def softmax(op: str, draw: Draw) -> Iterator[Case]:
    yield Case(op, "matrix", (draw.normal(4, 5),), AxisAttrs(1), batched=(0,))
    yield Case(op, "middle", (draw.normal(2, 3, 4),), AxisAttrs(1), batched=(0,))
    yield Case(op, "one", (draw.normal(3, 1),), AxisAttrs(1), batched=(0,))
    yield Case(op, "wide", (draw.uniform(-80, 80, 3, 131),), AxisAttrs(1), batched=(0,), smooth=False)
    yield Case(op, "huge", (draw.normal(3, 4) * np.float32(1e4),), AxisAttrs(1), smooth=False)


@cases_for("softmax_grad", "log_softmax_grad")
def softmax_grad(op: str, draw: Draw) -> Iterator[Case]:
    for label, shape, axis in (("matrix", (4, 5), 1), ("middle", (2, 3, 4), 1), ("wide", (3, 37), 1)):
        y = np.exp(draw.normal(*shape))
        y /= y.sum(axis=axis, keepdims=True)
        y = y if op == "softmax_grad" else np.log(y)
        yield Case(op, label, (draw.normal(*shape), y), AxisAttrs(axis))


@cases_for("sparse_softmax_crossentropy", "sparse_softmax_crossentropy_grad")
def sparse(op: str, draw: Draw) -> Iterator[Case]:
    for label, shape in (("matrix", (4, 5)), ("rank3", (2, 3, 4)), ("vector", (5,)), ("wide", (3, 131))):
        inputs = (draw.normal(*shape), draw.integers(0, shape[-1], *shape[:-1]))
        batched = (0, 1) if len(shape) > 1 and not op.endswith("grad") else ()
        given = (draw.normal(*shape[:-1]), *inputs) if op.endswith("grad") else inputs
        yield Case(op, label, given, batched=batched)
    stray = (draw.normal(4, 5), np.array([-1, 5, 2, 1 << 30], np.int32))
    yield Case(op, "strays", (draw.normal(4), *stray) if op.endswith("grad") else stray, smooth=op.endswith("grad"))


@cases_for("softmax_crossentropy", "softmax_crossentropy_grad")
def categorical(op: str, draw: Draw) -> Iterator[Case]:
    for label, shape in (("matrix", (4, 5)), ("rank3", (2, 3, 4)), ("wide", (3, 131))):
        targets = draw.uniform(0, 1, *shape)
        inputs = (draw.normal(*shape), targets / targets.sum(axis=-1, keepdims=True))
        smooth = label != "wide"
        if op.endswith("grad"):
            yield Case(op, label, (draw.normal(*shape[:-1]), *inputs), smooth=smooth)
        else:
            yield Case(op, label, inputs, batched=(0, 1), smooth=smooth)


@cases_for("sigmoid_crossentropy", "sigmoid_crossentropy_grad")
def binary(op: str, draw: Draw) -> Iterator[Case]:
    for label, shape in (("matrix", (4, 5)), ("vector", (37,))):
        inputs = (draw.normal(*shape), draw.uniform(0, 1, *shape))
        given = (draw.normal(*shape), *inputs) if op.endswith("grad") else inputs
        yield Case(op, label, given, batched=() if op.endswith("grad") else (0, 1))
    far = (np.array([-100, -30, 0, 30, 100], np.float32), np.array([0, 1, 0.5, 1, 0], np.float32))
    yield Case(op, "far", (draw.normal(5), *far) if op.endswith("grad") else far, smooth=False)


@cases_for("batch_norm_train", "batch_norm_infer", "batch_norm_train_grad")
def batch_norm(op: str, draw: Draw) -> Iterator[Case]:
    for label, shape in (("image", (2, 3, 4, 3)), ("matrix", (6, 5)), ("wide", (2, 3, 5, 37)), ("far", (9, 19))):
        x = draw.normal(*shape) * np.float32(2) + np.float32(100.0 if label == "far" else 0.5)
        c = shape[-1:]
        gamma, beta = draw.uniform(0.5, 2, *c), draw.normal(*c)
        mean, variance = x.mean(axis=tuple(range(x.ndim - 1))), x.var(axis=tuple(range(x.ndim - 1)))
        small = label in ("image", "matrix")
        for act in ("none", "relu", "relu6"):
            attrs, name = NormAttrs(1e-3, act), label if act == "none" else f"{label}-{act}"  # type: ignore[arg-type]
            if op == "batch_norm_train":
                yield Case(op, name, (x, gamma, beta), attrs, batched=(0,), smooth=small)
                given = (x, gamma, beta, draw.normal(*shape))
                yield Case(op, f"{name}-residual", given, attrs, batched=(0, 3), smooth=small)
            elif op == "batch_norm_infer":
                given = (x, gamma, beta, mean, variance)
                yield Case(op, name, given, attrs, batched=(0,), smooth=small)
                given = (*given, draw.normal(*shape))
                yield Case(op, f"{name}-residual", given, attrs, batched=(0, 5), smooth=small)
            else:
                shift = () if act == "none" else (beta,)
                yield Case(op, name, (draw.normal(*shape), x, gamma, mean, variance, *shift), attrs, smooth=small)


@cases_for("batch_norm_statistics")
def statistics(op: str, draw: Draw) -> Iterator[Case]:
    for label, shape in (("image", (2, 3, 4, 3)), ("matrix", (6, 5)), ("blocks", (900, 37)), ("far", (9, 19))):
        yield Case(op, label, (draw.normal(*shape) + np.float32(1e4 if label == "far" else 0.5),))


@cases_for("sgd_update", "momentum_update", "adam_update", "rmsprop_update")
def update(op: str, draw: Draw) -> Iterator[Case]:
    lr, step = np.float32(0.05), np.float32(3)
    for shape in ((3, 3, 2, 4), (67,), ()):
        label = "x".join(map(str, shape)) or "scalar"
        w, g = draw.normal(*shape), draw.normal(*shape)
        m, v = draw.normal(*shape), draw.uniform(0, 1, *shape)
        scalars = (np.asarray(lr), np.asarray(step))
        if op == "sgd_update":
            yield Case(op, label, (w, g, scalars[0]))
        elif op == "momentum_update":
            for nesterov in (False, True):
                name = f"{label}{'-nesterov' if nesterov else ''}"
                yield Case(op, name, (w, m, g, scalars[0]), MomentumAttrs(0.9, nesterov))
        elif op == "adam_update":
            yield Case(op, label, (w, m, v, g, *scalars), AdamAttrs(0.9, 0.999, 1e-7))
        else:
            yield Case(op, label, (w, v, g, scalars[0]), RMSpropAttrs(0.9, 1e-7))


@cases_for("sgd_update_dense", "momentum_update_dense", "adam_update_dense", "rmsprop_update_dense")
def dense_update(op: str, draw: Draw) -> Iterator[Case]:
    lr, step, decay = np.asarray(np.float32(0.05)), np.asarray(np.float32(3)), np.asarray(np.float32(0.02))
    for label, rows, shape in (
        ("matrix", 3, (5, 7)),
        ("one", 1, (1, 1)),
        ("window", 4, (2, 3, 2, 5)),
        ("blocks", 2, (230, 530)),
        ("deep", 260, (31, 65)),
    ):
        w, x, dy = draw.normal(*shape), draw.normal(rows, int(np.prod(shape[:-1]))), draw.normal(rows, shape[-1])
        m, v = draw.normal(*shape), draw.uniform(0, 1, *shape)
        for more, name in (((), label), ((decay,), f"{label}-decay")):
            if op == "sgd_update_dense":
                yield Case(op, name, (w, x, dy, lr, *more))
            elif op == "momentum_update_dense":
                yield Case(op, name, (w, m, x, dy, lr, *more), MomentumAttrs(0.9, bool(more)))
            elif op == "adam_update_dense":
                yield Case(op, name, (w, m, v, x, dy, lr, step, *more), AdamAttrs(0.9, 0.999, 1e-7))
            else:
                yield Case(op, name, (w, v, x, dy, lr, *more), RMSpropAttrs(0.9, 1e-7))
