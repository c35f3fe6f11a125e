"""plugin-cli: runs a command, and turns errors into a message and an exit status.

Results go to standard output, progress and messages to standard error. Exit status: 0 done,
1 failed, 2 wrong usage, 3 audio editor unreachable, 4 nothing selected, 129 hung up,
130 interrupted, 141 the reader of the audio has left, 143 terminated, 152 out of processor time.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from typing import TYPE_CHECKING, Any, Final

import click

from stemdock.cli.builtin import ENTRIES
from stemdock.cli.completion import COMPLETE_VARIABLE, register
from stemdock.cli.held_signals import signals_later
from stemdock.cli.streams import OutputStream, occupy_descriptors, protected_streams
from stemdock.cli.terminal import echo_error
from stemdock.cli.time_limit import EXIT_OUT_OF_TIME, end_in_time, out_of_time
from stemdock.errors import (
    ArgumentError,
    CancelledError,
    HostUnreachableError,
    NothingSelectedError,
    OutputOptionError,
    StemdockError,
)
from stemdock.inference.shortages import shortage_of
from stemdock.lib.os_errors import reason_for
from stemdock.plugins import Plugins, load_plugins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock.entries import CommandEntry

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_UNREACHABLE: Final = 3
EXIT_NOTHING_SELECTED: Final = 4
EXIT_INTERRUPTED: Final = 130
EXIT_TERMINATED: Final = 143


class _LazyGroup(click.Group):
    """Lists the commands of all plug-ins without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [entry.name for entry in _commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        with signals_later():
            for entry in _commands(ctx):
                if entry.name == cmd_name:
                    command: click.Command = entry.load()
                    return command
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.summary) for entry in _commands(ctx)])


def _commands(context: click.Context) -> Sequence[CommandEntry]:
    """All commands, those of the core first."""
    return sorted(_plugins(context).commands(), key=lambda entry: entry not in ENTRIES)


def _plugins(context: click.Context) -> Plugins:
    """The plug-ins of this run, loaded when they are first needed."""
    if context.obj is None:
        context.obj = load_plugins()
    plugins: Plugins = context.obj
    return plugins


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        import stemdock  # noqa: PLC0415  reading the version from the metadata is slow

        click.echo(f"stemdock {stemdock.__version__}")
        context.exit()


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version,
    help="Print the version and exit.",
)  # fmt: skip
def cli() -> None:
    """Separate songs into stems with Deezer's Spleeter models, without TensorFlow."""


def run(arguments: Sequence[str] | None = None, plugins: Plugins | None = None) -> int:
    """Runs one command line.

    Args:
        arguments: Without the program's name; by default those of the process.
        plugins: By default all that are installed.

    Returns:
        The exit status.
    """
    with protected_streams() as (output, messages):
        status = _run(arguments, plugins)
        output.flush()
        # A reader that has closed its pipe, such as `head`, has seen enough and needs no message.
        if not status and output.error and output.error.errno != errno.EPIPE:
            echo_error(
                StemdockError(
                    f"standard output cannot be written ({reason_for(output.error)})",
                    remedy="Check the disk or the program that it goes to.",
                )
            )
        messages.flush()
    return status or (EXIT_FAILED if output.error or messages.error else 0)


def _run(arguments: Sequence[str] | None, plugins: Plugins | None) -> int:
    program = "plugin-cli"
    if COMPLETE_VARIABLE in os.environ:  # click then prints completions instead of running a command
        register()
    try:
        status: Any = cli.main(
            None if arguments is None else list(arguments),
            prog_name=program,
            standalone_mode=False,
            obj=plugins,
        )
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt, CancelledError):
        click.echo("cancelled", err=True)
        return EXIT_INTERRUPTED
    except StemdockError as error:
        echo_error(error)
        return _exit_status(error)
    except (MemoryError, ImportError, RuntimeError, OSError) as error:
        if shortage := shortage_of(error, program):
            echo_error(shortage)
            return EXIT_FAILED
        if not isinstance(error, OSError):
            raise
        # The rooms below turn the errors that they expect into their own.
        echo_error(
            StemdockError(
                f"{error.filename or 'the working directory'}: {reason_for(error)}",
                remedy="Check the path and its permissions.",
            )
        )
        return EXIT_FAILED
    return status if isinstance(status, int) else 0


def _exit_status(error: StemdockError) -> int:
    if isinstance(error, ArgumentError | OutputOptionError):
        return EXIT_USAGE
    if isinstance(error, HostUnreachableError):
        return EXIT_UNREACHABLE
    if isinstance(error, NothingSelectedError):
        return EXIT_NOTHING_SELECTED
    return EXIT_FAILED


def _print_exception(*exception: Any) -> None:
    """Prints an exception that nothing expected, without control characters in its message."""
    OutputStream(sys.stderr, shown=True).write("".join(traceback.format_exception(*exception)))


def main() -> None:
    """Entry point of the programs `plugin-cli` and `stemdock`."""
    occupy_descriptors()
    sys.excepthook = _print_exception
    # Raising SystemExit removes unfinished files; the default action would leave them.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_TERMINATED))
    end_in_time()
    try:
        status: Any = run()
    except SystemExit as end:
        status = end.code
    if status == EXIT_OUT_OF_TIME:
        echo_error(out_of_time())
    sys.exit(status)
