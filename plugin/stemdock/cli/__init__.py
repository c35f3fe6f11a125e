"""plugin-cli: the command line, a plug-in like every other.

This module is the kit for the commands of other plug-ins; names are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from stemdock.cli.completion import complete_installed as complete_installed
    from stemdock.cli.completion import complete_models as complete_models
    from stemdock.cli.opening import open_separator as open_separator
    from stemdock.cli.options import model_option as model_option
    from stemdock.cli.options import separation_options as separation_options
    from stemdock.cli.terminal import echo_error as echo_error
    from stemdock.cli.terminal import echo_path as echo_path
    from stemdock.cli.terminal import fetch_reporter as fetch_reporter

_NAMES: Final = {
    "completion": "complete_installed complete_models",
    "opening": "open_separator",
    "options": "model_option separation_options",
    "terminal": "echo_error echo_path fetch_reporter",
}
_HOMES: Final = {name: home for home, names in _NAMES.items() for name in names.split()}

__all__ = sorted(_HOMES)  # noqa: PLE0605  one list of names is enough


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'stemdock.cli' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"stemdock.cli.{_HOMES[name]}"), name)
    return value
