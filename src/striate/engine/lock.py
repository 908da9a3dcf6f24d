"""The lock of all Variables: any number of runs that only read (SHARED), or one that writes (EXCLUSIVE).

    with EXCLUSIVE:
        ...

The engine's own (csrc/engine/state_lock.h) hands turns over, so that a training loop does not starve a predict; it is
let go even where Ctrl-C comes between two instructions; a fork waits for the step in progress, so that the child finds
the state of a step's end. Not reentrant.
"""

from __future__ import annotations

import os
import threading
from contextlib import AbstractContextManager
from typing import Any
from weakref import ref

from striate.engine import native

SHARED: AbstractContextManager[Any]
EXCLUSIVE: AbstractContextManager[Any]
if native.HAVE_NATIVE:
    _state = native.state_lock()
    SHARED, EXCLUSIVE = _state.shared, _state.exclusive
else:  # pragma: no cover - the tests need the extension
    _alone = threading.Lock()  # programs run in Python, one at a time anyway
    SHARED = EXCLUSIVE = _alone
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_alone.acquire, after_in_parent=_alone.release, after_in_child=_alone.release)

_renewed: list[tuple[ref[Any], str]] = []


def renew_after_fork(owner: Any, name: str) -> None:
    """Give a forked child a free lock in `owner.name`: the thread that held the one it inherits does not exist there.

    For a `threading.Lock` or `RLock` over stretches after any part of which what it guards is of use.
    """
    _renewed.append((ref(owner), name))


def _renew() -> None:
    for owner, name in _renewed:
        held = getattr(owner(), name, None)
        if held is not None and not getattr(held, "_is_owned", bool)():  # not one of the thread that forks
            setattr(owner(), name, threading.Lock() if isinstance(held, type(threading.Lock())) else threading.RLock())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
