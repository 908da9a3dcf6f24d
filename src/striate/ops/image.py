"""Keras's `ops.image`: functions of images, found when first used."""

from __future__ import annotations

from striate.core.namespace import lazy_names

__getattr__, __dir__ = lazy_names(__name__)
