"""Graphs are verified after every pass here."""

from __future__ import annotations

import os

os.environ["STRIATE_VERIFY"] = "1"
