"""``callboard``: finds the command, and says in a sentence what went wrong."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

import callboard
from callboard.cli import run, serve, show
from callboard.errors import CallboardError

__all__ = ["main"]

_COMMANDS = (serve, run, show)
# What shells say of a program that Ctrl+C ended: 128, and the signal's number.
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: What follows ``callboard``; that of the process if None.

    Returns:
        The exit status: 0 if it did what it was asked to, 1 if it could not, 2 if it was asked
        for something that there is not, 130 if Ctrl+C ended it.

    Raises:
        KeyboardInterrupt: Ctrl+C ended a program that the command ran.
    """
    parser = argparse.ArgumentParser(
        prog="callboard", description="Traces of LLM applications: take them, keep them, show them."
    )
    parser.add_argument("--version", action="version", version=callboard.__version__)
    parser.set_defaults(ends_as_python=False)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_to(commands)
    told = parser.parse_args(arguments)
    try:
        status: int = told.run(told)
        sys.stdout.flush()
    except CallboardError as error:
        print(f"callboard: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        if told.ends_as_python:
            raise
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read has seen enough, such as `head`; at its end Python would write once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status
