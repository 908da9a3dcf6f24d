"""Data sets: the embedded sample, the cache, Debian's folder, downloads from a local server, damage."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import struct
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import striate
from striate.core.errors import DatasetError
from striate.datasets import cache, fashion_mnist, mnist
from striate.datasets.idx import parse_idx
from striate.datasets.idx_dataset import IdxDataset, IdxFile


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


ARRAYS = (
    np.arange(5 * 4 * 4, dtype="uint8").reshape(5, 4, 4),
    np.arange(5, dtype="uint8"),
    np.arange(2 * 4 * 4, dtype="uint8").reshape(2, 4, 4),
    np.arange(2, dtype="uint8"),
)


def dataset(url: str, system: str = "/nonexistent") -> IdxDataset:
    names = ("train-images", "train-labels", "test-images", "test-labels")
    files = tuple(
        IdxFile(n, hashlib.sha256(idx(a)).hexdigest(), len(idx(a))) for n, a in zip(names, ARRAYS, strict=True)
    )
    return IdxDataset("tiny", files, (system,), "sudo apt-get install tiny", url, "STRIATE_TINY_URL")


def fill(folder: Path) -> None:
    for file, array in zip(dataset("").files, ARRAYS, strict=True):
        (folder / f"{file.name}.gz").write_bytes(gzip.compress(idx(array)))


def same(splits) -> None:
    (a, b), (c, d) = splits
    for got, expected in zip((a, b, c, d), ARRAYS, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_mini_is_even_and_small():
    (x_train, y_train), (x_test, y_test) = striate.datasets.fashion_mnist_mini.load_data()
    assert x_train.shape == (6000, 28, 28) and x_test.shape == (1000, 28, 28) and x_train.dtype == np.uint8
    assert np.bincount(y_train).tolist() == [600] * 10 and np.bincount(y_test).tolist() == [100] * 10
    folder = Path(cache.__file__).parent
    assert (folder / "fashion_mnist_mini.npz").stat().st_size <= 3_200_000
    assert "MIT License" in (folder / "fashion_mnist_mini.LICENSE").read_text()


def test_downloads_once_then_reads_the_cache(home, served):
    folder, url = served
    fill(folder)
    same(dataset(url).load())
    for file in folder.iterdir():
        file.unlink()
    same(dataset(url).load())
    assert sorted(p.name for p in (home / "tiny").iterdir()) == sorted(f"{f.name}.gz" for f in dataset("").files)


def test_what_is_here_is_found_without_reading_it(home, tmp_path):
    assert set(mnist.find().values()) == {None}
    (home / "mnist").mkdir(parents=True)
    (home / "mnist" / "mnist.npz").write_bytes(b"")
    assert mnist.find() == {"mnist.npz": home / "mnist" / "mnist.npz"}
    assert all(path.is_file() for path in striate.datasets.fashion_mnist_mini.find().values())
    assert set(fashion_mnist.find()) == {file.name for file in fashion_mnist.DATASET.files}
    fill(tmp_path)
    (tmp_path / "test-labels.gz").unlink()
    found = dataset("", str(tmp_path)).find()
    assert found["train-images"] == tmp_path / "train-images.gz" and found["test-labels"] is None


def test_system_folder_is_used_before_the_network(home, tmp_path):
    fill(tmp_path)
    same(dataset("https://example.invalid", str(tmp_path)).load())
    assert not home.exists()


def test_offline_names_the_three_ways(home, monkeypatch):
    monkeypatch.setenv("STRIATE_OFFLINE", "1")
    with pytest.raises(DatasetError) as error:
        dataset("https://example.invalid").load()
    text = str(error.value)
    assert "(1) connect" in text and "(2) install it: sudo apt-get install tiny" in text and "(3) put" in text
    assert str(home / "tiny") in text
    with pytest.raises(DatasetError, match=r"mnist was not found.*STRIATE_OFFLINE.*\(1\).*\(2\).*\(3\)"):
        mnist.load_data()


def test_other_content_is_refused_and_not_kept(home, served):
    folder, url = served
    fill(folder)
    (folder / "train-images.gz").write_bytes(gzip.compress(idx(ARRAYS[0] + 1)))
    with pytest.raises(DatasetError, match="not what it should be: SHA-256"):
        dataset(url).load()
    assert not (home / "tiny" / "train-images.gz").exists()


def test_damaged_cache_is_told(home, served):
    folder, url = served
    fill(folder)
    dataset(url).load()
    path = home / "tiny" / "train-labels.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DatasetError, match=f"{path.name} is cut off"):
        dataset(url).load()


def test_gzip_bomb_is_refused(home, served):
    folder, url = served
    fill(folder)
    (folder / "train-labels.gz").write_bytes(gzip.compress(bytes(50_000_000)))
    with pytest.raises(DatasetError, match="unpacks to more than"):
        dataset(url).load()


def test_missing_file_and_missing_server(home, served):
    _, url = served
    with pytest.raises(DatasetError, match=r"answered 404.*\(1\) connect"):
        dataset(url).load()
    with pytest.raises(DatasetError, match="cannot be reached"):
        dataset("http://127.0.0.1:9").load()


def test_only_https(home):
    with pytest.raises(DatasetError, match="over HTTPS only"):
        dataset("http://example.com").load()
    with pytest.raises(DatasetError, match="over HTTPS only"):
        dataset("file:///etc").load()


def test_redirect_to_plain_http_is_refused(home):
    class Redirect(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(302)
            self.send_header("Location", "http://example.com/x.gz")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Redirect)
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    with pytest.raises(DatasetError, match="over HTTPS only"):
        cache.download(f"http://127.0.0.1:{server.server_address[1]}/x.gz", 1000)
    thread.join()
    server.server_close()


def test_url_variable_names_a_mirror(home, served, monkeypatch):
    folder, url = served
    fill(folder)
    monkeypatch.setenv("STRIATE_TINY_URL", url)
    same(dataset("https://example.invalid").load())


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"hello", "no IDX file"),
        (b"\0\0\x08\x02\0\0", "ends inside its header"),
        (idx(ARRAYS[1])[:-1], "says it holds 5 bytes, but 4 follow"),
        (b"\0\0\x0d\x01\0\0\0\0", "no IDX file of unsigned bytes"),
    ],
)
def test_bad_idx(content, text):
    with pytest.raises(DatasetError, match=text):
        parse_idx(content, "x")


def test_images_and_labels_must_fit(home, tmp_path):
    fill(tmp_path)
    made = dataset("", str(tmp_path))
    swapped = replace(made, files=(made.files[0], made.files[3], made.files[2], made.files[1]))
    with pytest.raises(DatasetError, match="do not fit together"):
        swapped.load()


@pytest.mark.skipif(
    not Path("/usr/share/datasets/fashion-mnist").is_dir(), reason="Debian's dataset-fashion-mnist is not installed"
)
def test_the_whole_of_fashion_mnist(home):
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    assert x_train.shape == (60000, 28, 28) and x_test.shape == (10000, 28, 28)
    assert np.bincount(y_train).tolist() == [6000] * 10 and np.bincount(y_test).tolist() == [1000] * 10
    mini = striate.datasets.fashion_mnist_mini.load_data()
    whole = {image.tobytes() for image in x_train}
    assert all(image.tobytes() in whole for image in mini[0][0])
