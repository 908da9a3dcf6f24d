"""The kernels for arm64 (NEON): `python3 tools/arm64.py [--long]`. Cross-built, and run by an emulator.

zig c++ (PyPI's ziglang) builds the engine and csrc/testing for aarch64-linux-gnu; qemu-aarch64 (Debian's
qemu-user-static) runs every NEON kernel on problems with known answers, and the engine in several threads. Where the C
library for arm64 is missing (Debian's libc6-arm64-cross), programs are linked against musl, statically.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from drivers import build_drivers, run_all, write_cases
from environment import ROOT, VENV, Trouble, in_venv, pip_install, say

SYSROOT = Path("/usr/aarch64-linux-gnu")
#: glibc as old as the wheels', so that what is tested is what is shipped.
TARGETS = {True: "aarch64-linux-gnu.2.28", False: "aarch64-linux-musl"}


def zig() -> Path:
    """The zig program of the ziglang wheel, installed where it is missing."""
    python = str(in_venv(VENV, "python"))
    find = [python, "-c", "import os, ziglang; print(os.path.dirname(ziglang.__file__))"]
    if subprocess.run(find, capture_output=True, check=False).returncode:
        pip_install(VENV, "ziglang")
    return Path(subprocess.run(find, capture_output=True, text=True, check=True).stdout.strip()) / "zig"


def wrappers(target: str) -> dict[str, str]:
    """CMake's variables for zig's compiler and archiver, each a script of one line."""
    folder = ROOT / "build" / "arm64-tools"
    folder.mkdir(parents=True, exist_ok=True)
    words = {"CMAKE_CXX_COMPILER": f"c++ -target {target}", "CMAKE_AR": "ar", "CMAKE_RANLIB": "ranlib"}
    for variable, tool in words.items():
        script = folder / variable.lower()
        script.write_text(f'#!/bin/sh\nexport ZIG_GLOBAL_CACHE_DIR="{ROOT}/build/zig"\nexec "{zig()}" {tool} "$@"\n')
        script.chmod(0o755)
    return {variable: str(folder / variable.lower()) for variable in words}


def emulator(glibc: bool) -> list[str]:
    if os.uname().machine == "aarch64":
        return []
    program = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")
    if program is None:
        raise Trouble(
            "No qemu-aarch64 here, which runs programs for arm64.\n"
            "  On Debian or Ubuntu: sudo apt-get install qemu-user-static libc6-arm64-cross\n"
            "  On Fedora:           sudo dnf install qemu-user-static"
        )
    return [program, "-L", str(SYSROOT)] if glibc else [program]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true", help="many more problems")
    asked = parser.parse_args()
    os.chdir(ROOT)
    try:
        glibc = os.uname().machine == "aarch64" or (SYSROOT / "lib" / "ld-linux-aarch64.so.1").exists()
        prefix = emulator(glibc)
        say(f"for {TARGETS[glibc]}, run by {prefix[0] if prefix else 'this CPU'}")
        cross = {"CMAKE_SYSTEM_NAME": "Linux", "CMAKE_SYSTEM_PROCESSOR": "aarch64", "CMAKE_BUILD_TYPE": "Release"}
        folder = build_drivers(f"arm64-{'gnu' if glibc else 'musl'}", {**cross, **wrappers(TARGETS[glibc])})
        cases = write_cases(100 if asked.long else 10)
        kernels = [*prefix, folder / "run_kernels", cases, "threads", 3, "mutations", 10 if asked.long else 1]
        engine = [*prefix, folder / "run_engine", cases, "seconds", 5]
        run_all(
            {
                "arm64: every kernel on every problem": (kernels, {}),
                "arm64: the engine in many threads": (engine, {}),
            }
        )
    except Trouble as trouble:
        print(f"error: {trouble}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
