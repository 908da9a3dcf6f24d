"""The named data sets: `striate.datasets.fashion_mnist.load_data()` and the like."""

from __future__ import annotations

from striate.core.namespace import lazy_names

__getattr__, __dir__ = lazy_names(__name__)
