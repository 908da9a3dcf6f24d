"""Why a network said what it said: feature maps, filters, figures and reports."""

from __future__ import annotations

from striate.core.namespace import lazy_names

__getattr__, __dir__ = lazy_names(__name__)
