"""Mistyped names answered with the nearest right one, and text from outside made safe for a terminal."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import click.shell_completion


def nearest(word: str, names: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The name that `word` was probably meant to be, None where nothing is near; case and - or _ do not count."""

    def plain(text: str) -> str:
        return text.lower().replace("-", "_")

    by_plain = {plain(name): name for name in reversed(list(names))}
    found = difflib.get_close_matches(plain(word), by_plain, n=1, cutoff=cutoff)
    return by_plain[found[0]] if found else None


def did_you_mean(word: str, names: Iterable[str], cutoff: float = 0.6) -> str:
    """A sentence, with a space before it: "Did you mean 'x'?"; or nothing."""
    near = nearest(word, names, cutoff)
    return f" Did you mean {near!r}?" if near is not None else ""


def files_beside(path: str, pattern: str = "*") -> list[str]:
    """The files of the folder that `path` names, as they would be typed."""
    try:
        return sorted(str(p) for p in Path(path).parent.glob(pattern) if p.is_file() and not p.name.startswith("."))
    except OSError:
        return []


def did_you_mean_file(path: str, pattern: str = "*", also: Iterable[str] = ()) -> str:
    """The same for a path: the file of its folder with the nearest name, or a word of `also`."""
    files = {Path(p).name: p for p in files_beside(path, pattern)}
    near = nearest(Path(path).name, [*also, *files])
    return f" Did you mean {files.get(near, near)!r}?" if near is not None else ""


def printable(text: str) -> str:
    """Text from a file, such as class names, without what would steer a terminal: control characters are shown."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


if TYPE_CHECKING:
    _ParamType = click.ParamType[str]
else:
    _ParamType = click.ParamType  # not generic before click 8.3


class Name(_ParamType):
    """One of several names; another is refused with the nearest."""

    name = "name"

    def __init__(self, what: str, names: Sequence[str]) -> None:
        self.what = what
        self.names = tuple(names)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value in self.names:
            return str(value)
        hint = did_you_mean(str(value), self.names)
        self.fail(f"{value!r} is not a known {self.what}.{hint} There are: {', '.join(self.names)}.", param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        return [click.shell_completion.CompletionItem(n) for n in self.names if n.startswith(incomplete)]

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return f"[{'|'.join(self.names)}]"


def explained(error: click.UsageError) -> click.UsageError:
    """An unknown option with the nearest one that the command has; any other error as it is."""
    if not isinstance(error, click.NoSuchOption):
        return error
    command = error.ctx.command if error.ctx is not None else None
    options = [o for p in command.get_params(error.ctx) for o in p.opts] if command and error.ctx else []
    options = [o for o in options if o.startswith("--")]
    # The dashes that every option has would make any two of them look alike.
    near = nearest(error.option_name.lstrip("-"), [o[2:] for o in options], cutoff=0.5)
    hint = f"Did you mean '--{near}'?" if near else f"There are: {', '.join(options)}."
    return click.UsageError(f"No such option {error.option_name!r}. {hint}", error.ctx)
