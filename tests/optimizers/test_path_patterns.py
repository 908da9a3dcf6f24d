"""Patterns of paths mean what they mean to `re`, and take no time, whoever wrote them."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.optimizers.path_patterns import understand

ATOMS = ["a", "b", "/", ".", r"\w", r"\.", "[ab]", "[^a-c]", "(a|b)", "(?:ab|/)", "(a|b?)", "(?:)"]
patterns = st.lists(
    st.tuples(st.sampled_from(ATOMS), st.sampled_from(["", "*", "+", "?"])).map("".join), max_size=5
).flatmap(lambda items: st.sampled_from(["".join(items), "|".join(items), "^" + "".join(items) + "$"]))


@given(patterns, st.text("abc/.\n", max_size=7))
def test_what_is_understood_is_what_re_says(pattern, text):
    fits = understand(pattern)
    assert fits is not None
    # re's $ also stands before a line's end at the end of the text, where fullmatch has no use for it.
    assert fits(text) == bool(re.fullmatch(pattern, text))


@pytest.mark.parametrize(
    "pattern",
    [
        r"((ab)+c)+", r"((a|b)*c)*", r"(a)\1", r"a{3}", r"(?=a)b", r"(?i)a", r"a*?", r"a++", r"\bconv", r"\Z", "[",
        "[[a]", "(", ")", "*a", "a\\", "[a-]", "^*",
    ],
)  # fmt: skip
def test_what_is_not(pattern):
    assert understand(pattern) is None


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+b", "(a|a)*b", "a?" * 60 + "a" * 60, ".*.*.*.*.*.*.*.*b", "(a|aa|aaa)+b", "(.*/)?(" + "a|" * 900 + "b)/.*"],
)
def test_what_takes_re_very_long_takes_no_time(pattern):
    fits = understand(pattern)
    began = time.process_time()
    assert fits is not None and not fits("a" * 300 + "c")
    assert time.process_time() - began < 1.0  # tens of milliseconds; re would take years for the first


def test_deep_nesting_is_not_understood_but_no_failure():
    assert understand("(" * 5000 + "a" + ")" * 5000) is None
