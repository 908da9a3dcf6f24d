"""Where data sets are kept, and how a file gets there: over HTTPS, checked, whole or not at all."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import os
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlparse

from striate.core.cache import cache_home
from striate.core.errors import DatasetError

#: Seconds without a byte after which a download is given up.
TIMEOUT = 30.0
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def cache_folder() -> Path:
    """$STRIATE_HOME/datasets, else $XDG_CACHE_HOME/striate/datasets, else ~/.cache/striate/datasets."""
    return cache_home() / "datasets"


def is_offline() -> bool:
    """Whether STRIATE_OFFLINE=1 forbids downloads."""
    return os.environ.get("STRIATE_OFFLINE", "") not in ("", "0")


def read_gzip(data: bytes, limit: int, what: str) -> bytes:
    """The content of a gzip file, which is refused when it is longer than `limit` bytes.

    Raises:
        DatasetError: no gzip data, cut off, or too long.
    """
    decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        content = decoder.decompress(data, limit + 1)
    except zlib.error as error:
        raise DatasetError(f"{what} is damaged: {error}. Delete it; it will be fetched again.") from error
    if len(content) > limit:
        raise DatasetError(f"{what} unpacks to more than the {limit} bytes expected of it. It is refused.")
    if not decoder.eof:
        raise DatasetError(f"{what} is cut off: its gzip data ends too early. Delete it; it will be fetched again.")
    return content


def check_sha256(content: bytes, expected: str, what: str) -> None:
    """Raise a DatasetError unless the content is what it should be."""
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise DatasetError(
            f"{what} is not what it should be: SHA-256 {found}, expected {expected}. "
            "Delete it if it is in your cache; if it was downloaded just now, the source has changed or was tampered "
            "with."
        )


def check_online(target: Path, url: str) -> None:
    """Raise a DatasetError where downloads are forbidden."""
    if is_offline():
        raise DatasetError(
            f"{target} is not there, and STRIATE_OFFLINE=1 forbids downloads. Fetch {url} on another machine and put "
            "it there."
        )


class _Redirects(urllib.request.HTTPRedirectHandler):
    """A redirect may not lead away from HTTPS."""

    def __init__(self, plain: bool) -> None:
        self._plain = plain

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        _check_url(newurl, self._plain)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def is_private(url: str) -> bool:
    """Whether nobody between can change what comes: HTTPS, or this machine."""
    parts = urlparse(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _check_url(url: str, plain: bool) -> None:
    if is_private(url) or (plain and urlparse(url).scheme == "http"):
        return
    raise DatasetError(f"Data sets are fetched over HTTPS only. Received: {url!r}.")


def download(url: str, limit: int, progress: Callable[[int], None] | None = None) -> bytes:
    """What `url` serves, at most `limit` bytes; errors as for `chunks`."""
    parts: list[bytes] = []
    got = 0
    for chunk in chunks(url, limit):
        parts.append(chunk)
        got += len(chunk)
        if progress is not None:
            progress(got)
    return b"".join(parts)


def chunks(
    url: str, limit: int, progress: Callable[[int, int | None], None] | None = None, plain: bool = False
) -> Iterator[bytes]:
    """What `url` serves, piece by piece, at most `limit` bytes.

    Args:
        progress: is told after each piece how many bytes have come, and how many there are where the server says so.
        plain: whether HTTP is taken too.

    Raises:
        DatasetError: no connection, an error status, another scheme, too long an answer, or one that is cut off.
    """
    _check_url(url, plain)
    opener = urllib.request.build_opener(_Redirects(plain))
    request = urllib.request.Request(url, headers={"User-Agent": "striate"})
    got = 0
    try:
        with opener.open(request, timeout=TIMEOUT) as answer:
            promised = answer.headers.get("Content-Length")
            while chunk := answer.read(1 << 16):
                got += len(chunk)
                if got > limit:
                    raise DatasetError(f"{url} serves more than the {limit} bytes expected. It is refused.")
                yield chunk
                if progress is not None:
                    progress(got, int(promised) if promised is not None else None)
            if promised is not None and int(promised) != got:
                raise DatasetError(f"{url} was cut off after {got} of {promised} bytes. Try again.")
    except urllib.error.HTTPError as error:
        raise DatasetError(f"{url} answered {error.code} {error.reason}.") from error
    except http.client.IncompleteRead as error:
        raise DatasetError(f"{url} was cut off after {got + len(error.partial)} bytes. Try again.") from error
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise DatasetError(f"{url} cannot be reached: {getattr(error, 'reason', error)}.") from error


def read_file(path: Path, limit: int) -> bytes:
    """A cached or installed file, plain or gzip; at most `limit` bytes of content."""
    data = path.read_bytes()
    return read_gzip(data, limit, str(path)) if data[:2] == b"\x1f\x8b" else data


def gzip_bytes(content: bytes) -> bytes:
    """Compressed for the cache; without a time stamp, so that equal content gives equal files."""
    return gzip.compress(content, compresslevel=6, mtime=0)
