"""What training says as it goes: on standard output, or, where nobody watches, in the log."""

from __future__ import annotations

import logging
import sys

from striate.core.registry import export

LOGGER = logging.getLogger("striate")
_interactive = [True]


@export("config.enable_interactive_logging", "utils.enable_interactive_logging")
def enable_interactive_logging() -> None:
    """Write progress and messages on standard output, as it is from the start.

    Source: `keras.config.enable_interactive_logging`.
    """
    _interactive[0] = True


@export("config.disable_interactive_logging", "utils.disable_interactive_logging")
def disable_interactive_logging() -> None:
    """Send progress and messages to the logger "striate" of Python's `logging`, at level INFO: for servers and jobs.

    `logging.basicConfig(level=logging.INFO)` shows them; without any such line they are dropped. The progress bar
    becomes one message at the end of each epoch. (Keras sends them to the logger "absl".)

    Source: `keras.config.disable_interactive_logging`.

    Example:
        >>> disable_interactive_logging()
        >>> is_interactive_logging_enabled()
        False
        >>> enable_interactive_logging()
    """
    _interactive[0] = False


@export("config.is_interactive_logging_enabled", "utils.is_interactive_logging_enabled")
def is_interactive_logging_enabled() -> bool:
    """Whether progress and messages go to standard output. Source: `keras.config.is_interactive_logging_enabled`."""
    return _interactive[0]


def say(message: str, end: str = "\n") -> None:
    """One message to where messages go."""
    if not _interactive[0]:
        LOGGER.info("%s", message.strip("\n"))
        return
    try:
        sys.stdout.write(message + end)
    except UnicodeEncodeError:  # a terminal of few characters: the bar of "━" becomes one of "="
        encoding = sys.stdout.encoding or "ascii"
        plain = message.replace("━", "=").encode(encoding, errors="replace").decode(encoding)
        sys.stdout.write(plain + end)
    sys.stdout.flush()
