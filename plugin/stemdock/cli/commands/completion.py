"""plugin-cli completion: the script for a shell."""

from __future__ import annotations

import click

from stemdock.cli.completion import SHELLS, script


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print a script that completes commands, options and models in your shell.

    \b
    bash:  eval "$(plugin-cli completion bash)"    in ~/.bashrc
    zsh:   eval "$(plugin-cli completion zsh)"     in ~/.zshrc, after compinit
    fish:  plugin-cli completion fish | source     in ~/.config/fish/config.fish

    The script also works for stemdock, the program's other name. bash must be version 4.4 or newer.
    """  # noqa: D301  click needs this character
    click.echo(script(shell, context.find_root().command))
