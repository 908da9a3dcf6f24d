"""Everything a developer runs: `python3 tools/dev.py TARGET`. The Makefile only calls this.

Needs Python >= 3.10 and nothing else: it makes `.venv` and installs what a target needs from PyPI. Where there is no C++
compiler, the build takes one from PyPI (the `ziglang` package's `zig c++`).
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
KERAS_VENV = ROOT / ".venv-keras"
BUILD_REQUIREMENTS = ("scikit-build-core>=0.10", "nanobind>=2.4", "cmake>=3.26", "ninja")
KERAS_REQUIREMENTS = ("keras==3.15.1", "jax", "h5py", "numpy", "pytest", "hypothesis", "pillow")


class Trouble(Exception):
    """Something the person at the keyboard can mend; the message says how."""


def say(text: str) -> None:
    print(f"==> {text}", file=sys.stderr, flush=True)


def run(*command: object, env: dict[str, str] | None = None) -> None:
    """Run a command in the project's folder; its failure is ours."""
    words = [str(part) for part in command]
    done = subprocess.run(words, cwd=ROOT, env={**os.environ, **(env or {})}, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


def in_venv(venv: Path, name: str) -> Path:
    """A program of a virtual environment."""
    return venv / ("Scripts" if os.name == "nt" else "bin") / (name + (".exe" if os.name == "nt" else ""))


def package_hint(debian: str, fedora: str) -> str:
    return f"On Debian or Ubuntu: sudo apt-get install {debian}. On Fedora: sudo dnf install {fedora}."


def check_python() -> None:
    """Python's version, its venv module and its headers, each with the package that brings it."""
    short = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    if sys.version_info < (3, 10):
        raise Trouble(f"Striate needs Python 3.10 or newer. This is {sys.version.split()[0]} ({sys.executable}).")
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError as error:
        raise Trouble(
            f"This Python ({sys.executable}) cannot make virtual environments: {error}. "
            + package_hint(f"{short}-venv", "python3-pip")
        ) from error
    header = Path(sysconfig.get_paths()["include"]) / "Python.h"
    if not header.exists():
        raise Trouble(f"Python's headers are missing: {header} does not exist. " + package_hint(f"{short}-dev", "python3-devel"))


def make_venv(path: Path) -> Path:
    """A virtual environment, made unless it is there; gives its Python."""
    python = in_venv(path, "python")
    if not python.exists():
        say(f"making {path.name}")
        try:
            run(sys.executable, "-m", "venv", path)
        except SystemExit as error:
            shutil.rmtree(path, ignore_errors=True)
            raise Trouble(f"`python -m venv {path}` failed; see above.") from error
    return python


def pip_install(python: Path, *requirements: str) -> None:
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements)


def compiler_version(program: str) -> tuple[str, int] | None:
    """("gcc" | "clang", major version) of a C++ compiler, None where it does not run."""
    path = shutil.which(program)
    if path is None:
        return None
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"(\d+)\.\d+", said)
    if found is None:
        return None
    return ("clang" if "clang" in said else "gcc"), int(found.group(1))


def find_compiler(python: Path) -> dict[str, str]:
    """CC and CXX of a compiler new enough (GCC 11, Clang 14), from PyPI where the machine has none."""
    asked = os.environ.get("CXX")
    if asked:
        return {"CXX": asked, "CC": os.environ.get("CC", asked)}
    if os.environ.get("STRIATE_USE_ZIG") != "1":
        for cxx, cc in (("g++", "gcc"), ("clang++", "clang"), ("c++", "cc")):
            version = compiler_version(cxx)
            if version and version[1] >= {"gcc": 11, "clang": 14}[version[0]] and shutil.which(cc):
                return {"CXX": cxx, "CC": cc}
    say("no C++ compiler found (GCC >= 11 or Clang >= 14): taking zig c++ from PyPI")
    pip_install(python, "ziglang")
    wrappers = {}
    for name, verb in (("CC", "cc"), ("CXX", "c++")):
        wrapper = in_venv(VENV, f"zig-{verb}")
        wrapper.write_text(f'#!/bin/sh\nexec "{python}" -m ziglang {verb} "$@"\n')
        wrapper.chmod(0o755)
        wrappers[name] = str(wrapper)
    return wrappers


def fingerprint(compiler: dict[str, str]) -> str:
    """Changes when the extension must be built again, or the requirements installed again."""
    digest = hashlib.sha256(repr((sys.version_info[:2], sorted(compiler.items()))).encode())
    sources = [ROOT / "CMakeLists.txt", ROOT / "pyproject.toml", *sorted((ROOT / "csrc").rglob("*"))]
    for path in sources:
        if path.is_file():
            digest.update(str(path.relative_to(ROOT)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def setup(extra: str = "dev") -> Path:
    """The environment with Striate built and installed in it (editable); does nothing where it is up to date."""
    check_python()
    python = make_venv(VENV)
    compiler = find_compiler(python)
    stamp = VENV / f".striate-{extra}"
    mark = fingerprint(compiler)
    built = list((ROOT / "src" / "striate" / "engine").glob("_native*"))
    if stamp.exists() and stamp.read_text() == mark and any(p.suffix in (".so", ".pyd") for p in built):
        return python
    say("building and installing Striate (a few minutes the first time)")
    pip_install(python, *BUILD_REQUIREMENTS)
    env = {**compiler, "PATH": str(in_venv(VENV, "x").parent) + os.pathsep + os.environ["PATH"]}
    build = ROOT / "build" / "dev"
    old = build / ".compiler"
    if old.exists() and old.read_text() != repr(compiler):
        shutil.rmtree(build)
    build.mkdir(parents=True, exist_ok=True)
    old.write_text(repr(compiler))
    run(
        in_venv(VENV, "cmake"), "-S", ".", "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
        f"-DPython_EXECUTABLE={python}", env=env,
    )  # fmt: skip
    run(in_venv(VENV, "cmake"), "--build", build, env=env)
    install_editable(python, extra)
    stamp.write_text(mark)
    return python


def install_editable(python: Path, extra: str) -> None:
    """The requirements, and this checkout on the environment's path with its `striate` command."""
    wanted = subprocess.run(
        [str(python), str(ROOT / "tools" / "requirements.py"), extra], capture_output=True, text=True, check=True
    )
    pip_install(python, *wanted.stdout.split("\n")[:-1])
    purelib = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    (Path(purelib) / "striate-dev.pth").write_text(str(ROOT / "src") + "\n")
    command = in_venv(VENV, "striate")
    command.write_text(f"#!{python}\nimport sys\nfrom striate.cli.main import main\nsys.exit(main())\n")
    command.chmod(0o755)
    for stale in (ROOT / ".venv").glob(".striate-*"):
        stale.unlink()


# Targets --------------------------------------------------------------------------------------------------------------


def target_setup() -> None:
    """make .venv, build and install"""
    setup()


def target_build() -> None:
    """build the native extension again where the sources changed"""
    setup()


def target_demo() -> None:
    """train the lecture model on the embedded Fashion-MNIST sample, write runs/demo/"""
    python = setup("run")
    run(python, "-m", "striate", "demo", "--out", "runs/demo")


def target_lint() -> None:
    """ruff, mypy --strict, import rules, public names, clang-format"""
    python = setup()
    run(python, "-m", "ruff", "check", ".")
    run(python, "-m", "ruff", "format", "--check", ".")
    run(python, "-m", "mypy")
    run(in_venv(VENV, "lint-imports"))
    run(python, "tools/public_names.py", "--check")
    sources = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "csrc").rglob("*") if p.suffix in (".h", ".cc"))
    run(in_venv(VENV, "clang-format"), "--dry-run", "--Werror", *sources)


def target_format() -> None:
    """let ruff and clang-format write the layout"""
    python = setup()
    run(python, "-m", "ruff", "check", "--fix-only", ".")
    run(python, "-m", "ruff", "format", ".")
    run(python, "tools/public_names.py")
    sources = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "csrc").rglob("*") if p.suffix in (".h", ".cc"))
    run(in_venv(VENV, "clang-format"), "-i", *sources)


def target_test() -> None:
    """set up, lint, run all tests that need no other framework"""
    target_lint()
    run(in_venv(VENV, "python"), "-m", "pytest")


def target_keras_env() -> None:
    """make .venv-keras: real Keras, the oracle of make test-keras"""
    if sys.version_info < (3, 11):
        raise Trouble(f"Keras 3.15 needs Python 3.11 or newer. This is {sys.version.split()[0]}.")
    stamp = KERAS_VENV / ".ready"
    if stamp.exists() and stamp.read_text() == repr(KERAS_REQUIREMENTS):
        return
    python = make_venv(KERAS_VENV)
    say("installing real Keras")
    pip_install(python, *KERAS_REQUIREMENTS)
    stamp.write_text(repr(KERAS_REQUIREMENTS))


def target_test_keras() -> None:
    """compare with real Keras: outputs, gradients through a step, configs, files"""
    python = setup()
    target_keras_env()
    run(python, "-m", "pytest", "tests_keras", env={"STRIATE_KERAS_PYTHON": str(in_venv(KERAS_VENV, "python"))})


def target_check_full() -> None:
    """the long forms: all tests, more random examples, the comparison with Keras"""
    python = setup()
    target_lint()
    run(python, "-m", "pytest", env={"HYPOTHESIS_PROFILE": "full"})
    target_keras_env()
    run(
        python, "-m", "pytest", "tests_keras",
        env={"STRIATE_KERAS_PYTHON": str(in_venv(KERAS_VENV, "python")), "HYPOTHESIS_PROFILE": "full"},
    )  # fmt: skip


def target_wheel() -> None:
    """build a wheel into dist/"""
    python = setup()
    pip_install(python, "build")
    run(python, "-m", "build", "--wheel", env=find_compiler(python))


def target_clean() -> None:
    """remove build products (environments and runs stay)"""
    for path in (ROOT / "build", ROOT / "dist"):
        shutil.rmtree(path, ignore_errors=True)
    for path in (ROOT / "src" / "striate" / "engine").glob("_native*.so"):
        path.unlink()


TARGETS = {
    name.removeprefix("target_").replace("_", "-"): fn for name, fn in list(globals().items()) if name.startswith("target_")
}


def main() -> int:
    listing = "\n".join(f"  {name:12} {fn.__doc__}" for name, fn in TARGETS.items())
    parser = argparse.ArgumentParser(description=__doc__, epilog="targets:\n" + listing, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=TARGETS, metavar="TARGET")
    asked = parser.parse_args()
    try:
        TARGETS[asked.target]()
    except Trouble as trouble:
        print(f"error: {trouble}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
