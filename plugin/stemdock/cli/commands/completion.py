"""plugin-cli completion."""

from __future__ import annotations

import click

from stemdock.cli.completion import SHELLS, script


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands, options and models.

    \b
    bash:  eval "$(plugin-cli completion bash)"    in ~/.bashrc
    zsh:   eval "$(plugin-cli completion zsh)"     in ~/.zshrc, after compinit
    fish:  plugin-cli completion fish | source     in ~/.config/fish/config.fish

    It completes stemdock, the program's other name, too. bash must be 4.4 or newer.
    """  # noqa: D301  click looks for the character
    click.echo(script(shell, context.find_root().command))
