"""The suite does not run without the engine it tests."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from tests import conftest


def test_without_the_engine_nothing_is_collected(monkeypatch: pytest.MonkeyPatch, request: Any) -> None:
    monkeypatch.delenv(conftest.WITHOUT_NATIVE, raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(pytest.UsageError, match=r"_native is missing.* Build it .*STRIATE_TEST_WITHOUT_NATIVE=1"):
        conftest.pytest_collection(request.session)
    monkeypatch.setenv(conftest.WITHOUT_NATIVE, "1")
    conftest.pytest_collection(request.session)
