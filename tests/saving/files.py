"""Files for the tests of reading and writing, and what is watched while they are read."""

from __future__ import annotations

import io
import json
import sys
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import striate as keras
from striate import layers
from striate.core.errors import LoadError

MEMBERS = ("metadata.json", "config.json", "model.weights.h5")


def small(compiled: bool = True) -> Any:
    """A model of 23 weights, trained for a step."""
    model = keras.Sequential([keras.Input((4,), name="x"), layers.Dense(3, activation="relu"), layers.Dense(2)])
    if compiled:
        model.compile("adam", "mse")
        model.train_on_batch(np.ones((2, 4), "float32"), np.ones((2, 2), "float32"))
    return model


def saved(folder: Path, model: Any = None) -> Path:
    path = folder / "model.keras"
    (small() if model is None else model).save(path)
    return path


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(path: Path, packed: int = zipfile.ZIP_STORED, **changed: Any) -> Path:
    """The archive with other members: config=..., weights=..., metadata=... as bytes, or anything JSON can say."""
    held = members(path)
    names = {"config": "config.json", "weights": "model.weights.h5", "metadata": "metadata.json"}
    for key, value in changed.items():
        held[names[key]] = value if isinstance(value, bytes) else json.dumps(value).encode()
    with zipfile.ZipFile(path, "w", packed) as archive:
        for name, content in held.items():
            archive.writestr(name, content)
    return path


def config_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(members(path)["config.json"])
    return found


def with_config(path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """The archive with its config changed in place, or replaced by what `change` gives."""
    config = config_of(path)
    new = change(config)
    return rewrite(path, config=config if new is None else new)


def with_weights(path: Path, change: Callable[[h5py.File], None]) -> Path:
    """The archive with its HDF5 file changed in place."""
    held = io.BytesIO(members(path)["model.weights.h5"])
    with h5py.File(held, "r+") as file:
        change(file)
    return rewrite(path, weights=held.getvalue())


def described(module: str, name: str, /, **config: Any) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config, "registered_name": None}


def layer(name: str, /, **config: Any) -> dict[str, Any]:
    return described("keras.layers", name, **config)


def sequential(*stack: dict[str, Any], shape: Any = (None, 4)) -> dict[str, Any]:
    start = layer("InputLayer", batch_shape=list(shape), name="x")
    return described("keras", "Sequential", name="s", layers=[start, *stack])


# What reading a file must not do -------------------------------------------------------------------------------------

#: audit events that reading a file never has a reason for, once everything of ours is imported.
_FORBIDDEN = (
    "ctypes.dlopen", "exec", "import", "marshal.loads", "os.chmod", "os.exec", "os.fork", "os.mkdir",
    "os.posix_spawn", "os.remove", "os.rename", "os.system", "pickle.find_class", "shutil.", "socket.",
    "subprocess.Popen", "tempfile.", "urllib.Request", "code.__new__", "sys.setprofile", "webbrowser.open",
)  # fmt: skip


class _Watch:
    path: str | None = None
    seen: list[str]


_watch = _Watch()


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if _watch.path is None:
        return
    if event == "open":
        if str(args[0]) != _watch.path:
            _watch.seen.append(f"open {args[0]!r}")
    elif event.startswith(_FORBIDDEN):
        _watch.seen.append(f"{event} {args!r}"[:200])


_hooked = False


@contextmanager
def watched(path: Path) -> Iterator[None]:
    """Inside, nothing is run, imported, connected to, and no file but `path` is opened."""
    global _hooked
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked = True
    _watch.path, _watch.seen = str(path), []
    try:
        yield
    finally:
        _watch.path = None
    assert not _watch.seen, f"reading the file did: {_watch.seen}"


@contextmanager
def frugal(megabytes: float = 48, seconds: float = 2.0) -> Iterator[None]:
    """Inside, little memory is taken at any time, and little of the processor's time."""
    tracemalloc.start()
    try:
        begin = time.process_time()
        yield
        spent = time.process_time() - begin
        peak = tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()
    assert peak < megabytes, f"{peak:.0f} MB at once"
    # What is traced takes three times as long.
    assert spent < 3 * seconds, f"{spent:.1f} s"


def refused(path: Path, says: str | None = None, **arguments: Any) -> LoadError:
    """The file is refused with a LoadError that `says` so, quickly, in little memory, and without side effects."""
    with watched(path), frugal(), pytest.raises(LoadError, match=says) as raised:
        keras.models.load_model(path, **arguments)
    assert len(str(raised.value)) < 5000, "an error is read by people"
    return raised.value
