"""The command as a process: streams, signals, pipes, terminals."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.cli.conftest import TRAIN, command, environment, process

posix = pytest.mark.skipif(os.name != "posix", reason="signals and pipes of POSIX")


def test_training_in_a_process_of_its_own(tmp_path: Path) -> None:
    result = process(*TRAIN, "--epochs", 1, "--json", "--out", tmp_path / "run", short=True)
    assert result.code == 0, result.err
    assert json.loads(result.out)["epochs"] == 1
    assert re.fullmatch(r"epoch 1/1  4 steps  \S+  accuracy \S+  loss \S+\n", result.err)


def test_an_unknown_command() -> None:
    result = process("sumary", "lecture")
    assert (result.code, result.out) == (2, "")
    assert "Did you mean 'summary'?" in result.err


def test_what_needs_no_numpy_does_not_load_it() -> None:
    code = "import sys; from striate.cli.main import main; main(['--help']); sys.exit('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@posix
def test_a_reader_that_has_seen_enough() -> None:
    line = " ".join(f"'{part}'" for part in command("summary", "lecture", "--plan", "--mode", "train"))
    done = subprocess.run(
        ["bash", "-c", f"{line} | head -n 1; exit ${{PIPESTATUS[0]}}"],
        capture_output=True, text=True, env=environment(), check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, 'Model: "lecture"\n', "")


@posix
def test_closed_streams(tmp_path: Path) -> None:
    line = " ".join(f"'{part}'" for part in command("doctor"))
    assert subprocess.run(["bash", "-c", f"{line} >&- 2>&-"], env=environment(), check=False).returncode == 0
    done = subprocess.run(
        ["bash", "-c", f"{line} > /dev/full"], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and done.stderr == "Error: [Errno 28] No space left on device\n"


def test_a_terminal_without_the_signs_of_the_table() -> None:
    environ = {**environment(), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command("summary", "lecture"), env=environ, capture_output=True, check=False)
    assert done.returncode == 0 and b"1,413,834" in done.stdout


@posix
def test_completion() -> None:
    environ = {**environment(), "_STRIATE_COMPLETE": "bash_complete", "COMP_CWORD": "3"}
    environ["COMP_WORDS"] = "striate train --data f"
    done = subprocess.run(command(), env=environ, capture_output=True, text=True, check=False)
    assert done.stdout == "plain,fashion_mnist\nplain,fashion_mnist_mini\n"


@posix
def test_ctrl_c_in_a_terminal(tmp_path: Path) -> None:
    """In a real terminal of 80 columns: one line is redrawn; Ctrl-C ends it cleanly and keeps the first epoch."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environ = {**environment(), "TERM": "xterm"}
    del environ["COLUMNS"]
    running = subprocess.Popen(
        command(*TRAIN, "--epochs", 500, "--out", tmp_path, short=True),
        stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=environ,
    )  # fmt: skip
    os.close(theirs)
    watchdog = threading.Timer(180, running.kill)  # reading a terminal has no time limit of its own
    watchdog.start()
    shown = b""
    deadline = time.monotonic() + 60
    while b"epoch   2/500" not in shown and time.monotonic() < deadline:
        shown += os.read(ours, 65536)
    running.send_signal(signal.SIGINT)
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
    except OSError:  # how Linux says that the other side of a terminal is closed
        pass
    out, _ = running.communicate(timeout=60)
    watchdog.cancel()
    os.close(ours)
    assert (running.returncode, out) == (130, b"")
    text = re.sub(r"\x1b\[\d*[mK]", "", shown.decode())
    lines = text.replace("\r\n", "\n").split("\n")
    assert re.search(r"Interrupted\. .*model\.keras and .*metrics\.jsonl hold epoch \d+ of 500\.", text)
    assert "Traceback" not in text
    # How often a line is redrawn depends on the machine; that it is, and stays one line, does not.
    first = [line.split("\r") for line in lines if "epoch   1/500" in line]
    assert len(first) == 1 and len([drawing for drawing in first[0] if drawing]) > 1
    assert max(len(drawing) for line in lines for drawing in line.split("\r") if drawing.startswith("epoch")) < 80
    rows = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(row)["epoch"] for row in rows] == list(range(1, len(rows) + 1))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["metrics.jsonl", "model.keras"]
