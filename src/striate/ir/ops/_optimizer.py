"""What the optimizer updates share: slots and gradient have the variable's type, lr and step are scalars."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from striate.ir.attrs import Attrs
from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import require_floats, require_shape
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
