"""Striate: convolutional neural networks with the Keras 3 API and Keras's files, on an engine of its own.

    import striate as keras
    model = keras.models.Sequential([keras.layers.Conv2D(32, 3, activation="relu"), ...])

Names are resolved when first used (PEP 562), so that the import itself costs milliseconds.
"""

from __future__ import annotations

from striate.core.namespace import lazy_names

__version__ = "0.1.0"

__getattr__, __dir__ = lazy_names(__name__)
