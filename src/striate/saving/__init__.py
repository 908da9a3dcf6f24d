"""Models as files: Keras's `.keras` archives and weight files, written whole or not at all, read without trust."""

from __future__ import annotations

from striate.core.namespace import lazy_names

__getattr__, __dir__ = lazy_names(__name__)
