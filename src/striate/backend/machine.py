"""Threads, convolution algorithms, measuring and what the engine knows of the machine: Striate's own settings."""

from __future__ import annotations

from typing import Any, Literal

from striate.compiler import settings
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.engine import native


@export("config.set_threads")
def set_threads(count: int) -> None:
    """Run programs on `count` threads; 0 goes back to the default (physical cores, capped by the cgroup's quota).

    Results do not depend on it: the same bits come out of 1, 2 or 16 threads.

    Raises:
        ValueError: not an integer from 0 to 1024.
    """
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= 1024:
        raise ArgumentError(f"set_threads() takes 1 to 1024, or 0 for the default. Received: {count!r}.")
    native.set_threads(count)


@export("config.threads")
def threads() -> int:
    """How many threads programs run on."""
    return native.threads()


@export("config.set_convolution")
def set_convolution(algorithm: Literal["auto", "direct"]) -> None:
    """Choose among the algorithms that convolutions may use.

    "auto" takes the fastest for each layer's shape: Winograd's F(4x4, 3x3) and F(4x4, 5x5) for most 3x3 and 5x5
    layers of 16 channels and more, which round about ten times (5x5: twenty to thirty times) as coarsely as the sum
    of products itself, and in which a NaN or an infinity reaches all outputs of its 4x4 tile. "direct" sums products
    as they stand. Programs are compiled anew for the other choice.

    Source: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2015.

    Raises:
        ValueError: neither "auto" nor "direct".

    Example:
        >>> import striate
        >>> striate.config.set_convolution("direct")
        >>> striate.config.convolution()
        'direct'
        >>> striate.config.set_convolution("auto")
    """
    if algorithm not in ("auto", "direct"):
        raise ArgumentError(f"set_convolution() takes 'auto' or 'direct'. Received: {algorithm!r}.")
    settings.set_convolution(algorithm)


@export("config.convolution")
def convolution() -> str:
    """What `set_convolution` was given last, "auto" at first."""
    return settings.convolution()


@export("config.set_tuning")
def set_tuning(on: bool) -> None:
    """Choose kernels by measuring them on this machine, once, instead of by the cost model; off at first.

    The environment variable STRIATE_TUNE=1 does the same without a change of the script. Where several kernels can
    run a step, each is timed when the step's program is made, and the choice is kept in `$STRIATE_HOME/tune`, else
    `~/.cache/striate/tune`, for the CPU, instruction set and engine. Another choice may be other bits, within the
    bounds of either kernel. In prediction it is one for all batches, and always one for all thread counts, so bits
    still depend on neither; they do depend on the file, which stands until it is deleted.

    Raises:
        ValueError: neither True nor False.

    Example:
        >>> import striate
        >>> striate.config.set_tuning(True)
        >>> striate.config.tuning()
        True
        >>> striate.config.set_tuning(False)
    """
    if not isinstance(on, bool):
        raise ArgumentError(f"set_tuning() takes True or False. Received: {on!r}.")
    settings.set_tuning(on)


@export("config.tuning")
def tuning() -> bool:
    """Whether kernels are measured: what `set_tuning` was given last, STRIATE_TUNE at first."""
    return settings.tuning()


@export("config.set_batch_invariant")
def set_batch_invariant(on: bool) -> None:
    """Whether `predict(x[:1])` has the bits of `predict(x)[:1]`; True at first.

    To that end, kernels of a prediction are chosen by what one image costs: filters that are transformed in each run,
    as those of `ops.conv` and of layers whose weights change, must pay for it with one image. With False the whole
    batch pays for them, as in training, and with `set_tuning` each batch size decides for itself. Bits then depend on
    the batch size, within the bounds of either kernel; with one batch size they are the same in every run.

    Raises:
        ValueError: neither True nor False.

    Example:
        >>> import striate
        >>> striate.config.set_batch_invariant(False)
        >>> striate.config.batch_invariant()
        False
        >>> striate.config.set_batch_invariant(True)
    """
    if not isinstance(on, bool):
        raise ArgumentError(f"set_batch_invariant() takes True or False. Received: {on!r}.")
    settings.set_batch_invariant(on)


@export("config.batch_invariant")
def batch_invariant() -> bool:
    """What `set_batch_invariant` was given last, True at first."""
    return settings.batch_invariant()


def engine_report() -> dict[str, Any]:
    """CPU, instruction set and why, cores, quota, threads, how kernels are chosen: for `striate doctor`."""
    how = "measured on this machine" if settings.tuning() else "by the cost model (STRIATE_TUNE=1 measures them)"
    return {**native.report(), "kernels_chosen": how}
