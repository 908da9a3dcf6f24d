"""Where Striate keeps what can be had again: downloads, and what was measured on this machine."""

from __future__ import annotations

import os
from pathlib import Path


def cache_home() -> Path:
    """$STRIATE_HOME, else $XDG_CACHE_HOME/striate, else ~/.cache/striate."""
    home = os.environ.get("STRIATE_HOME")
    if home:
        return Path(home)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "striate"
