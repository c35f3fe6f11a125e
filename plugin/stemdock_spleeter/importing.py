"""Lets `import spleeter` find this package, for programs that cannot be edited."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Final

from stemdock_spleeter.errors import SpleeterError
from stemdock_spleeter.log import print_log

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

_ADAPTER: Final = {"adapters": "AudioAdapter get_default_audio_adapter"}
_MODULES: Final = {
    "spleeter": {"errors": "SpleeterError"},
    "spleeter.__main__": {"program": "entrypoint"},
    "spleeter.audio": {"codecs": "Codec STFTBackend"},
    "spleeter.audio.adapter": _ADAPTER,
    "spleeter.audio.ffmpeg": {"adapters": "FFMPEGProcessAudioAdapter"},
    "spleeter.separator": {"separator": "Separator", "codecs": "Codec STFTBackend"},
    "spleeter.utils": {},
    "spleeter.utils.audio": {},
    "spleeter.utils.audio.adapter": _ADAPTER,
    "spleeter.utils.logging": {"log": "logger configure_logger"},
}
"""Names in Spleeter's modules, by the module here that defines them. Two are of Spleeter 1."""
_PACKAGES: Final = {name.rpartition(".")[0] for name in _MODULES} - {""}


class _Finder(MetaPathFinder, Loader):
    """Finds Spleeter's modules, and makes them of names in this package."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname not in _MODULES:
            return None
        return ModuleSpec(fullname, self, origin="stemdock", is_package=fullname in _PACKAGES)

    def exec_module(self, module: ModuleType) -> None:
        for home, names in _MODULES[module.__name__].items():
            found = import_module(f"stemdock_spleeter.{home}")
            for name in names.split():
                setattr(module, name, getattr(found, name))


_FINDER: Final = _Finder()


def install() -> None:
    """Makes `import spleeter` and its modules resolve to Stemdock, and prints Spleeter's log.

    Call it before the first import of Spleeter. It has no effect on other processes.

    Raises:
        SpleeterError: The original has been imported already.
    """
    loaded = sys.modules.get("spleeter")
    if loaded is not None and (loaded.__spec__ is None or loaded.__spec__.loader is not _FINDER):
        raise SpleeterError(
            "the original Spleeter has been imported already", remedy="Call install() before that import."
        )
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    print_log()
