"""Fuzzes one reader for a while: python -m tests.fuzz.run NAME --seconds 10

First every file of the corpus is read, and then damaged ones, drawn by hypothesis in rounds of 100: round k is always
the same, so that --round k repeats it. The process ends with 1 where anything came out but a model or a clean error,
where a file took over 5 s or much memory, and where reading opened, imported or ran anything. What hypothesis found,
made as small as it could, is kept in `.fuzz/`: put it into the corpus with the mend.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import resource
import sys
import time
import warnings
from pathlib import Path

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import striate
from striate.backend import config_limits
from striate.models import model as model_module
from tests.fuzz.targets import TARGETS, Target, corpus
from tests.saving.files import watched

FOUND = Path(__file__).resolve().parents[2] / ".fuzz"
#: of the processor's time that a file of a few kB may take.
MAX_SECONDS = 5.0
#: by which the process may grow, in MB: an archive may unpack to 64, and weights take 16.
MAX_GROWTH = 256
#: what a config that no file of weights stands behind may take: drawing more would be what takes the time here.
MEMORY = 2 << 20


def warm_up() -> None:
    """Import what reading may need, so that anything imported later is news."""
    for namespace in ("layers", "initializers", "regularizers", "constraints", "optimizers", "losses", "metrics"):
        for name in dir(getattr(striate, namespace)):
            getattr(getattr(striate, namespace), name)
    for name in ("striate.ops", "striate.random", "ml_dtypes", "encodings.ascii", "encodings.utf_16", "bz2", "lzma"):
        __import__(name)


def grown() -> float:
    """The most memory that the process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def read(target: Target, content: bytes) -> None:
    """Read one file.

    Raises:
        Exception: whatever should not have happened.
    """
    begin = time.process_time()
    with watched(Path("nothing")):
        try:
            target.read(content)
        except target.allowed as error:
            assert 10 < len(str(error)) < 6000, f"an error is read by people: {str(error)[:200]!r}"
    spent = time.process_time() - begin
    assert spent < MAX_SECONDS, f"{spent:.1f} s for {len(content)} bytes"


def one_round(name: str, number: int, limit: float) -> None:
    target, seeds = TARGETS[name], [path.read_bytes() for path in corpus(name)]
    last: list[bytes] = [b""]

    @hypothesis.seed(number)
    @settings(
        max_examples=100, database=None, deadline=None, suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink), print_blob=False, derandomize=False,
    )  # fmt: skip
    @given(data=st.data())
    def test(data: st.DataObject) -> None:
        content = seeds[data.draw(st.integers(0, len(seeds) - 1))]
        last[0] = target.change(data.draw, content)
        read(target, last[0])
        assert grown() < limit, f"the process has grown to {grown():.0f} MB"

    try:
        test()
    except BaseException:
        FOUND.mkdir(exist_ok=True)
        kept = FOUND / f"{name}-{hashlib.sha256(last[0]).hexdigest()[:12]}"
        kept.write_bytes(last[0])
        print(f"found in round {number}, kept as {kept}; again: python -m tests.fuzz.run {name} --round {number}")
        raise


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("name", choices=TARGETS)
    parser.add_argument("--seconds", type=float, default=10.0, help="of the processor's time")
    parser.add_argument("--round", type=int, help="this round alone")
    parser.add_argument("--file", type=Path, help="this file alone")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    config_limits.machine_memory = model_module.machine_memory = lambda: MEMORY  # type: ignore[attr-defined]
    warm_up()
    target = TARGETS[asked.name]
    for path in [asked.file] if asked.file else corpus(asked.name):
        with contextlib.suppress(*target.allowed):
            target.read(path.read_bytes())  # once unwatched, for what only reading imports
        read(target, path.read_bytes())
    limit = grown() + MAX_GROWTH
    begin, done = time.process_time(), 0
    while not asked.file and time.process_time() - begin < asked.seconds:
        one_round(asked.name, done if asked.round is None else asked.round, limit)
        done += 1
        if asked.round is not None:
            break
    print(f"{asked.name}: {done} rounds of 100 files, {grown():.0f} MB at most")
    return 0


if __name__ == "__main__":
    sys.exit(main())
