"""The one way onto the command line's output: secrets are masked, and text that a terminal would
obey is shown as escapes.
"""

import logging
import sys
import threading
import traceback
from types import TracebackType

import click

from engine.model.secrets import masked
from engine.model.text import escaped


def harmless(text: str) -> str:
    """Return one line of text as it may be printed."""
    return escaped(masked(text))


def say(*lines: str, err: bool = False) -> None:
    """Print each line, on standard output or standard error. A line break inside of one is shown,
    not obeyed.

    What the output's encoding lacks is written as an escape: a flatten must not die of a sign that
    can't be printed.
    """
    stream = sys.stderr if err else sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    for line in lines:
        text = harmless(line).encode(encoding, "backslashreplace").decode(encoding)
        click.echo(text, err=err)


def reveal(line: str) -> None:
    """Print a line that holds a secret which the person asked for: a rehearsal's key, the address
    with a token.
    """
    click.echo(escaped(line))


def guard() -> None:
    """From now on what nobody catches, and what libraries log, is printed like everything else."""
    sys.excepthook = _print
    threading.excepthook = lambda told: _print(told.exc_type, told.exc_value, told.exc_traceback)
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_Harmless())


def _print(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    say(*"".join(traceback.format_exception(kind, error, trace)).rstrip("\n").split("\n"), err=True)


class _Harmless(logging.Formatter):
    """Masks and escapes each line of a record, its traceback among them."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(harmless(line) for line in super().format(record).split("\n"))
