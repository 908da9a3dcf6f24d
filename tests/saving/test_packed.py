"""HDF5 files that are packed so that a few kB take gigabytes or minutes to read; and what C code opens unseen."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import striate as keras
from striate import layers
from tests.saving.files import frugal, layer, refused, rewrite, saved, sequential, watched, with_weights
from tests.saving.test_unsafe_weights import KERNEL, replaced

VALUE = np.arange(12, dtype="float32").reshape(4, 3)


@contextmanager
def resident(megabytes: float) -> Iterator[None]:
    """Inside, the process's memory grows by less; C libraries' too, which `frugal` does not see."""
    import resource

    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / unit
    assert grown < megabytes, f"{grown:.0f} MB more"


def deflated(megabytes: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()


def chunk(content: bytes, mask: int = 0, **packing: Any) -> Any:
    def make(group: h5py.Group, name: str) -> None:
        made = group.create_dataset(name, (4, 3), "f4", chunks=(4, 3), **packing)
        made.id.write_direct_chunk((0, 0), content, mask)

    return replaced(make)


GZIP: dict[str, dict[str, Any]] = {
    "gzip": {"compression": 9},
    "shuffle, gzip": {"compression": 9, "shuffle": True},
    "gzip, checksum": {"compression": 9, "fletcher32": True},
}


@pytest.mark.parametrize("packing", GZIP)
def test_a_piece_that_inflates_without_end(path: Path, packing: str) -> None:
    """After CVE-2026-0897: the shape is right, and HDF5 inflates a piece to its end (1 GB of 1 MB) all the same."""
    bomb = deflated(300)
    file = with_weights(path, chunk(bomb, **GZIP[packing]))
    with resident(100):
        refused(file, "unpacks to more than the 48 bytes")


def test_a_bomb_in_a_bomb(path: Path) -> None:
    """Deflated in the archive once more, the file has 4 kB; both bounds hold on their own."""
    file = with_weights(path, chunk(deflated(300), compression=9))
    with zipfile.ZipFile(file) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    rewrite(file, zipfile.ZIP_DEFLATED)
    assert file.stat().st_size < 10_000 < len(held["model.weights.h5"])
    with resident(100):
        refused(file, "unpacks to more")


def test_gzip_twice(path: Path) -> None:
    def make(group: h5py.Group, name: str) -> None:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((4, 3))
        plist.set_deflate(9)
        plist.set_deflate(9)
        space = h5py.h5s.create_simple((4, 3))
        made = h5py.h5d.create(group.id, name.encode(), h5py.h5t.IEEE_F32LE, space, plist)
        made.write_direct_chunk((0, 0), zlib.compress(deflated(300), 9), 0)

    file = with_weights(path, replaced(make))
    with resident(100):
        refused(file, "each once and in this order|packed by filters")


def test_a_piece_longer_than_it_should_be(path: Path) -> None:
    """Not packed, but 2 MB for twelve numbers."""
    refused(with_weights(path, chunk(bytes(2 << 20), compression=9)), "unpacks to more than")
    refused(with_weights(path, chunk(bytes(2 << 20), 1, compression=9)), "unpacks to more than")


@pytest.mark.parametrize("packing", [*GZIP, "all", "none", "checksum"])
@pytest.mark.parametrize("chunks", [(4, 3), (2, 3), (1, 2), (3, 2)])
def test_packed_weights_are_read(path: Path, packing: str, chunks: tuple[int, int]) -> None:
    kinds = {**GZIP, "all": {"compression": 4, "shuffle": True, "fletcher32": True}, "none": {}}
    kinds["checksum"] = {"fletcher32": True}

    def make(group: h5py.Group, name: str) -> None:
        group.create_dataset(name, data=VALUE, chunks=chunks, **kinds[packing])

    model = keras.models.load_model(with_weights(path, replaced(make)))
    np.testing.assert_array_equal(model.get_weights()[0], VALUE)


def test_large_packed_weights_are_read(tmp_path: Path) -> None:
    """As h5py itself cuts a large dataset into pieces, of values that hardly pack and of zeros."""
    model = keras.Sequential([keras.Input((300,)), layers.Dense(1000, name="a"), layers.Dense(900)])
    model.layers[1].kernel.assign(np.zeros((1000, 900), "float32"))
    path = saved(tmp_path, model)

    def pack(file: h5py.File) -> None:
        for where in ("layers/dense/vars/0", "layers/dense_1/vars/0"):
            value = file[where][()]
            del file[where]
            file.create_dataset(where, data=value, compression="gzip", shuffle=True)

    loaded = keras.models.load_model(with_weights(path, pack))
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_pieces_without_number(tmp_path: Path) -> None:
    """A million pieces of one number each, none of them in the file: HDF5 looks for each, for half a minute."""
    model = keras.Sequential([keras.Input((1000,)), layers.Dense(1000)])
    path = saved(tmp_path, model)

    def make(group: h5py.Group, name: str) -> None:
        group.create_dataset(name, (1000, 1000), "f4", chunks=(1, 1))

    refused(with_weights(path, replaced(make)), "stored in 1000000 pieces")


def library() -> Any:
    """The HDF5 library that h5py has loaded."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        name = line.rpartition(" ")[2]
        if "libhdf5" in name and "_hl" not in name:
            return ctypes.CDLL(name)
    return pytest.skip("h5py's HDF5 library was not found")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for the library in /proc")
@pytest.mark.parametrize("where", ["", "layers", "layers/dense", "layers/dense/vars"])
def test_packed_groups(path: Path, where: str) -> None:
    """A group may pack its links, by deflate or a plug-in; HDF5 unpacks them when the first name is looked up."""
    hdf5 = library()
    hdf5.H5Pset_deflate.argtypes = [ctypes.c_int64, ctypes.c_uint]

    def pack(file: h5py.File) -> None:
        folder, _, name = where.rpartition("/")
        above = file[folder] if folder else file
        plist = h5py.h5p.create(h5py.h5p.GROUP_CREATE)
        assert hdf5.H5Pset_deflate(plist.id, 9) >= 0
        packed = h5py.Group(h5py.h5g.create(above.id, b"packed", gcpl=plist))
        for child, value in list(above[name].items()):
            packed[child] = value
        del above[name]
        above.move("packed", name)

    if where:
        refused(with_weights(path, pack), f"group /{where} of the weights file is packed by filters")
        return
    import io

    held = io.BytesIO()
    access, create = h5py.h5p.create(h5py.h5p.FILE_ACCESS), h5py.h5p.create(h5py.h5p.FILE_CREATE)
    access.set_libver_bounds(h5py.h5f.LIBVER_LATEST, h5py.h5f.LIBVER_LATEST)
    assert hdf5.H5Pset_deflate(create.id, 9) >= 0
    name = str(path.parent / "root.h5").encode()
    h5py.h5f.create(name, h5py.h5f.ACC_TRUNC, create, access).close()
    held.write((path.parent / "root.h5").read_bytes())
    refused(rewrite(path, weights=held.getvalue()), "group / of the weights file is packed by filters")


@contextmanager
def not_opened(file: Path) -> Iterator[None]:
    """Inside, nobody opens a file, C code neither: what the system itself notes."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "inotify_init1"):
        pytest.skip("no inotify")
    handle = libc.inotify_init1(os.O_NONBLOCK)
    try:
        assert libc.inotify_add_watch(handle, str(file).encode(), 0x20 | 0x1) > 0  # IN_OPEN | IN_ACCESS
        yield
        try:
            seen = os.read(handle, 4096)
        except BlockingIOError:
            seen = b""
        assert not seen, f"the file was opened: {struct.unpack_from('iIII', seen)}"
    finally:
        os.close(handle)


def test_the_watch_sees(tmp_path: Path) -> None:
    (tmp_path / "x.h5").write_bytes(b"x")
    with pytest.raises(AssertionError, match="was opened"), not_opened(tmp_path / "x.h5"):
        (tmp_path / "x.h5").read_bytes()


def external(other: Path) -> Any:
    return lambda g, n: g.create_dataset(n, (4, 3), "f4", external=[(str(other), 0, 48)])


def virtual(other: Path, open_ended: bool) -> Any:
    def make(group: h5py.Group, name: str) -> None:
        most = (None, 3) if open_ended else (4, 3)
        layout = h5py.VirtualLayout(shape=(4, 3), dtype="f4", maxshape=most)
        source = h5py.VirtualSource(str(other), "x", shape=(4, 3), maxshape=most)
        if open_ended:
            layout[: h5py.h5s.UNLIMITED, :] = source[: h5py.h5s.UNLIMITED, :]
        else:
            layout[:] = source
        group.create_virtual_dataset(name, layout)

    return make


REACHING: dict[str, Any] = {
    "external storage": external,
    "virtual": lambda other: virtual(other, False),
    "virtual, open-ended": lambda other: virtual(other, True),
    "external link": lambda other: lambda g, n: g.__setitem__(n, h5py.ExternalLink(str(other), "/x")),
}


@pytest.mark.parametrize("where", [KERNEL, "optimizer/vars/0"])
@pytest.mark.parametrize("kind", REACHING)
def test_no_other_file_is_opened_by_hdf5_either(path: Path, kind: str, where: str) -> None:
    """CVE-2026-1669: Python's audit hooks do not see what HDF5 opens; the system does."""
    other = path.parent / "other.h5"
    with h5py.File(other, "w") as file:
        file["x"] = VALUE
    made = with_weights(path, replaced(REACHING[kind](other), where))
    with not_opened(other):
        refused(made, "refused")


def test_weights_of_a_file_are_not_drawn_first(tmp_path: Path) -> None:
    """An orthogonal matrix of 5000 x 5000 takes a minute to make, and its weights may pack to a few kB."""
    big = layer("Dense", units=5000, kernel_initializer="orthogonal", name="d")
    model = keras.Sequential([keras.Input((5000,)), layers.Dense(5000, kernel_initializer="zeros", name="d")])
    path = saved(tmp_path, model)
    rewrite(path, config=sequential(big, shape=(None, 5000)))
    with watched(path), frugal(500, 4):
        loaded = keras.models.load_model(path)
    assert not np.asarray(loaded.layers[0].kernel).any()


def test_models_that_are_not_from_a_file_are_drawn(path: Path) -> None:
    """After a loading, one that failed too, initializers draw again; and `model_from_json` does."""
    for change in (lambda: keras.models.load_model(path), lambda: refused(rewrite(path, weights=b"x"))):
        change()
        kernel = keras.Sequential([keras.Input((4,)), layers.Dense(3)]).layers[0].kernel
        assert np.asarray(kernel).any()
    model = keras.models.model_from_json(keras.Sequential([keras.Input((4,)), layers.Dense(3)]).to_json())
    assert np.asarray(model.layers[0].kernel).any()
