"""One constructor for the layers of one, two and three spatial axes, shown with the defaults of each.

`Conv1D`, `Conv2D` and `Conv3D` take the same arguments. Only what Keras shows as defaults differs (strides=1, (1, 1),
(1, 1, 1)), and means the same; so a family's base says `strides=1`, and a class of rank 2 is shown with (1, 1).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, ClassVar

from striate.layers.base import Layer


def _shown(init: Callable[..., None], defaults: dict[str, Any]) -> Callable[..., None]:
    signature = inspect.signature(init)
    parameters = [
        p.replace(default=defaults[p.name]) if p.name in defaults else p for p in signature.parameters.values()
    ]

    @functools.wraps(init)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)

    __init__.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return __init__


class Ranked(Layer):
    """Base of layers over `rank` spatial axes."""

    #: spatial axes; a class that sets it has its constructor's defaults shown for so many
    rank: ClassVar[int]
    #: arguments whose default, one int, is shown as a tuple where there are several axes
    _one_an_axis: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "rank" in vars(cls) and "__init__" not in vars(cls) and cls.rank > 1:
            own = inspect.signature(cls.__init__).parameters
            shown = {n: (own[n].default,) * cls.rank for n in cls._one_an_axis if own[n].default is not inspect._empty}
            cls.__init__ = _shown(cls.__init__, shown)  # type: ignore[method-assign]
