"""plugin-cli: the command line, itself a plug-in.

This module is the kit for commands of other plug-ins. Each name is loaded when it is first used.

Example:
    >>> import click
    >>> from stemdock.cli import GroupedCommand, model_option, open_separator
    >>> @click.command("karaoke", cls=GroupedCommand, groups={"Models": ("model",)})
    ... @model_option
    ... @click.pass_obj
    ... def command(plugins, model):
    ...     separator = open_separator(model, plugins)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from stemdock.cli.checks import echo_checks as echo_checks
    from stemdock.cli.completion import complete_installed as complete_installed
    from stemdock.cli.completion import complete_models as complete_models
    from stemdock.cli.grouped_help import GroupedCommand as GroupedCommand
    from stemdock.cli.interruption import interruptible as interruptible
    from stemdock.cli.opening import open_separator as open_separator
    from stemdock.cli.options import Seconds as Seconds
    from stemdock.cli.options import model_option as model_option
    from stemdock.cli.options import separation_options as separation_options
    from stemdock.cli.terminal import echo_error as echo_error
    from stemdock.cli.terminal import echo_path as echo_path
    from stemdock.cli.terminal import fetch_reporter as fetch_reporter

_NAMES: Final = {
    "checks": "echo_checks",
    "completion": "complete_installed complete_models",
    "grouped_help": "GroupedCommand",
    "interruption": "interruptible",
    "opening": "open_separator",
    "options": "Seconds model_option separation_options",
    "terminal": "echo_error echo_path fetch_reporter",
}
_HOMES: Final = {name: home for home, names in _NAMES.items() for name in names.split()}

__all__ = sorted(_HOMES)  # noqa: PLE0605  one list of names is enough

if not TYPE_CHECKING:  # so that type checkers know the names above and refuse others

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'stemdock.cli' has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"stemdock.cli.{_HOMES[name]}"), name)
        return value
