"""Short in `make test`, long in `make check-full`, which sets STRIATE_LONG=1."""

from __future__ import annotations

import os

LONG = os.environ.get("STRIATE_LONG") == "1"


def rounds(short: int, long: int) -> int:
    """How often to do something: `long` times in `make check-full`."""
    return long if LONG else short
