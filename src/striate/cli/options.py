"""What several commands take: data sets and models by name, --json, numbers within bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import click

from striate.applications.zoo import ZOO
from striate.cli.suggest import Name

#: data sets of small grey images that the commands know by name.
DATASETS = ("fashion_mnist", "fashion_mnist_mini", "mnist")
#: models by name: they can be looked at, and trained on those data sets.
ARCHITECTURES = tuple(ZOO)


def data_option(default: str | None = None) -> Callable[..., Any]:
    """--data NAME; without a default it must be given."""
    # To click 8.3 and newer, a default of None that is written down is a value like others: nothing would be missing.
    given: dict[str, Any] = {"required": True} if default is None else {"default": default, "show_default": True}
    return click.option("--data", type=Name("data set", DATASETS), help="Data set to use.", **given)


json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")


def positive(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """A callback of click: only finite numbers above zero."""
    if value is not None and not (0 < value < math.inf):
        raise click.BadParameter(f"{value} is not above zero." if value <= 0 else f"{value} is no number.", ctx, param)
    return value


def share(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """A callback of click: from 0 up to, but not, 1 ("nan" is a float to click)."""
    if value is not None and not (0 <= value < 1):
        raise click.BadParameter(f"{value} is not in the range 0<=x<1.", ctx, param)
    return value
