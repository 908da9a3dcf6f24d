"""What every test stands on: random tests that repeat themselves exactly, and the native engine.

The interpreter never stands in for the engine in tests: without `striate.engine._native` nothing is collected. Only the
first build of a checkout, before there is an engine, sets STRIATE_TEST_WITHOUT_NATIVE=1.
"""

from __future__ import annotations

import importlib.util
import os
import signal

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "striate",
    derandomize=True,  # the same examples on every machine: a red build can be had again at one's desk
    deadline=None,
    max_examples=30,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
# Many more examples, drawn anew each time: `pytest --hypothesis-profile=search`; a failure prints how to replay it.
settings.register_profile("search", settings.get_profile("striate"), derandomize=False, max_examples=1000)
settings.load_profile("striate")

os.environ.setdefault("STRIATE_VERIFY", "1")  # every graph is verified after every pass

WITHOUT_NATIVE = "STRIATE_TEST_WITHOUT_NATIVE"


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell's background job ignores Ctrl-C and its children inherit that: tests of Ctrl-C would wait for ever.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if os.environ.get(WITHOUT_NATIVE) == "1":
        config.addinivalue_line("filterwarnings", "ignore:Striate's native engine is not there:RuntimeWarning")


def pytest_collection(session: pytest.Session) -> None:
    if importlib.util.find_spec("striate.engine._native") is None and os.environ.get(WITHOUT_NATIVE) != "1":
        raise pytest.UsageError(
            "striate.engine._native is missing: the C++ engine is not built, and the interpreter never stands in for "
            "it in tests. Build it (make build, or python3 tools/dev.py build). To test what needs no engine, set "
            f"{WITHOUT_NATIVE}=1."
        )
