"""The `striate` command: results on stdout, progress on stderr, mistakes answered with what would be right."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click
import click.shell_completion

from striate import __version__
from striate.cli.suggest import did_you_mean, explained, printable
from striate.core.errors import StriateError

#: command -> what it does; each is `command` of the module of its name, loaded when asked for.
COMMANDS = {
    "demo": "Train the lecture model on the embedded Fashion-MNIST sample and write a report.",
    "train": "Train a model on a data set.",
    "evaluate": "Loss and accuracy of a saved model on a data set's test images.",
    "predict": "What a saved model says of image files.",
    "summary": "The layers of a model; with --plan, how the engine runs it.",
    "bench": "How fast a model is here; with --compare, beside other stacks; with --layers, step by step.",
    "zoo": "The architectures that Striate has: parameters, multiply-adds, receptive field, paper.",
    "doctor": "What Striate found on this machine.",
}


class _Group(click.Group):
    """Commands by their modules, with a suggestion where one is misspelt."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"striate.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            hint = did_you_mean(args[0], COMMANDS) or f" There are: {', '.join(COMMANDS)}."
            raise click.UsageError(f"No such command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Group, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="striate")
@click.pass_context
def cli(context: click.Context) -> None:
    """Convolutional neural networks with the Keras 3 API, on an engine of their own."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit status: 0; 1 for a failure; 2 for a call that cannot be understood; 130 after Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        # A terminal that has no sign for "━" gets "?", not a traceback.
        if hasattr(stream, "reconfigure") and stream.errors == "strict":
            stream.reconfigure(errors="replace")
    try:
        completion = os.environ.get("_STRIATE_COMPLETE")
        if completion:
            return click.shell_completion.shell_complete(cli, {}, "striate", "_STRIATE_COMPLETE", completion)
        # Not cli.main(): that ends the process with status 1 when whoever reads our output has seen enough.
        with cli.make_context("striate", list(sys.argv[1:] if arguments is None else arguments)) as context:
            result: Any = cli.invoke(context)
        if sys.stdout is not None:
            sys.stdout.flush()
        return int(result or 0)
    except click.UsageError as error:
        explained(error).show()
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as error:
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nInterrupted.", err=True)  # the terminal has shown "^C"
        return 130
    except BrokenPipeError:
        return _reader_left()
    except (StriateError, OSError) as error:
        return _fail(str(error))
    except MemoryError:
        return _fail("There is not enough memory for this. A smaller --batch-size needs less.")


def _fail(message: str) -> int:
    click.echo(f"Error: {printable(message)}", err=True)
    return 1


def _reader_left() -> int:
    """`striate summary lecture | head`: whoever read our results has seen enough, which is no failure.

    What is still buffered goes nowhere, so that Python does not complain about it when it ends.
    """
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    return 0
