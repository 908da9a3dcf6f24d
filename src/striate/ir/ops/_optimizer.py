"""What the optimizer updates share: slots and gradient have the variable's type, lr and step are scalars.

Each rule makes two ops. The second, `<name>_dense`, takes in place of g the two matrices that it is a product of:

    g = x^T dy        w[..., n], with rows of N numbers, M of them

Shapes: x (rows, M), dy (rows, N), w (..., N). With one scalar more, `decay`, it updates w - w decay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from striate.core.errors import ShapeError
from striate.ir.attrs import Attrs
from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import product, require_floats, require_rank, require_shape, show
from striate.ir.types import TensorType


def define_update(
    name: str, rule: Callable[..., Any], *, slots: int, scalars: tuple[str, ...] = ("lr",), attrs: Any = None
) -> None:
    """`rule(w, *slots, g, *scalars[, attrs])` on float64 gives the new (w, *slots). No gradient flows."""
    tensors = slots + 2

    def split(args: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        given = args[:-1] if attrs is not None else args
        assert len(given) == tensors + len(scalars), f"{name} takes {tensors + len(scalars)} inputs"
        return given[:tensors], given[tensors:]

    def infer(*args: TensorType | Attrs) -> Any:
        like_w, numbers = split(args)
        w: TensorType = like_w[0]
        require_floats(name, *like_w, *numbers)
        for what, t in zip(("w", *("slot",) * slots, "gradient"), like_w, strict=True):
            require_shape(name, what, t, w.shape)
        for what, t in zip(scalars, numbers, strict=True):
            require_shape(name, what, t, ())
        return w if slots == 0 else tuple(like_w[: slots + 1])

    def reference(*args: Any) -> Any:
        like_w, numbers = split(args)
        rest = args[-1:] if attrs is not None else ()
        w: Array = like_w[0]
        got = rule(*(wide(t) for t in like_w), *(wide(t) for t in numbers), *rest)
        if slots == 0:
            return like(got, w)
        return tuple(like(new, old) for new, old in zip(got, like_w, strict=False))

    define_op(name, attrs=attrs, infer=infer, reference=reference)

    expected = slots + 3 + len(scalars)

    def split_dense(args: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...], tuple[Any, ...]]:
        given = args[:-1] if attrs is not None else args
        assert len(given) in (expected, expected + 1), f"{name}_dense takes {expected} inputs, and perhaps a decay"
        return given[: slots + 1], given[slots + 1 : slots + 3], given[slots + 3 :]

    def infer_dense(*args: TensorType | Attrs) -> Any:
        like_w, factors, numbers = split_dense(args)
        w: TensorType = like_w[0]
        x, dy = factors
        require_floats(f"{name}_dense", *like_w, *factors, *numbers)
        require_rank(f"{name}_dense", "x", x, 2, "(rows, M)")
        require_rank(f"{name}_dense", "dy", dy, 2, "(rows, N)")
        for t in like_w:
            require_shape(f"{name}_dense", "slot", t, w.shape)
        for what, t in zip((*scalars, "decay"), numbers):
            require_shape(f"{name}_dense", what, t, ())
        m, n = x.shape[1], dy.shape[1]
        if x.shape[0] != dy.shape[0] or w.shape[-1:] != (n,) or product(w.shape[:-1]) != m:
            raise ShapeError(
                f"{name}_dense: received w.shape={show(w.shape)}, x.shape={show(x.shape)}, dy.shape={show(dy.shape)}. "
                "Expected w (..., N) of M rows, x (rows, M), dy (rows, N). This is a fault of the planner."
            )
        return w if slots == 0 else like_w

    def reference_dense(*args: Any) -> Any:
        like_w, (x, dy), numbers = split_dense(args)
        rest = args[-1:] if attrs is not None else ()
        held = [wide(t) for t in like_w]
        if len(numbers) > len(scalars):
            held[0] = held[0] - held[0] * wide(numbers[-1])
        g = (wide(x).T @ wide(dy)).reshape(held[0].shape)
        got = rule(*held, g, *(wide(t) for t in numbers[: len(scalars)]), *rest)
        if slots == 0:
            return like(got, like_w[0])
        return tuple(like(new, old) for new, old in zip(got, like_w, strict=True))

    define_op(f"{name}_dense", attrs=attrs, infer=infer_dense, reference=reference_dense)
