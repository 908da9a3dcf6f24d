"""Keras's `ops.linalg`: the functions of matrices again, found when first used."""

from __future__ import annotations

from striate.core.namespace import lazy_names

__getattr__, __dir__ = lazy_names(__name__)
