"""Choices that were measured, kept in a file for each machine.

    $STRIATE_HOME/tune/KEY.json, else ~/.cache/striate/tune/KEY.json      KEY: CPU, instruction set, engine

Choices may change bits, so the first one stands: two processes that measure the same step at once agree on the one
that was written first. Files are replaced whole, under a lock, and hold what machine they are of. One that is damaged
or of another machine is left out with a warning, and replaced when something is measured.
"""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from striate.core.files import write_atomically

FORMAT = 1
#: bytes that are read at most; a choice takes about 300
LIMIT = 16 << 20
_ABOUT = "Kernels measured by Striate on this machine (STRIATE_TUNE=1). Delete this file to have them measured anew."


@dataclass(frozen=True)
class Measured:
    """The kernel taken for a step, and what was measured.

    Args:
        taken: its name.
        seconds: of each kernel, the median; empty where memory did not suffice.
        batch: images, and
        threads: threads that it was measured with.
        busy: whether turns differed as they do where others use the machine.
    """

    taken: str
    seconds: dict[str, float]
    batch: int
    threads: int
    busy: bool


class Choices:
    """What was measured on one machine, by step.

    Args:
        folder: where the file is.
        machine: what a choice depends on beside the step; part of the file and of its name.
    """

    def __init__(self, folder: Path, machine: dict[str, str]) -> None:
        from hashlib import sha256

        key = sha256(json.dumps([FORMAT, machine], sort_keys=True).encode()).hexdigest()[:16]
        self.path = folder / f"{key}.json"
        self._machine = machine
        self._known: dict[str, Measured] = {}
        self._seen: tuple[int, int, int] | None = None
        self._told = False

    def get(self, step: str) -> Measured | None:
        """What is known of a step; None where it was never measured."""
        if step not in self._known:
            self._look()
        return self._known.get(step)

    def keep(self, step: str, measured: Measured) -> Measured:
        """The choice that stands from now on: this one, unless another process has made one since."""
        try:
            with self._locked():
                self._look()
                held = self._known.setdefault(step, measured)
                if held is measured:
                    write_atomically(self.path, self._encoded())
                    self._seen = self._stamp()
        except OSError as error:
            held = self._known.setdefault(step, measured)
            if not self._told:
                self._told = True
                warnings.warn(
                    f"Measured choices of kernels are kept for this process only: {error}. Let {self.path.parent} be "
                    "written, or point STRIATE_HOME to a folder that can.",
                    RuntimeWarning,
                    stacklevel=2,
                )
        return held

    def _encoded(self) -> bytes:
        choices = {step: asdict(m) for step, m in sorted(self._known.items())}
        whole = {"about": _ABOUT, "format": FORMAT, "machine": self._machine, "choices": choices}
        return json.dumps(whole, indent=1).encode()

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def _look(self) -> None:
        """Read the file where it is not the one read last. What this process has chosen stands."""
        stamp = self._stamp()
        if stamp is None or stamp == self._seen:
            return
        self._seen = stamp
        try:
            read = _decoded(self._content(), self._machine)
        except (OSError, ValueError) as error:
            warnings.warn(
                f"Left out {self.path}, the choices of kernels measured on this machine: {error}. They are measured "
                "anew and the file is replaced.",
                RuntimeWarning,
                stacklevel=2,
            )
            return
        self._known = read | self._known

    def _content(self) -> bytes:
        with open(self.path, "rb") as file:
            content = file.read(LIMIT + 1)
        if len(content) > LIMIT:
            raise ValueError(f"it is longer than {LIMIT} bytes")
        return content

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time, where the system and the folder have locks; files are whole without."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path.with_suffix(".lock"), "ab") as file:
            with suppress(ImportError, OSError):
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX)
            yield  # closing lets go


def _decoded(content: bytes, machine: dict[str, str]) -> dict[str, Measured]:
    """Its choices.

    Raises:
        ValueError: not what `Choices` writes, or of another machine.
    """
    try:
        whole = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON ({error})") from error
    if not isinstance(whole, dict) or whole.get("format") != FORMAT or not isinstance(whole.get("choices"), dict):
        raise ValueError(f"it is no file of choices in format {FORMAT}")
    if whole.get("machine") != machine:
        raise ValueError(f"it is of another machine, {whole.get('machine')}; this one is {machine}")
    return {step: _one(step, told) for step, told in whole["choices"].items()}


def _one(step: str, told: Any) -> Measured:
    if isinstance(told, dict) and told.keys() == {"taken", "seconds", "batch", "threads", "busy"}:
        seconds, counts = told["seconds"], (told["batch"], told["threads"])
        if (
            isinstance(told["taken"], str)
            and isinstance(told["busy"], bool)
            and isinstance(seconds, dict)
            and all(isinstance(s, float) and math.isfinite(s) and s >= 0 for s in seconds.values())
            and (not seconds or (told["taken"] in seconds and len(seconds) > 1))
            and all(type(n) is int and n > 0 for n in counts)
        ):
            return Measured(told["taken"], seconds, *counts, told["busy"])
    raise ValueError(f"the choice for {step!r} is damaged")
