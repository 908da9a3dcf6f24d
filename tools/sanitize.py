"""The engine under sanitizers: `make sanitize`, or `python3 tools/sanitize.py [address] [thread] [--long]`.

    address   AddressSanitizer and UndefinedBehaviorSanitizer
    thread    ThreadSanitizer

Each builds the engine with every kernel of every instruction set, csrc/testing and the Python module, and runs three
things: all kernels on problems with known answers and on steps that no planner would write; the engine from many
threads at once; and, in an ordinary Python, the tests of the bindings and of many threads on one model. Nothing is
suppressed, but that Python and NumPy keep memory until the process ends: any other report is a failure.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from drivers import build_drivers, run_all, write_cases
from environment import ROOT, VENV, Trouble, compiler_version, find_compiler, in_venv

COMMON = "-g1 -O1 -fno-omit-frame-pointer"  # lines and functions are what a report shows; all of -g takes a third more
FLAGS = {
    "address": f"{COMMON} -fsanitize=address,undefined -fno-sanitize-recover=all",
    "thread": f"{COMMON} -fsanitize=thread",
}
#: GCC's libraries, to be loaded before a Python that was not built with them
LIBRARIES = {"address": ("libasan.so", "libubsan.so"), "thread": ("libtsan.so",)}
MODULE_TESTS = ("tests/engine/test_native.py", "tests/engine/test_lock.py", "tests/robust/test_threads.py")
OPTIONS = {
    # No detect_stack_use_after_return: GCC 12 gives its frames too little alignment for AVX-512 (PR 110027).
    "ASAN_OPTIONS": "check_initialization_order=1:strict_init_order=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}
MODULE_OPTIONS = {
    **OPTIONS,
    # Tests ask for more memory than there is, and fork while threads run.
    "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
    "TSAN_OPTIONS": f"{OPTIONS['TSAN_OPTIONS']}:allocator_may_return_null=1:die_after_fork=0",
}


def without_random_addresses() -> list[str]:
    """ThreadSanitizer of older compilers stumbles over the wider address randomisation of newer kernels."""
    words = ["setarch", "-R"]
    if shutil.which("setarch") and subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
        return words
    return []


def sanitize(kind: str, long: bool) -> None:
    compiler = find_compiler(VENV)
    program = compiler["CMAKE_CXX_COMPILER"]
    if (compiler_version(program) or ("",))[0] != "gcc" or "zig" in program:
        raise Trouble(
            f"The sanitizers need GCC 11 or newer; found {program}. zig c++ has no AddressSanitizer, and of Clang this "
            "tool does not know where the libraries are that Python has to load. Install g++, or set CXX to it."
        )
    settings = {
        "STRIATE_MODULE": "ON",
        "STRIATE_IN_PLACE": "OFF",
        "Python_EXECUTABLE": str(in_venv(VENV, "python")),
        "CMAKE_BUILD_TYPE": "None",
        "CMAKE_CXX_FLAGS": FLAGS[kind],
    }
    folder = build_drivers(kind, {**compiler, **settings})
    cases = write_cases(100 if long else 10)
    prefix = without_random_addresses() if kind == "thread" else []
    mutations = {"address": 5, "thread": 0}[kind] * (20 if long else 1)
    seconds = 60 if long else 8
    kernels = [*prefix, folder / "run_kernels", cases, "threads", 3, "mutations", mutations]
    engine = [*prefix, folder / "run_engine", cases, "seconds", seconds]
    run_all(
        {
            f"{kind}: every kernel on every problem": (kernels, OPTIONS),
            f"{kind}: the engine in many threads": (engine, OPTIONS),
            f"{kind}: the Python module": ([*prefix, *in_python(kind, program, folder)], MODULE_OPTIONS),
        }
    )


def in_python(kind: str, program: str, folder: Path) -> list[object]:
    """The command that tests the module: on a copy of the sources, in a Python with the sanitizer's libraries."""
    copy = folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    skip = shutil.ignore_patterns("_native*.so", "_native*.pyd", "__pycache__")
    for name in ("src", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=skip)
    shutil.copy(ROOT / "pyproject.toml", copy)
    for module in folder.glob("_native*.so"):
        shutil.copy(module, copy / "src" / "striate" / "engine")
    libraries = [
        subprocess.run([program, f"-print-file-name={name}"], capture_output=True, text=True, check=True).stdout.strip()
        for name in LIBRARIES[kind]
    ]
    # By env, so that nothing but this Python has them loaded.
    inside = ["env", f"--chdir={copy}", f"LD_PRELOAD={' '.join(libraries)}"]
    return [*inside, in_venv(VENV, "python"), "-m", "pytest", "-q", "-p", "no:cacheprovider", *MODULE_TESTS]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", metavar="address|thread", help="which; all where none is named")
    parser.add_argument("--long", action="store_true", help="many more problems, for an hour and not minutes")
    asked = parser.parse_args()
    unknown = set(asked.kinds) - set(FLAGS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    os.chdir(ROOT)
    try:
        for kind in asked.kinds or FLAGS:
            sanitize(kind, asked.long)
    except Trouble as trouble:
        print(f"error: {trouble}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
