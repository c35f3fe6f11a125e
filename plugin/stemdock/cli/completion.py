"""Completing commands, options, models and stems in the shell, based on click's completion.

Model names come from the plug-ins. For parameters without completions of their own, the shell completes
file names, as it does for other programs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    get_completion_class,
)

if TYPE_CHECKING:
    import click

SHELLS: Final = ("bash", "zsh", "fish")

PROGRAMS: Final = ("plugin-cli", "stemdock")
"""The program's two names; both are completed."""

COMPLETE_VARIABLE: Final = "_PLUGIN_CLI_COMPLETE"
"""Environment variable with which the shell asks for completions. click derives it from the first name."""


class _FilesAsFallback(ShellComplete):
    """Completes file names where a command has no completions of its own."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        found = super().get_completions(args, incomplete)
        if found or not args:
            return found
        return [CompletionItem(incomplete, type="file")]


class _Bash(_FilesAsFallback, BashComplete):
    pass


class _Zsh(_FilesAsFallback, ZshComplete):
    pass


class _Fish(_FilesAsFallback, FishComplete):
    pass


def register() -> None:
    """Makes click use the completions of this module."""
    for shell, completion in zip(SHELLS, (_Bash, _Zsh, _Fish), strict=True):
        add_completion_class(completion, shell)


def script(shell: str, cli: click.Command) -> str:
    """The shell script that completes the program under both of its names.

    Args:
        shell: One of `SHELLS`.
        cli: The program.
    """
    completion = get_completion_class(shell)
    if completion is None:
        raise ValueError(f"no completion for {shell}")
    return "".join(completion(cli, {}, program, COMPLETE_VARIABLE).source() for program in PROGRAMS)


def complete_models(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Completes the names of all models, installed or not, with their stems as help."""
    return _items(_stems_of_all(context), incomplete)


def complete_installed(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Completes the names of the installed models, with their stems as help."""
    return _items({each.name: each.stems for each in context.obj.models()}, incomplete)


def complete_stems(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Completes stems, also after a comma, of the model on the command line or of the default model."""
    named, comma, last = incomplete.rpartition(",")
    stems = _stems_of_all(context).get(context.params.get("model", ""), ())
    return [
        CompletionItem(f"{named}{comma}{stem}")
        for stem in stems
        if stem.startswith(last) and stem not in named.split(",")
    ]


def _stems_of_all(context: click.Context) -> dict[str, tuple[str, ...]]:
    stems = {each.name: each.stems for each in context.obj.downloads()}
    return stems | {each.name: each.stems for each in context.obj.models()}


def _items(stems: dict[str, tuple[str, ...]], incomplete: str) -> list[CompletionItem]:
    return [
        CompletionItem(name, help=", ".join(stems[name])) for name in stems if name.startswith(incomplete)
    ]
