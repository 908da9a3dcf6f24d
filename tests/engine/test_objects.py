"""Objects compiled for one instruction set share no symbol but their rows.

A weak or unique symbol (a template's static table, a std::vector's member) is merged by the linker, which may keep the
AVX-512 copy for every CPU.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: of this machine; and of arm64, where `make arm64` was run
FOLDERS = ("dev", "arm64-*")
OBJECTS = sorted(p for f in FOLDERS for p in ROOT.glob(f"build/{f}/CMakeFiles/striate_*.dir/csrc/kernels/*/*.cc.o"))


@pytest.mark.skipif(not OBJECTS or shutil.which("nm") is None, reason="needs build/dev and nm")
def test_kernel_objects_define_their_rows_and_nothing_else() -> None:
    listed = subprocess.run(["nm", "--print-file-name", *map(str, OBJECTS)], capture_output=True, text=True, check=True)
    # Upper case: external. V, W, u: weak or unique (lower case v, w: weak and undefined). U: used, not defined. $d, $x:
    # arm64's marks of where data and code begin.
    defined = re.findall(r"^(\S+):\s*\S*\s([A-TVWX-Zuvw]) ([^$\s]\S*)$", listed.stdout, re.MULTILINE)
    assert defined
    strays = [line for line in defined if line[1] != "T" or not re.match(r"_ZN7striate\d+\w+_rows_\w+", line[2])]
    assert not strays
    assert len(defined) == len(OBJECTS)


@pytest.mark.skipif(not OBJECTS or shutil.which("objdump") is None, reason="needs build/dev and objdump")
def test_baseline_objects_use_no_wide_registers() -> None:
    for path in OBJECTS:
        if path.name == "baseline.cc.o":
            code = subprocess.run(["objdump", "-d", str(path)], capture_output=True, text=True, check=True).stdout
            assert not re.search(r"%[yz]mm|\bv(?:add|mul|fmadd)\w*[ps]s\b", code), path
