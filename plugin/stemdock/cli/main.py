"""plugin-cli: the only place where errors become text and an exit status.

Standard output carries results, standard error progress and messages. Exit status: 0 done,
1 failed, 2 wrong usage, 3 audio editor unreachable, 4 nothing selected, 129 hung up,
130 interrupted, 143 terminated.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from stemdock.cli.builtin import ENTRIES
from stemdock.cli.completion import COMPLETE_VARIABLE, register
from stemdock.cli.terminal import echo_error
from stemdock.errors import (
    CancelledError,
    HostUnreachableError,
    NothingSelectedError,
    OutputOptionError,
    StemdockError,
)
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
    """Lists the plug-ins' commands without importing any of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [entry.name for entry in _commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for entry in _commands(ctx):
            if entry.name == cmd_name:
                command: click.Command = entry.load()
                return command
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.summary) for entry in _commands(ctx)])


def _commands(context: click.Context) -> Sequence[CommandEntry]:
    """All commands, the core's own first."""
    return sorted(_plugins(context).commands(), key=lambda entry: entry not in ENTRIES)


def _plugins(context: click.Context) -> Plugins:
    """The plug-ins of this run, looked for when they are first needed."""
    if context.obj is None:
        context.obj = load_plugins()
    plugins: Plugins = context.obj
    return plugins


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        import stemdock  # noqa: PLC0415  reading the metadata takes longer than all the rest

        click.echo(f"stemdock {stemdock.__version__}")
        context.exit()


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version,
    help="Show the version and exit.",
)  # fmt: skip
def cli() -> None:
    """Split songs into stems with Deezer's Spleeter models, without TensorFlow."""


def run(arguments: Sequence[str] | None = None, plugins: Plugins | None = None) -> int:
    """Runs one command line.

    Args:
        arguments: Without the program's name; those of the process if not given.
        plugins: All that are installed, if not given.

    Returns:
        The exit status.
    """
    program = "plugin-cli"
    if COMPLETE_VARIABLE in os.environ:  # then click answers the shell that asks, in place of a run
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
    return status if isinstance(status, int) else 0


def _exit_status(error: StemdockError) -> int:
    if isinstance(error, OutputOptionError):
        return EXIT_USAGE
    if isinstance(error, HostUnreachableError):
        return EXIT_UNREACHABLE
    if isinstance(error, NothingSelectedError):
        return EXIT_NOTHING_SELECTED
    return EXIT_FAILED


def main() -> None:
    """Entry point of the programs `plugin-cli` and `stemdock`."""
    # Unwinding removes what is half-written, which the default action would leave.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_TERMINATED))
    sys.exit(run())
