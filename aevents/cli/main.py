"""The entry point: which command, and how it ends.

    0  all went well          2    the command line is wrong   143  SIGTERM
    1  the data or a device   130  Ctrl-C

An error is one line on standard error; `AEVENTS_DEBUG=1` lets the traceback through.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version

from cyclopts import App, CycloptsError, Parameter

from aevents.cli.convert import convert
from aevents.cli.devices import devices
from aevents.cli.doctor import doctor
from aevents.cli.ending import Terminated
from aevents.cli.figures import blamed_on, line_of
from aevents.cli.formats import formats
from aevents.cli.info import info
from aevents.cli.play import play
from aevents.cli.plot import plot
from aevents.cli.reading import hide_hyphen
from aevents.cli.repair import repair
from aevents.cli.run import run
from aevents.cli.view import view
from aevents.errors import AeventsError

DATA, USAGE, INTERRUPTED, TERMINATED = 1, 2, 130, 143


def main() -> int:
    """Run the command that the arguments ask for, and return the exit code."""
    return execute(sys.argv[1:])


def execute(arguments: Sequence[str], /) -> int:
    """Run one command; say in one line what went wrong, if something did; return the exit code."""
    try:
        words = hide_hyphen(arguments)
        command, bound, _ = app.parse_args(words, exit_on_error=False, print_error=False)
        code = command(*bound.args, **bound.kwargs)
        sys.stdout.flush()  # here, so that a pipe that was closed is noticed here
    except KeyboardInterrupt as stopped:
        return TERMINATED if isinstance(stopped, Terminated) else INTERRUPTED
    except BrokenPipeError:  # whoever read has read enough, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nor may the exit complain
        return 0
    except Exception as error:  # an error that we do not know is one line too
        if os.environ.get("AEVENTS_DEBUG"):
            raise
        sys.stderr.write(f"aevents: {line_of(error)}\n")
        return _code(error)
    return code if isinstance(code, int) else 0


def _code(error: Exception) -> int:
    """Return the exit code: a `ValueError` that is not about data is about arguments, unless it
    came out of a model.
    """
    if isinstance(error, CycloptsError):
        return USAGE
    if blamed_on(error):
        return DATA
    return USAGE if isinstance(error, ValueError) and not isinstance(error, AeventsError) else DATA


def version_of(package: str, /) -> str:
    """Return the version of an installed package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


app: App = App(
    name="aevents",
    help="Read, convert, stream and picture the events of event cameras.",
    version=partial(version_of, "aevents"),
    default_parameter=Parameter(negative=(), show_default=False),
)
app.command(info)
app.command(convert)
app.command(repair)
app.command(
    run,
    usage="Usage: aevents run SRC… [OPERATORS] --to DST … [OPTIONS], or aevents run PIPELINE.toml",
)
app.command(play, usage="Usage: aevents play SRC… [OPERATORS] --to DST … [OPTIONS]")
app.command(view, usage="Usage: aevents view SRC… [OPTIONS]")
app.command(plot)
app.command(formats)
app.command(devices)
app.command(doctor)
