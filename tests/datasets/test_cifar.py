"""CIFAR-10 and CIFAR-100: archives of the real ones' form from a local server, and pickles that want to run code."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import pickletools
import struct
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import striate
from striate.core.errors import DatasetError, UnsafeFileError
from striate.datasets import cifar10, cifar100
from striate.datasets.plain_pickle import read_plain_pickle

TEST = "cifar-10-batches-py/test_batch"


def text(value: bytes) -> bytes:
    """A short string as Python 2 pickled it."""
    return b"U" + bytes([len(value)]) + value


def python2_pickle(images: np.ndarray, labels: dict[bytes, list[int]]) -> bytes:
    """The very instructions of CIFAR's files, which Python 2 wrote (protocol 2)."""
    out = io.BytesIO()
    out.write(b"\x80\x02}(" + text(b"data"))
    out.write(b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text(b"b") + b"\x87R")
    out.write(b"(K\x01M" + struct.pack("<H", len(images)) + b"M" + struct.pack("<H", images.shape[1]) + b"\x86")
    out.write(b"cnumpy\ndtype\n" + text(b"u1") + b"K\x00K\x01\x87R(K\x03" + text(b"|"))
    out.write(b"NNN" + b"J\xff\xff\xff\xff" * 2 + b"K\x00tb\x89")
    out.write(b"T" + struct.pack("<i", images.nbytes) + images.tobytes() + b"tb")
    for name, numbers in labels.items():
        out.write(text(name) + b"](" + b"".join(b"K" + bytes([n]) for n in numbers) + b"e")
    out.write(text(b"batch_label") + text(b"training batch 1 of 5") + b"u.")
    return out.getvalue()


def batch(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 3072), "uint8")


def packed(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def serve(monkeypatch, served, module, members: dict[str, bytes]) -> None:
    """The members as the data set's archive on the local server, with its own hash."""
    folder, url = served
    content = packed(members)
    (folder / module.DATASET.file).write_bytes(content)
    monkeypatch.setenv(module.DATASET.url_variable, url)
    monkeypatch.setattr(module, "DATASET", replace(module.DATASET, sha256=hashlib.sha256(content).hexdigest()))


def ten(monkeypatch, served) -> list[np.ndarray]:
    images = [batch(i, 3 + i) for i in range(6)]
    names = [*cifar10.DATASET.train, *cifar10.DATASET.test]
    members = {"cifar-10-batches-py/readme.html": b"<p>"}
    for i, name in enumerate(names):
        members[name] = python2_pickle(images[i], {b"labels": [(i + j) % 10 for j in range(len(images[i]))]})
    serve(monkeypatch, served, cifar10, members)
    return images


def test_cifar10_is_downloaded_once_and_laid_out_as_keras_does(home, served, monkeypatch):
    images = ten(monkeypatch, served)
    (x_train, y_train), (x_test, y_test) = striate.datasets.cifar10.load_data()
    assert x_train.shape == (3 + 4 + 5 + 6 + 7, 32, 32, 3) and x_test.shape == (8, 32, 32, 3)
    assert x_train.dtype == y_train.dtype == y_test.dtype == np.uint8 and y_train.shape == (25, 1)
    # Each row holds the red plane, then the green, then the blue.
    assert x_train[3, 5, 7, 2] == images[1][0, 2 * 1024 + 5 * 32 + 7]
    assert y_train[3:7, 0].tolist() == [1, 2, 3, 4] and y_test[:, 0].tolist() == [5, 6, 7, 8, 9, 0, 1, 2]
    (served[0] / cifar10.DATASET.file).unlink()
    again = striate.datasets.cifar10.load_data()
    np.testing.assert_array_equal(again[0][0], x_train)
    assert cifar10.find() == {cifar10.DATASET.file: home / "cifar10" / cifar10.DATASET.file}


def test_channels_first(home, served, monkeypatch):
    images = ten(monkeypatch, served)
    striate.config.set_image_data_format("channels_first")
    try:
        (_, _), (x_test, _) = striate.datasets.cifar10.load_data()
    finally:
        striate.config.set_image_data_format("channels_last")
    assert x_test.shape == (8, 3, 32, 32)
    np.testing.assert_array_equal(x_test.reshape(8, -1), images[5])


def test_cifar100_has_two_kinds_of_labels(home, served, monkeypatch):
    labels = {b"coarse_labels": [0, 19, 3], b"fine_labels": [99, 1, 50]}
    members = {name: python2_pickle(batch(1, 3), labels) for name in (*cifar100.DATASET.test, *cifar100.DATASET.train)}
    serve(monkeypatch, served, cifar100, members)
    (x_train, fine), _ = striate.datasets.cifar100.load_data()
    (_, coarse), _ = striate.datasets.cifar100.load_data("coarse")
    assert x_train.shape == (3, 32, 32, 3) and fine.dtype == coarse.dtype == np.int64
    assert fine.tolist() == [[99], [1], [50]] and coarse.tolist() == [[0], [19], [3]]
    with pytest.raises(ValueError, match="label_mode"):
        striate.datasets.cifar100.load_data("both")


def test_another_archive_is_refused_and_not_kept(home, served, monkeypatch):
    ten(monkeypatch, served)
    file = served[0] / cifar10.DATASET.file
    file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(DatasetError, match="something else than Keras's file"):
        striate.datasets.cifar10.load_data()
    assert not (home / "cifar10" / cifar10.DATASET.file).exists()
    place = cifar10.DATASET.place()
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(file.read_bytes())
    with pytest.raises(DatasetError, match=r"SHA-256 .*Delete it"):
        striate.datasets.cifar10.load_data()


def test_offline_names_the_ways(home, monkeypatch):
    monkeypatch.setenv("STRIATE_OFFLINE", "1")
    for module in (cifar10, cifar100):
        with pytest.raises(DatasetError, match=r"not found.*STRIATE_OFFLINE.*\(1\).*\(2\)"):
            module.load_data()
    assert cifar10.find() == {"cifar-10-python.tar.gz": None}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda m: m.pop(TEST), "does not hold cifar-10-batches-py/test_batch"),
        (lambda m: m.update({TEST: pickle.dumps({b"labels": []})}), "'labels' beside"),
        (lambda m: m.update({TEST: python2_pickle(batch(0, 3), {b"labels": [1, 2]})}), "as many class numbers"),
        (lambda m: m.update({TEST: python2_pickle(batch(0, 2)[:, 1:], {b"labels": [1, 2]})}), "rows of 3072 values"),
    ],
)
def test_archives_that_lack_something_are_told(home, served, monkeypatch, change, says):
    names = (*cifar10.DATASET.train, *cifar10.DATASET.test)
    members = {name: python2_pickle(batch(0, 2), {b"labels": [1, 2]}) for name in names}
    change(members)
    serve(monkeypatch, served, cifar10, members)
    with pytest.raises((DatasetError, UnsafeFileError), match=says):
        striate.datasets.cifar10.load_data()


class Touch:
    """Pickled so that reading it runs a command."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def test_code_in_a_pickle_is_never_run(tmp_path):
    made = tmp_path / "made"
    hostile = pickle.dumps({b"data": Touch(made), b"labels": []})
    with pytest.raises(UnsafeFileError, match=r"x: The pickle asks for (posix|nt)\.system"):
        read_plain_pickle(hostile, "x")
    assert not made.exists()
    pickle.loads(hostile)  # the same bytes, read by pickle itself
    assert made.exists()


@pytest.mark.parametrize(
    "program",
    [
        b"cbuiltins\neval\n(U\x031+1tR.",
        b"c__builtin__\neval\n(U\x031+1tR.",
        b"cnumpy\nload\n.",
        b"cnumpy\nndarray\n.",  # a name alone is no data
        b"cnumpy\ndtype\n(U\x01OK\x00K\x01tR.",  # arrays of objects hold pickles of their own
        b"cnumpy.core.multiarray\n_reconstruct\n(K\x00tR.",
        b"cnumpy\ndtype\n}U\x01aK\x01sb.",  # attributes for what is only named
        b"cnumpy\ndtype\nN}U\x08__call__K\x01s\x86b.",
        b"(cnumpy\nndarray\no.",
        b"cnumpy\nndarray\n)\x81.",
        b"(U\x01aios\nsystem\n.",
        b"P1\n.",  # a persistent name
        b"\x82\x01.",  # a name of copyreg's registry
        b"](K\x01",  # cut off
        b"]\x94h\x00a.",
        b"]q\x00h\x00a.",  # a list that holds itself
        b"",
    ],
)
def test_all_but_plain_data_is_refused(program):
    with pytest.raises(UnsafeFileError, match="x"):
        read_plain_pickle(program, "x")


def test_plain_data_and_arrays_of_bytes_are_read():
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)
    for protocol in (3, 4):
        plain = [1, 2.5, None, True, "text", (b"a",)]
        for order in "CF":
            held = {b"data": np.array(values, order=order), b"n": plain}
            got = read_plain_pickle(pickle.dumps(held, protocol), "x")
            np.testing.assert_array_equal(got[b"data"], values)
            assert got[b"n"] == plain
    with pytest.raises(UnsafeFileError, match="unsigned bytes"):
        read_plain_pickle(pickle.dumps(values.astype("float32"), 4), "x")


def test_the_written_form_is_that_of_python_2():
    program = python2_pickle(batch(0, 2), {b"labels": [1, 2]})
    names = {op.name for op, _, _ in pickletools.genops(program)}
    assert {"GLOBAL", "REDUCE", "BUILD", "BINSTRING", "SHORT_BINSTRING"} <= names
    np.testing.assert_array_equal(pickle.loads(program, encoding="bytes")[b"data"], batch(0, 2))
