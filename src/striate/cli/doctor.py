"""`striate doctor`: what Striate found on this machine."""

from __future__ import annotations

import os
import platform
import sys
from typing import Any

import click

from striate.cli.options import json_option


def examine() -> dict[str, Any]:
    """Version, CPU, instruction set, cores, quota, threads, data sets."""
    import numpy

    from striate import __version__
    from striate.backend.machine import engine_report
    from striate.datasets import fashion_mnist
    from striate.datasets.cache import cache_folder

    found = {name: str(path) if path else None for name, path in fashion_mnist.DATASET.find().items()}
    missing = [name for name, path in found.items() if path is None]
    where = sorted({os.path.dirname(p) for p in found.values() if p})
    return {
        "striate": __version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "numpy": numpy.__version__,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        **engine_report(),
        "cache": str(cache_folder()),
        "fashion_mnist": ", ".join(where) if not missing else f"not complete on this machine (missing: {', '.join(missing)}); "
        "it is downloaded when asked for",
        "fashion_mnist_mini": "inside the package (6,000 + 1,000 images)",
        "mnist": str(cache_folder() / "mnist") if (cache_folder() / "mnist").exists() else "not on this machine; it is "
        "downloaded when asked for",
    }


@click.command("doctor")
@json_option
def command(as_json: bool) -> None:
    """Version, CPU, instruction set chosen and why, cores, quota, threads, and where data sets were found."""
    from striate.cli.options import print_json

    found = examine()
    if as_json:
        print_json(found)
        return
    width = max(map(len, found))
    for name, value in found.items():
        click.echo(f"{name.replace('_', ' '):{width}}  {value}")
