"""get_file against a server on this machine: what is kept, what is fetched again, what is refused."""

from __future__ import annotations

import hashlib
import http.server
import io
import stat
import tarfile
import threading
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from striate.core.errors import DatasetError
from striate.datasets import archives, cache
from striate.utils import get_file

TEXT = b"Every neuron of a feature map has the same weights."


class Server:
    """What is served, by path, and which paths were asked for."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.url = ""
        #: bytes that are promised and do not come
        self.missing = 0


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server, and an empty cache."""
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", state.url + "/file.txt")
                self.end_headers()
            elif self.path in state.content:
                body = state.content[self.path]
                self.send_response(200)
                self.send_header("Content-Length", str(len(body) + state.missing))
                self.end_headers()
                self.wfile.write(body)
            else:
                self.send_error(404)

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    state.content["/file.txt"] = TEXT
    monkeypatch.setenv("STRIATE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("STRIATE_OFFLINE", raising=False)
    monkeypatch.delenv("KERAS_HOME", raising=False)
    yield state
    server.shutdown()
    server.server_close()


def everything(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_file_is_fetched_once(served: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = get_file(origin=f"{served.url}/file.txt")
    assert path == str(tmp_path / "home" / "datasets" / "file.txt") and Path(path).read_bytes() == TEXT
    assert capsys.readouterr().out == f"Downloading data from {served.url}/file.txt\n"
    served.content["/file.txt"] = b"new"
    assert Path(get_file(origin=f"{served.url}/file.txt")).read_bytes() == TEXT
    assert served.asked == ["/file.txt"] and capsys.readouterr().out == ""
    assert Path(get_file(origin=f"{served.url}/file.txt", force_download=True)).read_bytes() == b"new"


def test_where_it_goes(served: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    origin = f"{served.url}/file.txt?version=2"
    served.content["/file.txt?version=2"] = TEXT
    assert get_file("a.txt", origin, cache_dir=tmp_path / "c", cache_subdir="d") == str(tmp_path / "c" / "d" / "a.txt")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    assert get_file(origin=origin) == str(tmp_path / "keras" / "datasets" / "file.txt")
    assert get_file(Path("b"), origin, cache_subdir=str(tmp_path / "e")) == str(tmp_path / "e" / "b")


def test_a_redirect_is_followed(served: Server) -> None:
    assert Path(get_file("x", f"{served.url}/moved")).read_bytes() == TEXT


@pytest.mark.parametrize("make", [hashlib.sha256, hashlib.md5])
def test_hashes(served: Server, make: Callable[[bytes], Any], capsys: pytest.CaptureFixture[str]) -> None:
    origin, right = f"{served.url}/file.txt", make(TEXT).hexdigest()
    path = Path(get_file(origin=origin, file_hash=right.upper()))
    path.write_bytes(b"spoiled")
    assert get_file(origin=origin, file_hash=right) == str(path) and path.read_bytes() == TEXT
    assert "incomplete or outdated" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"Incomplete or corrupted file detected.*expected 0000.*Nothing was kept"):
        get_file(origin=origin, file_hash="0" * len(right))
    assert path.read_bytes() == TEXT  # what was there stays
    if make is hashlib.md5:
        assert get_file(origin=origin, md5_hash=right) == str(path)


def test_a_download_that_breaks_off_leaves_nothing(served: Server, tmp_path: Path) -> None:
    served.missing = 5
    with pytest.raises(OSError, match="cut off after"):
        get_file(origin=f"{served.url}/file.txt")
    assert everything(tmp_path) == {}
    with pytest.raises(OSError, match="answered 404"):
        get_file(origin=f"{served.url}/other")


def test_an_answer_in_chunks_that_breaks_off(tmp_path: Path) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"5\r\nhello\r\n9\r\nwor")
            self.close_connection = True

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.handle_request, daemon=True).start()
    with pytest.raises(DatasetError, match=r"was cut off after \d+ bytes"):
        get_file("x", f"http://127.0.0.1:{server.server_address[1]}/x", cache_dir=tmp_path)
    server.server_close()
    assert everything(tmp_path) == {}


def test_offline(served: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STRIATE_OFFLINE", "1")
    with pytest.raises(OSError, match="STRIATE_OFFLINE=1 forbids downloads"):
        get_file(origin=f"{served.url}/file.txt")
    (tmp_path / "own.txt").write_bytes(TEXT)
    assert Path(get_file(origin=(tmp_path / "own.txt").as_uri())).read_bytes() == TEXT  # nothing goes over a network


def test_plain_http_warns_unless_a_hash_guards_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cache, "chunks", lambda url, limit, progress, plain: iter([TEXT] if plain else []))
    with pytest.warns(UserWarning, match="plain HTTP.*file_hash"):
        get_file("a", "http://example.com/a", cache_dir=tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        get_file("b", "http://example.com/b", cache_dir=tmp_path, file_hash=hashlib.sha256(TEXT).hexdigest())


def test_how_much_has_come_is_shown_on_a_terminal(
    served: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    get_file(origin=f"{served.url}/file.txt")
    assert f"\r{len(TEXT)} of {len(TEXT)} bytes (100%)\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, '"origin" argument'),
        ({"origin": "https://example.com/"}, "Can't parse the file name"),
        ({"origin": "https://example.com/x", "fname": "a/b"}, "Paths are no longer accepted.*'a/b'"),
        ({"origin": "https://example.com/x", "fname": ".."}, "Paths are no longer accepted"),
        ({"origin": "https://example.com/x", "hash_algorithm": "crc"}, "hash_algorithm='crc'"),
        ({"origin": "https://example.com/x", "extract": True, "archive_format": "rar"}, "archive_format='rar'"),
        ({"origin": "ftp://example.com/x"}, "https, http or file.*ftp"),
        ({"origin": "file:///nowhere/at/all"}, "There is no file"),
    ],
)
def test_refused(arguments: dict[str, Any], text: str, tmp_path: Path) -> None:
    with pytest.raises((ValueError, OSError), match=text):
        get_file(cache_dir=tmp_path, **arguments)


# Archives -----------------------------------------------------------------------------------------------------------


def tarred(*members: tuple[str, bytes] | tarfile.TarInfo, mode: str = "w:gz") -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode=mode) as tar:  # type: ignore[call-overload]
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                tar.addfile(info, io.BytesIO(member[1]))
    return held.getvalue()


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def zipped(*members: tuple[str, bytes], link: bool = False) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if link:
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
            packed.writestr(info, content)
    return held.getvalue()


FILES = (("pictures/a.txt", b"a"), ("pictures/deep/b.txt", b"bb"), ("c.txt", b""))
UNPACKED = {"pictures/a.txt": b"a", "pictures/deep/b.txt": b"bb", "c.txt": b""}
KINDS = {
    "tar": tarred(*FILES, mode="w"), "gz": tarred(*FILES), "bz2": tarred(*FILES, mode="w:bz2"),
    "xz": tarred(*FILES, mode="w:xz"), "zip": zipped(*FILES),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_archives_are_unpacked(served: Server, kind: str, tmp_path: Path) -> None:
    served.content["/set.tgz"] = KINDS[kind]
    folder = Path(get_file(origin=f"{served.url}/set.tgz", extract=True))
    assert folder == tmp_path / "home" / "datasets" / "set.tgz" and everything(folder) == UNPACKED
    (folder / "c.txt").write_bytes(b"changed")
    (folder / "own.txt").write_bytes(b"mine")
    get_file(origin=f"{served.url}/set.tgz", extract=True)  # from the cache, over what is there
    assert everything(folder) == {**UNPACKED, "own.txt": b"mine"} and served.asked == ["/set.tgz"]


def test_names_of_folders_are_keras_s(served: Server, tmp_path: Path) -> None:
    served.content["/set.tar.gz"] = KINDS["gz"]
    origin, home = f"{served.url}/set.tar.gz", tmp_path / "home" / "datasets"
    assert get_file("flowers", origin, untar=True) == str(home / "flowers")
    assert get_file("flowers.tar.gz", origin, extract=True) == str(home / "flowers_extracted")
    names = {p.name for p in home.iterdir()}
    assert names == {"flowers", "flowers_archive", "flowers.tar.gz", "flowers_extracted"}  # and nothing half made


def test_what_is_no_archive_stays_a_file(served: Server) -> None:
    with pytest.warns(UserWarning, match="Could not extract archive"):
        folder = get_file("x", f"{served.url}/file.txt", extract=True)
    assert not Path(folder).exists() and Path(f"{folder}_archive").read_bytes() == TEXT
    with pytest.warns(UserWarning, match="Could not extract"):
        get_file("x", f"{served.url}/file.txt", extract=True, archive_format=None)


def test_links_inside_become_copies(served: Server) -> None:
    served.content["/l"] = tarred(
        special("first", tarfile.SYMTYPE, "deep/a"), ("deep/a", b"a"), special("deep/b", tarfile.SYMTYPE, "../deep/a"),
        special("c", tarfile.LNKTYPE, "deep/a"),
    )  # fmt: skip
    folder = Path(get_file("l", f"{served.url}/l", extract=True))
    assert everything(folder) == dict.fromkeys(("c", "deep/a", "deep/b", "first"), b"a")
    assert not any(p.is_symlink() for p in folder.rglob("*"))


def _pax_bomb() -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("a")
        info.pax_headers = {"comment": "x" * (1 << 25)}
        tar.addfile(info)
    return held.getvalue()


HOSTILE = {
    "tar up": (tarred(("ok", b"1"), ("../out", b"2")), "outside the folder"),
    "tar absolute": (tarred(("/tmp/out", b"2")), "outside the folder"),
    "tar hidden": (tarred(("a/../../out", b"2")), "outside the folder"),
    "tar drive": (tarred(("C:\\out", b"2")), "outside the folder"),
    "tar link out": (tarred(special("l", tarfile.SYMTYPE, "/etc"), ("l/passwd", b"2")), "outside the folder"),
    "tar link up": (tarred(special("d/l", tarfile.SYMTYPE, "../../x")), "outside the folder"),
    "tar link to a folder": (tarred(("d/a", b"1"), special("l", tarfile.SYMTYPE, "d")), "no file of the archive"),
    "tar link to itself": (tarred(special("l", tarfile.SYMTYPE, "l")), "no file of the archive"),
    "tar hard link out": (tarred(special("l", tarfile.LNKTYPE, "../../x")), "outside the folder"),
    "tar device": (tarred(special("d", tarfile.CHRTYPE)), "neither a file nor a folder"),
    "tar pipe": (tarred(special("d", tarfile.FIFOTYPE)), "neither a file nor a folder"),
    "tar long header": (_pax_bomb(), "own entries take over"),
    "tar cut off": (KINDS["gz"][:-30], "damaged"),
    "zip up": (zipped(("ok", b"1"), ("../out", b"2")), "outside the folder"),
    "zip backslash": (zipped(("..\\out", b"2")), "outside the folder"),
    "zip link": (zipped(("l", b"/etc/passwd"), link=True), "outside the folder"),
    "tar bomb": (tarred(("zeros", bytes(3_000_000))), "unpacks to over"),
    "zip bomb": (zipped(*((f"{i}", bytes(600_000)) for i in range(5))), "unpacks to over"),
    "many": (tarred(*((f"{i}", b"") for i in range(50))), "more than 40 files"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_archives_leave_nothing(
    served: Server, case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "ALWAYS", 1_000_000)
    monkeypatch.setattr(archives, "MOST_FILES", 40)
    served.content["/h"], text = HOSTILE[case]
    with pytest.raises(ValueError, match=text):
        get_file("h", f"{served.url}/h", extract=True)
    assert set(everything(tmp_path)) == {"home/datasets/h_archive"}
    assert {p.name for p in (tmp_path / "home" / "datasets").iterdir()} == {"h_archive"}


def test_what_unpacks_to_much_is_fine_where_little_is_allowed_always(served: Server) -> None:
    served.content["/z"] = zipped(("zeros", bytes(3_000_000)))  # 1000 times its size, and under 1 GiB
    assert Path(get_file("z", f"{served.url}/z", extract=True), "zeros").stat().st_size == 3_000_000
