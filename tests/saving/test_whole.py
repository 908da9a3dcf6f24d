"""A save that is killed, or fails, leaves the old file whole, and nothing that is in a later one's way."""

from __future__ import annotations

import errno
import os
import random
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers
from striate.core.files import write_atomically

ENDINGS = (".keras", ".weights.h5")
posix = pytest.mark.skipif(os.name != "posix", reason="signals and limits are POSIX's")
linux = pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="files without a name are Linux's")


def model_of(value: float, units: int = 3) -> Any:
    model = keras.Sequential([keras.Input((4,), name="x"), layers.Dense(units)])
    model.layers[0].kernel.assign(np.full((4, units), value, "float32"))
    return model


def save(model: Any, path: Path) -> None:
    model.save(path) if path.name.endswith(".keras") else model.save_weights(path)


def value_in(path: Path, units: int = 3) -> float:
    """The one number that all weights of a whole file have."""
    if path.name.endswith(".keras"):
        model = keras.models.load_model(path)
    else:
        model = model_of(-1.0, units)
        model.load_weights(path)
    found = np.unique(model.get_weights()[0])
    assert len(found) == 1, "weights of two saves in one file"
    return float(found[0])


SAVER = """
import sys
from pathlib import Path
from tests.saving.test_whole import model_of, save
path, value = Path(sys.argv[1]), 0.0
model = model_of(value, 50_000)
save(model, path)
print("ready", flush=True)
while True:
    value += 1
    model.layers[0].kernel.assign(model.layers[0].kernel * 0 + value)
    save(model, path)
"""


@posix
@pytest.mark.parametrize("ending", ENDINGS)
def test_killed_at_any_moment(tmp_path: Path, ending: str) -> None:
    """A process that does nothing but save is killed (kill -9) at eight moments; each time a whole file is there."""
    path = tmp_path / f"model{ending}"
    moments = random.Random(5)
    for _ in range(8):
        saver = subprocess.Popen([sys.executable, "-c", SAVER, str(path)], stdout=subprocess.PIPE, cwd=os.getcwd())
        assert saver.stdout is not None
        try:
            assert saver.stdout.readline() == b"ready\n"
            time.sleep(moments.uniform(0, 0.1))
        finally:
            saver.send_signal(signal.SIGKILL)
            saver.wait()
            saver.stdout.close()
        assert value_in(path, 50_000) >= 0
    save(model_of(7.0), path)
    assert value_in(path) == 7.0


@linux
def test_killed_while_writing_leaves_nothing(tmp_path: Path) -> None:
    """Until a file is complete it has no name, where the file system can do that."""
    try:
        os.close(os.open(tmp_path, os.O_TMPFILE | os.O_RDWR))
    except OSError:
        pytest.skip("this file system has no files without a name")
    path = tmp_path / "model.keras"
    save(model_of(1.0), path)
    code = (
        "import os, signal, sys\n"
        "from striate.core.files import write_atomically\n"
        "def content(file):\n"
        "    file.write(bytes(1 << 20)); file.flush()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_atomically(sys.argv[1], content)\n"
    )
    died = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert died.returncode == -signal.SIGKILL
    assert [p.name for p in tmp_path.iterdir()] == ["model.keras"]
    assert value_in(path) == 1.0


def no_nameless_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)


def test_what_a_killed_save_left_is_in_nobodys_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where files have names from the start, parts of them may stay behind: later saves and loads do not mind."""
    no_nameless_files(monkeypatch)
    path = tmp_path / "model.keras"
    (tmp_path / ".model.keras.0123").write_bytes(b"half a file")
    for value in (1.0, 2.0):
        save(model_of(value), path)
        assert value_in(path) == value
    assert sorted(p.name for p in tmp_path.iterdir()) == [".model.keras.0123", "model.keras"]


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Inside, the system refuses to let a file grow beyond `size`: a disk that is full."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@posix
@pytest.mark.parametrize("nameless", [True, False])
@pytest.mark.parametrize("size", [0, 100, 5000, 100_000])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_full_disk(tmp_path: Path, ending: str, size: int, nameless: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not nameless:
        no_nameless_files(monkeypatch)
    path, new = tmp_path / f"model{ending}", tmp_path / f"new{ending}"
    save(model_of(1.0), path)
    big = model_of(2.0, 10_000)
    for target, says in ((path, "What was there before is unchanged"), (new, "Nothing was written")):
        with largest_file(size), pytest.raises(OSError, match=f"could not be saved. {says}") as raised:
            save(big, target)
        assert raised.value.errno == errno.EFBIG
        assert raised.value.filename == str(target)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert value_in(path) == 1.0
    save(big, path)
    assert value_in(path, 10_000) == 2.0


class Unwilling(layers.Layer):
    """A layer whose config or state cannot be had."""

    what = "get_config"

    def call(self, x: Any) -> Any:
        return x

    def get_config(self) -> dict[str, Any]:
        if self.what == "get_config":
            raise RuntimeError("no config today")
        return super().get_config()

    def save_own_variables(self, store: Any) -> None:
        if self.what == "save_own_variables":
            raise RuntimeError("no state today")


@pytest.mark.parametrize("nameless", [True, False])
@pytest.mark.parametrize("what", ["get_config", "save_own_variables"])
def test_code_of_the_users_that_fails(
    tmp_path: Path, what: str, nameless: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not nameless:
        no_nameless_files(monkeypatch)
    monkeypatch.setattr(Unwilling, "what", what)
    bad = keras.Sequential([keras.Input((4,)), Unwilling()])
    for ending in ENDINGS:
        path = tmp_path / f"model{ending}"
        save(model_of(1.0), path)
        if ending == ".keras" or what == "save_own_variables":
            with pytest.raises(RuntimeError, match="today"):
                save(bad, path)
            assert value_in(path) == 1.0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.keras", "model.weights.h5"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_places_that_cannot_be_written(tmp_path: Path, ending: str) -> None:
    model = model_of(1.0)
    (tmp_path / f"folder{ending}").mkdir()
    with pytest.raises(IsADirectoryError, match="There is a folder of this name, so it could not be saved"):
        save(model, tmp_path / f"folder{ending}")
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(OSError, match=r"could not be saved\. Nothing was written"):
        save(model, tmp_path / "file" / f"model{ending}")
    with pytest.raises(OSError, match="too long"):
        save(model, tmp_path / ("n" * 300 + ending))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", f"folder{ending}"]


@posix
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_folder_without_the_right_to_write(tmp_path: Path, ending: str) -> None:
    """As another user, where the tests run as root, to whom everything is allowed."""
    folder = tmp_path / "shut"
    folder.mkdir()
    path = folder / f"model{ending}"
    save(model_of(1.0), path)
    save(model_of(1.0), tmp_path / f"warm{ending}")
    folder.chmod(0o555)
    root = os.geteuid() == 0
    for above in (tmp_path, *tmp_path.parents):
        if root and above != Path("/") and "pytest" in str(above):
            above.chmod(0o755)
    if root:
        os.seteuid(65534)
    try:
        with pytest.raises(PermissionError, match="Permission denied, so it could not be saved"):
            save(model_of(2.0), path)
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)
    assert [p.name for p in folder.iterdir()] == [path.name]
    assert value_in(path) == 1.0


def test_names_as_long_as_they_may_be(tmp_path: Path) -> None:
    for name in ("n" * 249 + ".keras", "é" * 124 + ".keras"):
        save(model_of(3.0), tmp_path / name)
        assert value_in(tmp_path / name) == 3.0


@posix
@pytest.mark.parametrize("nameless", [True, False])
def test_rights_of_the_file(tmp_path: Path, nameless: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new file has what the umask allows, one that is replaced keeps its own; while it is written nobody reads it."""
    if not nameless:
        no_nameless_files(monkeypatch)
    path = tmp_path / "x"

    def rights() -> int:
        return stat.S_IMODE(path.stat().st_mode)

    before = os.umask(0o027)
    try:
        write_atomically(path, b"1")
        assert rights() == 0o640
        path.chmod(0o604)
        seen: list[int] = []
        write_atomically(path, lambda file: seen.append(stat.S_IMODE(os.fstat(file.fileno()).st_mode)))
        assert seen == [0o600]
        assert rights() == 0o604
        assert os.umask(0o027) == 0o027, "the process's umask is not touched, which other threads use"
    finally:
        os.umask(before)


@posix
def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "model.keras").symlink_to(tmp_path / "there" / "real.keras")
    for value in (1.0, 2.0):
        save(model_of(value), tmp_path / "model.keras")
        assert (tmp_path / "model.keras").is_symlink()
        assert value_in(tmp_path / "there" / "real.keras") == value


@pytest.mark.parametrize("nameless", [True, False])
@pytest.mark.parametrize("content", [b"", b"bytes", memoryview(b"view"), lambda file: file.write(b"written")])
def test_content(
    tmp_path: Path, content: bytes | Callable[[Any], Any], nameless: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not nameless:
        no_nameless_files(monkeypatch)
    write_atomically(tmp_path / "new" / "x", content)
    assert (tmp_path / "new" / "x").read_bytes() == (b"written" if callable(content) else bytes(content))
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["x"]
