"""Regular expressions for paths whose matching takes no time to speak of, whoever wrote them.

Python's `re` tries one way after another, which for some patterns takes longer than anyone waits; a model file may hold
any pattern. Here all ways are followed at once, as sets of places in the text, so the time is bounded by the product of
both lengths (and once more the text's, where a group is repeated). What is understood is what paths need:

    letters . \\. \\w \\d \\s [abc] [^a-z] ^ $    a|b  (a|b)  (?:a|b)    and * + ? behind any of them

A repeated group within a repeated group is not. What is understood means what it means to `re.fullmatch`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

#: From places in a text that were reached to places that are reached after this part of the pattern.
Part = Callable[[str, frozenset[int]], frozenset[int]]

_CLASS = re.compile(r"\[\^?[\w./ -]*[\w./ ]\]")


def _one(fits: Callable[[str], object]) -> Part:
    return lambda text, places: frozenset(p + 1 for p in places if p < len(text) and fits(text[p]))


def _either(parts: list[Part]) -> Part:
    return lambda text, places: frozenset().union(*(part(text, places) for part in parts))


def _then(parts: list[Part]) -> Part:
    def follow(text: str, places: frozenset[int]) -> frozenset[int]:
        for part in parts:
            if not places:
                break
            places = part(text, places)
        return places

    return follow


def _again_and_again(part: Part) -> Part:
    def follow(text: str, places: frozenset[int]) -> frozenset[int]:
        reached = new = places
        while new:
            new = part(text, new) - reached
            reached |= new
        return reached

    return follow


def _repeated(part: Part, sign: str) -> Part:
    if sign == "?":
        return lambda text, places: places | part(text, places)
    return _again_and_again(part) if sign == "*" else _then([part, _again_and_again(part)])


class _NotUnderstood(Exception):
    pass


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self.pattern, self.at = pattern, 0

    def peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def alternatives(self, within: bool) -> tuple[Part, bool]:
        """Sequences between bars, and whether a group is repeated somewhere in them."""
        found, repeats = [self.sequence(within)], False
        while self.peek() == "|":
            self.at += 1
            found.append(self.sequence(within))
        repeats = any(r for _, r in found)
        return _either([part for part, _ in found]), repeats

    def sequence(self, within: bool) -> tuple[Part, bool]:
        parts: list[Part] = []
        repeats = False
        while self.peek() not in ("", "|") and not (within and self.peek() == ")"):
            group = self.peek() == "("
            part, inner = self.group() if group else (self.single(), False)
            sign = self.peek()
            if sign and sign in "*+?":
                self.at += 1
                if self.peek() and self.peek() in "*+?{":
                    raise _NotUnderstood
                if inner and sign != "?":
                    raise _NotUnderstood
                part, inner = _repeated(part, sign), inner or (group and sign != "?")
            parts.append(part)
            repeats |= inner
        return _then(parts), repeats

    def group(self) -> tuple[Part, bool]:
        self.at += 3 if self.pattern.startswith("(?:", self.at) else 1
        if self.peek() == "?":
            raise _NotUnderstood
        part, repeats = self.alternatives(within=True)
        if self.peek() != ")":
            raise _NotUnderstood
        self.at += 1
        return part, repeats

    def single(self) -> Part:
        sign = self.peek()
        if sign == "[":
            found = _CLASS.match(self.pattern, self.at)
            if found is None:
                raise _NotUnderstood
            self.at = found.end()
            return _one(re.compile(found[0]).fullmatch)
        if sign == "\\":
            escaped = self.pattern[self.at : self.at + 2]
            if len(escaped) < 2 or (escaped[1].isalnum() and escaped[1] not in "wdsWDS") or escaped[1] == "_":
                raise _NotUnderstood
            self.at += 2
            return _one(re.compile(escaped).fullmatch)
        self.at += 1
        if sign in ("^", "$"):
            if self.peek() and self.peek() in "*+?{":
                raise _NotUnderstood
            at_start = sign == "^"
            return lambda text, places: places & {0 if at_start else len(text)}
        if sign in "*+?{})]":
            raise _NotUnderstood
        return _one(re.compile(".").fullmatch) if sign == "." else _one(lambda character: character == sign)


def understand(pattern: str) -> Callable[[str], bool] | None:
    """Whether a text is what a pattern says, as a function of the text; None for a pattern beyond what is understood.

    Example:
        >>> fits = understand("(.*/)?conv[12]/.*")
        >>> [fits(path) for path in ("conv1/kernel", "base/conv2/bias", "conv3/kernel")]
        [True, True, False]
    """
    reader = _Reader(pattern)
    try:
        part, _ = reader.alternatives(within=False)
    except (_NotUnderstood, RecursionError):
        return None
    return lambda text: len(text) in part(text, frozenset({0}))
