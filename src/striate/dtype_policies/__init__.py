"""Keras's `dtype_policies`: names from other places in Striate, found when first used."""

from __future__ import annotations

from striate.core.namespace import lazy_names

__getattr__, __dir__ = lazy_names(__name__)
