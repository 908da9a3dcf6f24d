"""examples/lenet5_reads_lines.py: windows out of lines, answers into signs, and the whole at a reduced size."""

from __future__ import annotations

import re
import runpy
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from tests.examples.test_examples import EXAMPLES, run


def test_lenet5_reads_lines_of_garments(tmp_path, monkeypatch, capsys):
    """A few windows of garments, one pass: it runs, counts, draws, and says that it learned too little."""
    few = ("--data", "garments", "--windows", 1500, "--epochs", 2, "--lines", 5, "--length", 3)
    with pytest.raises(SystemExit, match=r"reads too little: \d\.\d+ of the lines is below 1.01"):
        run("lenet5_reads_lines.py", *few, "--floor", 1.01, "--out", tmp_path / "line.svg", monkeypatch=monkeypatch)
    printed = capsys.readouterr().out
    told = re.search(r"(\d) of 5 lines read rightly, (\d+) errors in 15 signs", printed)
    assert told is not None
    drawn = ET.parse(tmp_path / "line.svg").getroot()
    svg = "{http://www.w3.org/2000/svg}"
    lines = [t.text for t in drawn.iter(f"{svg}text") if t.attrib.get("class") == "read"]
    assert 2 <= len(lines) <= 3 and all(line.startswith("read: ") for line in lines)
    places = (float(drawn.attrib["width"]) - 64 - 12) / 3
    assert len(list(drawn.iter(f"{svg}image"))) == len(lines) and places >= 32


def lines_example():
    return runpy.run_path(str(EXAMPLES / "lenet5_reads_lines.py"))


def test_windows_out_of_lines_have_in_the_middle_what_they_say():
    """A class's window has ink in its middle, that of a gap mostly none."""
    names = lines_example()
    images = np.zeros((3, 20, 20), "float32")
    images[:, :, 5:11] = 1
    x, y = names["cut_windows"](np.random.default_rng(0), images, np.array([4, 4, 4]), 200)
    assert set(y) == {4, names["NONE"]} and x.shape == (200, 32, 32, 1)
    middle = x[:, :, 15:17].max((1, 2, 3)) > 1
    assert middle[y == 4].all() and middle[y == names["NONE"]].mean() < 0.5


def test_runs_of_answers_are_signs_and_errors_are_counted():
    names = lines_example()
    shares = np.zeros((9, 11))
    for place, said in enumerate([10, 3, 3, 10, 3, 10, 7, 8, 8]):
        shares[place, said] = 1
    assert names["Reader"].read(shares) == [3, 3, 8]
    assert [names["distance"](a, [1, 2, 3]) for a in ([1, 2, 3], [1, 3], [1, 2, 2, 3], [2, 2, 3], [])] == [
        0,
        1,
        1,
        1,
        3,
    ]
