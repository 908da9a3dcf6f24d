"""The three parts that a saved model has, as members of a `.keras` archive or as files of a folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
Content = bytes | memoryview


@dataclass(frozen=True)
class Archive:
    """The three parts, checked against the limits."""

    metadata: dict[str, Any]
    config: dict[str, Any]
    weights: bytes
