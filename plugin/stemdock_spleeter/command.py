"""plugin-cli spleeter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from stemdock.cli import echo_path

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Group(click.Group):
    """Takes a whole command line of Spleeter in place of a subcommand."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if len(args[0].split()) > 1:
            return None, _translate, args
        return super().resolve_command(ctx, args)


@click.group("spleeter", cls=_Group, subcommand_metavar='COMMAND | "spleeter ..."')
def command() -> None:
    r"""Move from Spleeter to Stemdock.

    With a command line of Spleeter in quotes, prints the equivalent command lines of plugin-cli and runs
    nothing:

    \b
        plugin-cli spleeter "spleeter separate -p spleeter:4stems -o stems song.mp3"
    """


@command.command("install-command")
def install_command() -> None:
    """Install the command spleeter in this environment.

    It takes the verbs and options of Spleeter 2.4.2 and runs Stemdock. Refuses if the original Spleeter is
    installed in the same environment. Prints the path of the command.
    """
    from stemdock_spleeter.launcher import install_launcher  # noqa: PLC0415

    echo_path(install_launcher())


@command.command("remove-command")
def remove_command() -> None:
    """Remove the command spleeter that install-command installed."""
    from stemdock_spleeter.launcher import remove_launcher  # noqa: PLC0415

    remove_launcher()


@click.command("translate")
@click.argument("words", nargs=-1)
def _translate(words: Sequence[Any]) -> None:
    from stemdock_spleeter.translation import translated  # noqa: PLC0415

    for line in translated(" ".join(words)):
        click.echo(line)
