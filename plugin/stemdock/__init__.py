"""Stemdock separates songs into stems with Deezer's Spleeter models, without TensorFlow.

Public names are imported when they are first used, so that `import stemdock` costs nothing.

Example:
    >>> import stemdock
    >>> stems = stemdock.Separator("2stems").separate(samples)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stemdock.card import ModelCard as ModelCard
    from stemdock.files.separating import separate_file as separate_file
    from stemdock.hookspecs import hookimpl as hookimpl
    from stemdock.inference.opening import DEFAULT_MODEL as DEFAULT_MODEL
    from stemdock.output.options import Output as Output
    from stemdock.plugins import Plugins as Plugins
    from stemdock.plugins import load_plugins as load_plugins
    from stemdock.separator import Separator as Separator
    from stemdock.types import Check as Check
    from stemdock.types import CommandEntry as CommandEntry
    from stemdock.types import Execution as Execution
    from stemdock.types import FetchProgress as FetchProgress
    from stemdock.types import HostEntry as HostEntry
    from stemdock.types import MaskSession as MaskSession
    from stemdock.types import ModelDownload as ModelDownload
    from stemdock.types import ModelEntry as ModelEntry
    from stemdock.types import Progress as Progress
    from stemdock.types import SeparatedFile as SeparatedFile
    from stemdock.types import Separation as Separation

_HOMES = {
    "DEFAULT_MODEL": "inference.opening",
    "ModelCard": "card",
    "separate_file": "files.separating",
    "hookimpl": "hookspecs",
    "Output": "output.options",
    "Plugins": "plugins",
    "load_plugins": "plugins",
    "Separator": "separator",
    **dict.fromkeys(
        (
            "Check",
            "CommandEntry",
            "Execution",
            "FetchProgress",
            "HostEntry",
            "MaskSession",
            "ModelDownload",
            "ModelEntry",
            "Progress",
            "SeparatedFile",
            "Separation",
        ),
        "types",
    ),
}

__all__ = sorted(_HOMES)  # noqa: PLE0605  one list of names is enough


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415

        return version("stemdock")
    if name not in _HOMES:
        raise AttributeError(f"module 'stemdock' has no attribute {name!r}")
    return getattr(import_module(f"stemdock.{_HOMES[name]}"), name)
