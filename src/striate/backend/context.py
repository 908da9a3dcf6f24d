"""What is going on in this thread: which trace is open, which layer is being called, under which names."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from striate.compiler.trace import Trace


class CallContext:
    """Of the outermost layer call in progress: whether it trains, and which layer was entered first."""

    def __init__(self, entry_layer: Any) -> None:
        self.entry_layer = entry_layer
        self.training: bool | None = None


class Toggles:
    """Counts the changes of `trainable` of layers and Variables, anywhere: traces of before are out of date."""

    count = 0
    #: changes of other arguments of built layers (an activation, a rate)
    arguments = 0


class _State(threading.local):
    def __init__(self) -> None:
        self.traces: list[Trace | None] = []
        self.spec_depth = 0
        self.example_batch: int | None = None
        self.call: CallContext | None = None
        self.autocast: str | None = None
        self.names: list[str] = []


STATE = _State()


def current_trace() -> Trace | None:
    """The open trace of this thread, or None."""
    return STATE.traces[-1] if STATE.traces else None


def in_trace() -> bool:
    return current_trace() is not None


@contextmanager
def tracing(trace: Trace | None) -> Iterator[None]:
    """Ops go into `trace`; with None, they run at once (weights are made so in the middle of a trace)."""
    STATE.traces.append(trace)
    depth, STATE.spec_depth = STATE.spec_depth, 0
    try:
        yield
    finally:
        STATE.traces.pop()
        STATE.spec_depth = depth


@contextmanager
def spec_scope() -> Iterator[None]:
    """Only shapes and dtypes are computed: Variables are not read and not written."""
    STATE.spec_depth += 1
    try:
        yield
    finally:
        STATE.spec_depth -= 1


def in_spec_scope() -> bool:
    return STATE.spec_depth > 0


def in_a_call() -> bool:
    """Whether a layer is being called, or something traced or inferred, around this."""
    return STATE.call is not None or STATE.spec_depth > 0 or in_trace()


@contextmanager
def example_batch(length: int) -> Iterator[None]:
    """Inside, a first axis of this length stands for an open one."""
    outer, STATE.example_batch = STATE.example_batch, length
    try:
        yield
    finally:
        STATE.example_batch = outer


def open_batch(shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """The shape with the example's length of the batch, if there is one, open again."""
    is_example = STATE.example_batch is not None and shape[:1] == (STATE.example_batch,)
    return (None, *shape[1:]) if is_example else shape


def call_context() -> CallContext | None:
    """The outermost layer call in progress in this thread, or None."""
    return STATE.call


@contextmanager
def calling(layer: Any) -> Iterator[CallContext]:
    """Enter a layer's call; nested calls share the outermost one's context."""
    outer = STATE.call
    if outer is None:
        STATE.call = CallContext(layer)
    try:
        assert STATE.call is not None
        yield STATE.call
    finally:
        STATE.call = outer


@contextmanager
def name_scope(name: str) -> Iterator[None]:
    """Variables made inside have `name/` in their path."""
    STATE.names.append(name)
    try:
        yield
    finally:
        STATE.names.pop()


def current_path() -> str:
    return "/".join(STATE.names)
