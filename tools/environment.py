"""The environments: `.venv` with Striate built in it, and the compiler that builds it.

Each step leaves a stamp in the environment when it is done and only then, so a step that was cut off is done again,
and a step whose stamp holds costs nothing. Where the making of an environment or pip was cut off, what is left behind
looks installed and is not: such an environment is made anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BUILD = ROOT / "build" / "dev"
ENGINE = ROOT / "src" / "striate" / "engine"
BUILD_REQUIREMENTS = ("nanobind>=2.9.2", "cmake>=3.19", "ninja")
OLDEST_COMPILERS = {"gcc": 11, "clang": 14}
WINDOWS = os.name == "nt"


class Trouble(Exception):
    """Something the person at the keyboard can mend; the message says how."""


def say(text: str) -> None:
    print(f"==> {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(text: str) -> Iterator[None]:
    """Say what is going on, and afterwards how long it took."""
    say(text)
    start = time.monotonic()
    yield
    say(f"    {time.monotonic() - start:.0f} s")


def run(*command: object, env: dict[str, str] | None = None) -> None:
    """Run a command in the project's folder; its failure is ours."""
    words = [str(part) for part in command]
    done = subprocess.run(words, cwd=ROOT, env={**os.environ, **(env or {})}, check=False)
    if done.returncode:
        raise SystemExit(done.returncode if done.returncode > 0 else 128 - done.returncode)


def run_together(*commands: Sequence[object], env: dict[str, str] | None = None) -> None:
    """Run commands at the same time, the first with its output as it comes, the others with theirs after it."""
    whole = {**os.environ, **(env or {})}
    with contextlib.ExitStack() as stack:
        others = []
        for command in commands[1:]:
            output = stack.enter_context(tempfile.TemporaryFile())
            words = [str(part) for part in command]
            process = subprocess.Popen(words, cwd=ROOT, env=whole, stdout=output, stderr=subprocess.STDOUT)
            stack.callback(process.kill)  # an interrupt ends them too; one that has ended does not mind
            others.append((process, output))
        failed = subprocess.run([str(part) for part in commands[0]], cwd=ROOT, env=whole, check=False).returncode != 0
        for process, output in others:
            failed |= process.wait() != 0
            output.seek(0)
            print(output.read().decode(errors="replace"), flush=True)
    if failed:
        raise SystemExit(1)


def in_venv(venv: Path, name: str) -> Path:
    """A program of a virtual environment."""
    return venv / ("Scripts" if WINDOWS else "bin") / (name + (".exe" if WINDOWS else ""))


def on_path(venv: Path) -> dict[str, str]:
    """The environment variables that put a virtual environment's programs first."""
    return {"PATH": str(in_venv(venv, "python").parent) + os.pathsep + os.environ.get("PATH", os.defpath)}


# Stamps ---------------------------------------------------------------------------------------------------------------


def stamp(venv: Path, name: str) -> Path:
    return venv / ".striate" / name


def is_done(venv: Path, name: str, mark: str) -> bool:
    path = stamp(venv, name)
    return path.exists() and path.read_text() == mark


def set_done(venv: Path, name: str, mark: str) -> None:
    path = stamp(venv, name)
    path.parent.mkdir(exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(mark)
    new.replace(path)


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """One setup of this checkout at a time; a second waits for the first."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    (ROOT / "build").mkdir(exist_ok=True)
    with open(ROOT / "build" / ".lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("another setup of this checkout is running: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


# Python ---------------------------------------------------------------------------------------------------------------

_CAN_BUILD = """
import importlib.util, os, platform, sysconfig
print(platform.python_version())
print(all(importlib.util.find_spec(name) for name in ("ensurepip", "venv")))
print(os.path.join(sysconfig.get_paths()["include"], "Python.h"))
"""
_DESCRIBE = """
import importlib.machinery, json, sys, sysconfig
print(json.dumps({"version": "%d.%d.%d" % sys.version_info[:3], "tag": sys.implementation.cache_tag,
                  "base": sys.base_prefix, "suffixes": importlib.machinery.EXTENSION_SUFFIXES,
                  "purelib": sysconfig.get_paths()["purelib"]}))
"""


def describe(python: Path) -> dict[str, Any] | None:
    """Version, headers and file names of a Python; None where it does not run or has no pip."""
    if not python.exists():
        return None
    said = subprocess.run([str(python), "-c", "import pip\n" + _DESCRIBE], capture_output=True, text=True, check=False)
    return json.loads(said.stdout) if said.returncode == 0 else None


def check_python(maker: str, headers: bool) -> str:
    """The version of a Python that can make environments (and build extensions); else what to install, all of it."""
    said = subprocess.run([maker, "-c", _CAN_BUILD], capture_output=True, text=True, check=True).stdout.split("\n")
    version, can_make, header = said[:3]
    python = "python" + version.rpartition(".")[0]
    lacks = []
    if can_make != "True":
        lacks.append(("its venv module", f"{python}-venv", "python3-pip"))
    if headers and not Path(header).exists():
        lacks.append((f"its headers ({header})", f"{python}-dev", "python3-devel"))
    if lacks:
        what, debian, fedora = (sorted(column) for column in zip(*lacks, strict=True))
        raise Trouble(
            f"This Python ({maker}, {version}) lacks {' and '.join(what)}.\n"
            f"  On Debian or Ubuntu: sudo apt-get install {' '.join(debian)}\n"
            f"  On Fedora:           sudo dnf install {' '.join(fedora)}"
        )
    return version


@contextlib.contextmanager
def unfinished(venv: Path) -> Iterator[None]:
    """Leaves a file beside an environment while it is being changed, which stays there where that is cut off."""
    mark = mark_of(venv)
    mark.touch()
    try:
        yield
    except (SystemExit, Trouble):  # a program that failed has tidied up
        mark.unlink()
        raise
    mark.unlink()


def mark_of(venv: Path) -> Path:
    return venv.with_name(venv.name + ".unfinished")


def make_venv(path: Path, maker: str = sys.executable, headers: bool = False) -> dict[str, Any]:
    """A virtual environment that works, made by `maker` where there is none; what `describe` says of its Python."""
    here = str(path)  # its programs hold the folder's name: a moved checkout needs a new one
    about = None if mark_of(path).exists() else describe(in_venv(path, "python"))
    if about and (is_done(path, "made", here) or not stamp(path, "made").exists()):  # or made by hand
        return about
    version = check_python(maker, headers)
    say(f"making {path.name} with Python {version}" + (", anew" if path.exists() else ""))
    with unfinished(path):
        run(maker, "-m", "venv", "--clear", path)
        about = describe(in_venv(path, "python"))
        if about is None:
            raise Trouble(f"`{maker} -m venv {path}` made no environment with pip in it; see above.")
        set_done(path, "made", here)
    return about


def pip_install(venv: Path, *requirements: str) -> None:
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    with unfinished(venv):
        try:
            run(in_venv(venv, "python"), "-m", "pip", "install", *quiet, *requirements)
        except SystemExit as error:
            raise Trouble(
                f"pip could not install {' '.join(requirements)}; see above. Setting up needs PyPI, or a mirror of it "
                "(pip's settings: PIP_INDEX_URL, PIP_FIND_LINKS, PIP_PROXY)."
            ) from error


# Compiler -------------------------------------------------------------------------------------------------------------


def compiler_version(program: str) -> tuple[str, int] | None:
    """("gcc" | "clang", major version) of a C++ compiler, None where it does not run."""
    path = shutil.which(program)
    if path is None:
        return None
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"(\d+)\.\d+", said)
    return (("clang" if "clang" in said else "gcc"), int(found.group(1))) if found else None


def find_compiler(venv: Path) -> dict[str, str]:
    """CMake's variables for a C++ compiler new enough, from PyPI where the machine has none; CXX has the first word."""
    asked = os.environ.get("CXX")
    if asked:
        return {"CMAKE_CXX_COMPILER": asked}
    if os.environ.get("STRIATE_USE_ZIG") != "1":
        for program in ("g++", "clang++", "c++"):
            version = compiler_version(program)
            if version and version[1] >= OLDEST_COMPILERS[version[0]]:
                return {"CMAKE_CXX_COMPILER": str(shutil.which(program))}
    tools = {"CMAKE_CXX_COMPILER": "c++", "CMAKE_AR": "ar", "CMAKE_RANLIB": "ranlib"}
    wrappers = {variable: venv / "bin" / f"zig-{tool}" for variable, tool in tools.items()}
    if not all(path.exists() for path in wrappers.values()):
        with step("no C++ compiler here (GCC 11 or Clang 14 at least): taking zig c++ from PyPI (about 90 MB)"):
            pip_install(venv, "ziglang")
        said = subprocess.run(
            [str(in_venv(venv, "python")), "-c", "import os, ziglang; print(os.path.dirname(ziglang.__file__))"],
            capture_output=True,
            text=True,
            check=True,
        )
        zig = Path(said.stdout.strip()) / "zig"
        for variable, tool in tools.items():
            # What zig builds of its C++ library stays in the checkout too. It builds one for each CPU it compiles for:
            # the baseline, unless told otherwise, as the rest of the engine.
            words = f"{tool} -mcpu=baseline" if tool == "c++" else tool
            text = f'#!/bin/sh\nexport ZIG_GLOBAL_CACHE_DIR="{ROOT}/build/zig"\nexec "{zig}" {words} "$@"\n'
            new = wrappers[variable].with_suffix(".new")
            new.write_text(text)
            new.chmod(0o755)
            new.replace(wrappers[variable])
    return {variable: str(path) for variable, path in wrappers.items()}


# Build ----------------------------------------------------------------------------------------------------------------


def fingerprint() -> str:
    """Changes with every source of the extension."""
    digest = hashlib.sha256()
    for path in [ROOT / "CMakeLists.txt", *sorted((ROOT / "csrc").rglob("*"))]:
        if path.is_file():
            digest.update(str(path.relative_to(ROOT)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def build(about: dict[str, Any]) -> None:
    """The extension, compiled where its sources changed, and copied into src/."""
    python = in_venv(VENV, "python")
    compiler = find_compiler(VENV)
    program = compiler["CMAKE_CXX_COMPILER"]
    configured = repr((str(ROOT), compiler, compiler_version(program), about["tag"], about["base"]))
    mark = configured + fingerprint()
    there = any((ENGINE / f"_native{suffix}").exists() for suffix in about["suffixes"])
    if there and is_done(VENV, "built", mark):
        return
    check_python(str(python), headers=True)
    wanted = repr(BUILD_REQUIREMENTS)
    if not is_done(VENV, "build-requirements", wanted):
        with step("installing CMake, Ninja and nanobind from PyPI"):
            pip_install(VENV, *BUILD_REQUIREMENTS)
        set_done(VENV, "build-requirements", wanted)
    cmake = in_venv(VENV, "cmake")
    if not (BUILD / "build.ninja").exists() or not is_done(BUILD, "configured", configured):
        shutil.rmtree(BUILD, ignore_errors=True)
        BUILD.mkdir(parents=True)
        slow = "; zig builds its C++ library first, which takes minutes" if "zig-" in program else ""
        with step(f"configuring, for Python {about['version']} and {program}{slow}"):
            settings = {"CMAKE_BUILD_TYPE": "Release", "Python_EXECUTABLE": python, **compiler}
            defined = [f"-D{name}={value}" for name, value in settings.items()]
            run(cmake, "-S", ".", "-B", BUILD, "-G", "Ninja", "--log-level=NOTICE", *defined, env=on_path(VENV))
        set_done(BUILD, "configured", configured)
    with step(f"compiling the engine ({os.cpu_count()} cores; a few minutes the first time)"):
        run(cmake, "--build", BUILD, env=on_path(VENV))
    check = "import importlib; importlib.import_module('striate.engine._native')"
    run(python, "-c", check, env={"PYTHONPATH": str(ROOT / "src")})
    set_done(VENV, "built", mark)


def install_requirements(extra: str, about: dict[str, Any]) -> None:
    """What pyproject.toml asks for, and this checkout on the environment's path with its `striate` command."""
    python = in_venv(VENV, "python")
    project = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if any(is_done(VENV, name, project) for name in {extra, "dev"}):
        return
    listed = subprocess.run(
        [str(python), str(ROOT / "tools" / "requirements.py"), extra], capture_output=True, text=True, check=True
    )
    wanted = listed.stdout.split("\n")[:-1]
    with step("installing from PyPI: " + ", ".join(re.split(r"[ <>=~!]", line)[0] for line in wanted)):
        pip_install(VENV, *wanted)
    (Path(about["purelib"]) / "striate-dev.pth").write_text(str(ROOT / "src") + "\n")
    command = in_venv(VENV, "striate")
    command.write_text(f'#!/bin/sh\nexec "{python}" -m striate "$@"\n')
    command.chmod(0o755)
    set_done(VENV, extra, project)


def setup(extra: str = "dev") -> Path:
    """The environment with Striate built and installed in it (editable); does nothing where it is up to date.

    "run" brings what Striate needs to run, "dev" also what its checks and tests need. Gives the environment's Python.
    """
    with locked():
        about = make_venv(VENV, headers=True)
        build(about)
        install_requirements(extra, about)
    return in_venv(VENV, "python")
