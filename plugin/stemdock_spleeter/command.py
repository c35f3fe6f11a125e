"""plugin-cli spleeter."""

from __future__ import annotations

import click

from stemdock.cli import echo_path


class _Group(click.Group):
    """Takes a whole command line of Spleeter in place of a subcommand."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if len(cmd_name.split()) > 1:
            return click.Command(cmd_name, callback=lambda: _translate(cmd_name))
        return super().get_command(ctx, cmd_name)


def _translate(line: str) -> None:
    from stemdock_spleeter.translation import translated  # noqa: PLC0415

    for each in translated(line):
        click.echo(each)


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
