"""Objects compiled for one instruction set hold nothing that the linker could take for another CPU.

A weak symbol (a template's static table, an inline function that was not inlined, a std::vector) exists once in each
object, and the linker keeps any one of them: perhaps the AVX-512 copy, for every CPU.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "dev"
LOCAL, GLOBAL, WEAK, UNIQUE = 0, 1, 2, 10
SYMTAB = 2


def symbols(path: Path) -> Iterator[tuple[str, int, bool]]:
    """(name, binding, defined here) of each symbol of a 64-bit little-endian ELF object."""
    data = path.read_bytes()
    assert data[:6] == b"\x7fELF\x02\x01", f"{path} is no 64-bit little-endian ELF object"
    start, entry_size, count = struct.unpack_from("<Q10xHH", data, 40)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, start + i * entry_size) for i in range(count)]
    for kind, offset, size, link in ((s[1], s[4], s[5], s[6]) for s in sections):
        if kind != SYMTAB:
            continue
        names = sections[link][4]
        for at in range(offset, offset + size, 24):
            name, info, _, section = struct.unpack_from("<IBBH", data, at)
            end = data.index(b"\0", names + name)
            yield data[names + name : end].decode(), info >> 4, section != 0


def kernel_objects() -> list[Path]:
    listing = BUILD / "compile_commands.json"
    if not listing.exists():
        return []
    outputs = [command["output"] for command in json.loads(listing.read_text()) if "/csrc/kernels/" in command["file"]]
    return [BUILD / output for output in outputs if (BUILD / output).exists()]


OBJECTS = kernel_objects()
if OBJECTS and OBJECTS[0].read_bytes()[:4] != b"\x7fELF":
    OBJECTS = []


@pytest.mark.skipif(not OBJECTS, reason="no ELF objects of a development build (make build)")
def test_kernels_export_their_table_and_nothing_that_merges() -> None:
    for path in OBJECTS:
        found = list(symbols(path))
        merging = [name for name, binding, _ in found if binding in (WEAK, UNIQUE)]
        assert not merging, f"{path.name} of {path.parent.name} has weak or unique symbols: {merging}"
        family, isa = path.parent.name, path.name.partition(".")[0]
        exported = [name for name, binding, here in found if binding == GLOBAL and here]
        assert len(exported) == 1 and f"{family}_rows_{isa}" in exported[0], f"{path}: exports {exported}"


@pytest.mark.skipif(not OBJECTS, reason="no ELF objects of a development build (make build)")
def test_the_reader_of_objects_sees_weak_symbols() -> None:
    engine = next((BUILD / "CMakeFiles").glob("striate_engine.dir/csrc/engine/compile.cc.o"))
    assert any(binding == WEAK for _, binding, _ in symbols(engine)), "a std::vector is in there"
