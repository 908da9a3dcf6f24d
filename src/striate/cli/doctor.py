"""`striate doctor`: what Striate found on this machine."""

from __future__ import annotations

import importlib
import platform
import sys
from typing import Any

import click

from striate.cli.options import DATASETS, json_option


def examine() -> dict[str, Any]:
    """Version, CPU, instruction set, cores, quota, threads, data sets."""
    import numpy

    from striate import __version__
    from striate.backend.machine import engine_report
    from striate.datasets.cache import cache_folder

    return {
        "striate": __version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "numpy": numpy.__version__,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        **engine_report(),
        "cache": str(cache_folder()),
        **{name: _where(name) for name in DATASETS},
    }


def _where(name: str) -> str:
    """Where a data set lies, or what is missing of it."""
    found = importlib.import_module(f"striate.datasets.{name}").find()
    missing = [file for file, path in found.items() if path is None]
    if not missing:
        return ", ".join(sorted({str(path.parent) for path in found.values()}))
    here = "not here" if len(missing) == len(found) else f"not complete ({', '.join(missing)} missing)"
    return f"{here}; downloaded when asked for"


@click.command("doctor")
@json_option
def command(as_json: bool) -> None:
    """Version, CPU, instruction set chosen and why, cores, quota, threads, and where data sets were found."""
    from striate.cli.output import print_json

    found = examine()
    if as_json:
        print_json(found)
        return
    width = max(map(len, found))
    for name, value in found.items():
        # Data sets keep their underscores: that is how they are asked for.
        label = name if name in DATASETS else name.replace("_", " ")
        click.echo(f"{label:{width}}  {value}")
