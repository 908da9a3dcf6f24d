"""Where results go: one JSON object on stdout, files in a folder that is tried before any work."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from striate.core.errors import ArgumentError


def plain(value: Any) -> Any:
    """A value as JSON has it: NumPy numbers as plain ones, what is not finite as null, paths as text."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.float32):
        # The shortest decimal that is this float32: 0.75, not the many digits of its double.
        return plain(float(str(value)))
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    if value is None or isinstance(value, str | int | bool):
        return value
    raise ArgumentError(f"No JSON for {type(value).__name__}.")


def json_line(result: Mapping[str, Any]) -> str:
    """One object on one line, valid everywhere."""
    return json.dumps(plain(result), allow_nan=False)


def print_json(result: Mapping[str, Any]) -> None:
    """One JSON object on stdout."""
    click.echo(json_line(result))


def prepare_folder(out: Path, files: Sequence[str], needed: int) -> None:
    """Make a folder for results, and find out now, not after an hour of training, what keeps us from writing there.

    Args:
        out: the folder.
        files: names that will be written in it.
        needed: bytes that they will take.

    Raises:
        click.UsageError: no folder that can be written to.
        click.ClickException: too little space on its disk.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out) as probe:
            probe.write(b"striate")
    except FileExistsError as error:
        raise click.UsageError(f"--out {str(out)!r} cannot be a folder: {error.filename} is a file.") from error
    except OSError as error:
        raise click.UsageError(f"Nothing can be written to --out {str(out)!r}: {error.strerror}.") from error
    for name in files:
        if (out / name).is_dir():
            raise click.UsageError(f"--out {str(out)!r} holds a folder {name!r} where a file is to be written.")
    free = shutil.disk_usage(out).free
    if free < needed:
        raise click.ClickException(
            f"The disk of --out {str(out)!r} has {free / 1e6:.1f} MB left; about {needed / 1e6:.0f} MB are needed. "
            "Make room or name another folder."
        )
