"""Spleeter's command and Python API, with Stemdock's engine behind them.

Names, parameters, types and file names are those of Spleeter 2.4.2. docs/spleeter.md lists the differences.

Example:
    >>> from stemdock_spleeter import Separator
    >>> Separator("spleeter:2stems").separate_to_file("song.mp3", "stems")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from stemdock_spleeter.adapters import AudioAdapter as AudioAdapter
    from stemdock_spleeter.adapters import FFMPEGProcessAudioAdapter as FFMPEGProcessAudioAdapter
    from stemdock_spleeter.adapters import get_default_audio_adapter as get_default_audio_adapter
    from stemdock_spleeter.codecs import Codec as Codec
    from stemdock_spleeter.codecs import STFTBackend as STFTBackend
    from stemdock_spleeter.errors import SpleeterError as SpleeterError
    from stemdock_spleeter.importing import install as install
    from stemdock_spleeter.separator import Separator as Separator

_HOMES: Final = {
    "AudioAdapter": "adapters",
    "Codec": "codecs",
    "FFMPEGProcessAudioAdapter": "adapters",
    "STFTBackend": "codecs",
    "Separator": "separator",
    "SpleeterError": "errors",
    "get_default_audio_adapter": "adapters",
    "install": "importing",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605  one list of names is enough

if not TYPE_CHECKING:  # so that type checkers know the names above and refuse others

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'stemdock_spleeter' has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"stemdock_spleeter.{_HOMES[name]}"), name)
        return value
