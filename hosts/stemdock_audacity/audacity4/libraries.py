"""The libraries that came with this Stemdock. The program that builds them is not installed."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock import file_sha256, parse_json_as

if TYPE_CHECKING:
    from collections.abc import Mapping

SYSTEMS: Final = {"linux": "linux", "darwin": "macos", "win32": "windows"}
"""Audacity's names of systems."""
_ROOM: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class _Built:
    """What `built.json` says: from what, and as what, the libraries were built."""

    compiler: str
    sources: Mapping[str, str]
    libraries: Mapping[str, str]


def shipped_libraries(room: Path = _ROOM) -> dict[str, bytes]:
    """The libraries for this system by their place in the extension; none if they were not built.

    Libraries of other sources than those that are here do not count: their calls may differ.

    Args:
        room: The folder that contains `platform` and `library`.
    """
    try:
        built = parse_json_as(_Built, (room / "platform/built.json").read_bytes())
        sources = {path.name: file_sha256(path) for path in (room / "library").glob("*.[ch]")}
        if sources != built.sources:
            return {}
        prefix = f"{SYSTEMS.get(sys.platform, sys.platform)}/"
        names = [name for name in built.libraries if name.startswith(prefix)]
        return {f"platform/{name}": (room / "platform" / name).read_bytes() for name in names}
    except (OSError, ValueError):
        return {}
