"""Archives whose directory lies, or that unpack to more than they should."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import striate as keras
from tests.saving.files import MEMBERS, frugal, members, refused, rewrite, watched

CENTRAL, LOCAL, END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"


def patched(path: Path, change: Callable[[bytearray], None]) -> Path:
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)
    return path


def entry(content: bytearray, name: str, signature: bytes = CENTRAL) -> int:
    """Where the header of a member begins."""
    at = 0
    while True:
        at = content.index(signature, at)
        start = at + (46 if signature == CENTRAL else 30)
        if content[start : start + len(name)] == name.encode():
            return at
        at += 4


def test_members_may_be_deflated(path: Path) -> None:
    before = keras.models.load_model(path).get_weights()
    rewrite(path, zipfile.ZIP_DEFLATED)
    for a, b in zip(before, keras.models.load_model(path).get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_packings_are_refused(path: Path, method: int) -> None:
    refused(rewrite(path, method), "packed by method")


@pytest.mark.parametrize("name", MEMBERS)
def test_bomb(path: Path, name: str) -> None:
    """300 MB of spaces in 300 kB: refused before it is unpacked."""
    held = members(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for member, content in held.items():
            with archive.open(member, "w") as out:
                out.write(content)
                for _ in range(300 if member == name else 0):
                    out.write(b" " * (1 << 20))
    assert path.stat().st_size < 1_000_000
    refused(path, "would unpack")


@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("size", [2**20, 2**32 - 2])
def test_lying_sizes(path: Path, name: str, size: int) -> None:
    """Sizes in the directory that the file does not have."""

    def lie(content: bytearray) -> None:
        at = entry(content, name)
        struct.pack_into("<II", content, at + 20, size, size)

    refused(patched(path, lie), "claims|unpack|damaged")


@pytest.mark.parametrize("name", MEMBERS)
def test_a_longer_member_than_promised(path: Path, name: str) -> None:
    """The directory promises 10 bytes; more come out."""
    rewrite(path, zipfile.ZIP_DEFLATED)

    def lie(content: bytearray) -> None:
        struct.pack_into("<I", content, entry(content, name) + 24, 10)

    refused(patched(path, lie), "damaged|not as long")


def test_a_directory_of_many_members(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        for i in range(20_000):
            archive.writestr(f"{i:040}", b"")
    refused(path, "directory has")


def test_a_directory_that_claims_to_be_huge(path: Path) -> None:
    def lie(content: bytearray) -> None:
        struct.pack_into("<I", content, content.rindex(END) + 12, 2**31)

    refused(patched(path, lie), "damaged")


def test_two_members_of_one_name(path: Path) -> None:
    """Which of them counts would be each reader's own choice."""
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("config.json", "{}")
    refused(path, "holds 2 members named config.json")


@pytest.mark.parametrize("name", MEMBERS)
def test_a_missing_member(path: Path, name: str) -> None:
    held = members(path)
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in held.items():
            if member != name:
                archive.writestr(member, content)
    refused(path, f"holds 0 members named {name}")


def test_an_encrypted_member(path: Path) -> None:
    def mark(content: bytearray) -> None:
        for signature, flags in ((CENTRAL, 8), (LOCAL, 6)):
            at = entry(content, "config.json", signature)
            struct.pack_into("<H", content, at + flags, 1)

    refused(patched(path, mark), "encrypted")


def test_weights_that_can_hold_pickles_are_refused(path: Path) -> None:
    held = members(path)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in held.items():
            archive.writestr(name.replace(".h5", ".npz"), content)
    refused(path, "model.weights.npz, a format that can hold pickled code")


def test_other_members_are_not_looked_at(path: Path) -> None:
    """Names that would land elsewhere, links, assets: nothing of them is unpacked."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../escaped", b"x")
        archive.writestr("/tmp/escaped", b"x")
        archive.writestr("assets/_tf/vocabulary.txt", b"x")
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, b"/etc/passwd")
    before = sorted(path.parent.rglob("*"))
    with watched(path), frugal():
        keras.models.load_model(path)
    assert sorted(path.parent.rglob("*")) == before


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"no archive", b"PK\x05\x06" + bytes(18), b"\x89HDF\r\n\x1a\n" + bytes(99)]
)
def test_no_archive(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.keras"
    path.write_bytes(content)
    refused(path, "no .keras file|holds 0 members")


def test_no_file_no_folder(tmp_path: Path) -> None:
    refused(tmp_path / "none.keras", "File not found.*current folder")
    (tmp_path / "folder.keras").mkdir()
    refused(tmp_path / "folder.keras", "is a folder")


def test_weights_alone_are_no_model(path: Path) -> None:
    file = path.parent / "a.weights.h5"
    file.write_bytes(members(path)["model.weights.h5"])
    refused(file, "load_weights")
