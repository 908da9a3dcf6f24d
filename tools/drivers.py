"""Building and running csrc/testing: programs that test kernels and engine where Python cannot take part."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from environment import (
    BUILD_REQUIREMENTS,
    ROOT,
    VENV,
    Trouble,
    in_venv,
    is_done,
    on_path,
    pip_install,
    run,
    set_done,
    step,
)

NICE = 5  # these are long: leave the machine usable


def build_drivers(name: str, settings: dict[str, str]) -> Path:
    """The folder build/<name> with run_kernels and run_engine, compiled with these CMake variables."""
    folder = ROOT / "build" / name
    wanted = repr(BUILD_REQUIREMENTS)
    if not is_done(VENV, "build-requirements", wanted):
        pip_install(VENV, *BUILD_REQUIREMENTS)
        set_done(VENV, "build-requirements", wanted)
    cmake = in_venv(VENV, "cmake")
    settings = {"STRIATE_MODULE": "OFF", "STRIATE_TESTING": "ON", **settings}
    with step(f"compiling the engine into build/{name} (minutes the first time)"):
        defined = [f"-D{key}={value}" for key, value in settings.items()]
        run(cmake, "-S", ".", "-B", folder, "-G", "Ninja", "--log-level=NOTICE", *defined, env=on_path(VENV))
        run("nice", "-n", NICE, cmake, "--build", folder, env=on_path(VENV))
    return folder


def write_cases(random_ones: int) -> Path:
    """A file of problems and their answers by the ops' references: the hand-made ones, and random ones for each op."""
    path = ROOT / "build" / f"cases-{random_ones}.bin"
    path.parent.mkdir(exist_ok=True)
    with step(f"writing problems and their answers, {random_ones} random ones for each op"):
        search = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
        words = ("-m", "tests.support.case_file", path, random_ones)
        run("nice", "-n", NICE, in_venv(VENV, "python"), *words, env={"PYTHONPATH": search})
    return path


def run_all(commands: dict[str, tuple[list[object], dict[str, str]]]) -> None:
    """Run test programs (command, environment), by what they test; Trouble, at the end, where one failed."""
    failed = []
    for what, (command, env) in commands.items():
        words = ["nice", "-n", str(NICE), *map(str, command)]
        with step(what):
            done = subprocess.run(words, cwd=ROOT, env={**os.environ, **env}, check=False)
        if done.returncode:
            failed.append(f"{what}: exit {done.returncode}. Again: {' '.join(words[3:])}")
    if failed:
        raise Trouble("\n".join(failed))
