"""Initializers that papers on convolutional networks describe and Keras lacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.initializers.base import Array, Initializer, as_dtype
from striate.initializers.draws import RandomInitializer
from striate.initializers.scaled import compute_fans
from striate.random import SeedGenerator, host


@export("initializers.FanInUniform")
class FanInUniform(RandomInitializer):
    """Uniform in +-limit / fan_in, where fan_in is the number of inputs of the unit that a weight belongs to.

    Not in Keras, whose initializers divide by the root of fan_in. Source: LeCun, Bottou, Bengio and Haffner 1998,
    section II.B: "within 2.4 / F", which keeps a squashing unit with many inputs out of its saturation.

    Args:
        limit: positive number.
        fan_in: the number of inputs where the weight's shape does not tell it (a bias), or one for each element of the
            weight's last axis; None takes it from the shape, as all of Keras's initializers do.
        seed: integer, SeedGenerator or None.

    Raises:
        ValueError: a limit or a fan_in that is not positive; fan_ins that do not fit the last axis.

    Example:
        >>> float(abs(FanInUniform(2.4, seed=1)((5, 5, 6, 16))).max()) <= 2.4 / 150
        True
    """

    _config_if_set = ("fan_in",)

    def __init__(self, limit: float = 2.4, fan_in: Any = None, seed: int | SeedGenerator | None = None) -> None:
        super().__init__(seed)
        if not limit > 0:
            raise ArgumentError(f"`limit` must be positive. Received: limit={limit}. Give e.g. limit=2.4.")
        if fan_in is not None and not np.all(np.asarray(fan_in) > 0):
            raise ArgumentError(f"`fan_in` counts inputs: it must be positive. Received: fan_in={fan_in}.")
        self.limit = limit
        self.fan_in = list(fan_in) if isinstance(fan_in, list | tuple) else fan_in

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Array:
        shape = tuple(shape)
        if isinstance(self.fan_in, list) and (not shape or len(self.fan_in) != shape[-1]):
            raise ShapeError(
                f"`fan_in` has a number for each element of the weight's last axis. Received: {len(self.fan_in)} "
                f"numbers for a weight of shape {shape}."
            )
        fan_in = compute_fans(shape)[0] if self.fan_in is None else np.asarray(self.fan_in, "float32")
        limit = np.float32(self.limit) / fan_in
        return as_dtype((host.uniform(self._state(), shape) * 2 - 1) * limit, dtype)


#: Twelve rows of seven pixels a digit, drawn by hand in the manner of the paper's figure 3: the digit stands on the
#: tenth row, the two below it are where other characters have their tails.
_DIGITS = (
    ("       ", "  ###  ", " #   # ", "#     #", "#     #", "#     #", "#     #", "#     #", " #   # ", "  ###  ",
     "       ", "       "),
    ("       ", "   #   ", "  ##   ", " # #   ", "   #   ", "   #   ", "   #   ", "   #   ", "   #   ", " ##### ",
     "       ", "       "),
    ("       ", " ##### ", "#     #", "      #", "     # ", "   ##  ", "  #    ", " #     ", "#      ", "#######",
     "       ", "       "),
    ("       ", "###### ", "      #", "      #", "      #", "  #### ", "      #", "      #", "      #", "###### ",
     "       ", "       "),
    ("       ", "    ## ", "   # # ", "  #  # ", " #   # ", "#    # ", "#######", "     # ", "     # ", "     # ",
     "       ", "       "),
    ("       ", "#######", "#      ", "#      ", "#      ", "###### ", "      #", "      #", "#     #", " ##### ",
     "       ", "       "),
    ("       ", "  #### ", " #     ", "#      ", "#      ", "###### ", "#     #", "#     #", "#     #", " ##### ",
     "       ", "       "),
    ("       ", "#######", "#     #", "      #", "     # ", "    #  ", "   #   ", "  #    ", "  #    ", "  #    ",
     "       ", "       "),
    ("       ", " ##### ", "#     #", "#     #", "#     #", " ##### ", "#     #", "#     #", "#     #", " ##### ",
     "       ", "       "),
    ("       ", " ##### ", "#     #", "#     #", "#     #", " ######", "      #", "      #", "     # ", " ####  ",
     "       ", "       "),
)  # fmt: skip


@export("initializers.DigitCodes")
class DigitCodes(Initializer):
    """Column d is a picture of the digit d, 7 pixels wide and 12 high, row by row: +1 for ink, -1 for paper.

    Not in Keras. The targets of LeNet-5's 84 last hidden units: +-1 are where the scaled tanh bends most, so a unit
    that reaches its target is not saturated, and digits that look alike have codes that are alike. The pictures are our
    own drawing after figure 3 of the paper.

    Source: LeCun, Bottou, Bengio and Haffner 1998, section II.B.

    Raises:
        ValueError: another shape than (84, 10).

    Example:
        >>> code = DigitCodes()((84, 10))[:, 7].reshape(12, 7)
        >>> print("".join("#" if pixel > 0 else "." for pixel in code[1]))
        #######
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Array:
        if tuple(shape) != (84, 10):
            raise ShapeError(
                f"There are codes of 84 numbers for 10 digits: the weight has the shape (84, 10). Received: "
                f"shape={tuple(shape)}. Use another initializer for this weight."
            )
        codes = [[1.0 if pixel == "#" else -1.0 for row in digit for pixel in row] for digit in _DIGITS]
        return as_dtype(np.transpose(codes), dtype)
