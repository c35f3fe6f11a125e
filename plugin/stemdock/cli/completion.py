"""What a shell offers when a person presses Tab, by click's own completion.

Names of models come from the plug-ins. Where a parameter has nothing of its own to offer, the shell
completes file names, as it does for programs that it knows nothing about.
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
"""Both are installed and are the same, so both are completed."""

COMPLETE_VARIABLE: Final = "_PLUGIN_CLI_COMPLETE"
"""Environment variable by which a shell's script asks for completions. click makes it of the first name."""


class _FilesOtherwise(ShellComplete):
    """Offers files for arguments of a command that has nothing else to offer."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        found = super().get_completions(args, incomplete)
        if found or not args:
            return found
        return [CompletionItem(incomplete, type="file")]


class _Bash(_FilesOtherwise, BashComplete):
    pass


class _Zsh(_FilesOtherwise, ZshComplete):
    pass


class _Fish(_FilesOtherwise, FishComplete):
    pass


def register() -> None:
    """Makes click answer shells as this module does."""
    for shell, completion in zip(SHELLS, (_Bash, _Zsh, _Fish), strict=True):
        add_completion_class(completion, shell)


def script(shell: str, cli: click.Command) -> str:
    """What a shell must read to complete the program under both its names.

    Args:
        shell: One of `SHELLS`.
        cli: The program.
    """
    completion = get_completion_class(shell)
    if completion is None:
        raise ValueError(f"no completion for {shell}")
    return "".join(completion(cli, {}, program, COMPLETE_VARIABLE).source() for program in PROGRAMS)


def complete_models(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of all models, installed or not, with their stems."""
    return _items(_stems_of_all(context), incomplete)


def complete_installed(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of the installed models, with their stems."""
    return _items({each.name: each.stems for each in context.obj.models()}, incomplete)


def complete_stems(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Stems, after a comma too, of the model that stands in the line or else of the one that is used."""
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
