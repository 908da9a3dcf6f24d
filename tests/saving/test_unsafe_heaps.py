"""Heaps of strings that HDF5 would read for ever."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from striate.core.errors import LoadError
from striate.saving.hdf5 import open_weights
from striate.saving.heaps import check_heaps


def file_with_text(**kwargs: str) -> bytearray:
    held = io.BytesIO()
    with h5py.File(held, "w", **kwargs) as file:
        file.attrs["model_config"] = "a text of any length"
        file.attrs["names"] = ["one", "two", "three"]
    return bytearray(held.getvalue())


def stuck(content: bytearray) -> bytearray:
    """The file with free space of no size where the heap's first object was."""
    at = content.index(b"GCOL") + 16
    content[at : at + 16] = bytes(16)
    return content


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_a_heap_as_it_should_be_is_read(libver: str) -> None:
    with open_weights(bytes(file_with_text(libver=libver))) as file:
        assert file.attrs["model_config"] == "a text of any length"
        assert list(file.attrs["names"]) == ["one", "two", "three"]


@pytest.mark.parametrize("wrap", [bytes, memoryview])
@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_free_space_of_no_size_is_refused(libver: str, wrap: type) -> None:
    with pytest.raises(LoadError, match="for ever"), open_weights(wrap(stuck(file_with_text(libver=libver)))):
        pass


def test_a_model_of_such_a_file_is_refused_in_time(tmp_path: Path) -> None:
    """In a process of its own: a reader that stands still cannot be interrupted."""
    path = tmp_path / "stuck.h5"
    path.write_bytes(stuck(file_with_text()))
    load = f"import striate; striate.saving.load_model({str(path)!r})"
    done = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True, timeout=120, check=False)
    assert "LoadError" in done.stderr and "for ever" in done.stderr


def test_heaps_in_heaps_take_no_more_time_than_the_file_is_long() -> None:
    small = struct.pack("<HHIQ", 1, 0, 0, 16)  # an object of 16 bytes, in which another heap begins
    heap = b"GCOL\x01" + bytes(3) + struct.pack("<Q", 1 << 40)
    with pytest.raises(LoadError, match="overlap"):
        check_heaps((small + heap) * 50, 8)


def test_bytes_that_only_look_like_a_heap_do_no_harm() -> None:
    for content in (b"GCOL\x01", b"GCOL\x01" + bytes(11), b"x" * 100 + b"GCOL\x01" + b"\xff" * 64):
        check_heaps(content, 8)
