"""What was installed: Stemdock/installed.json, with which uninstalling undoes it exactly."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from stemdock import parse_json
from stemdock_reaper import places
from stemdock_reaper.errors import ResourceFolderError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(kw_only=True)
class Installed:
    """The changes that installations made to a resource folder."""

    files: dict[str, str] = field(default_factory=dict)
    """SHA-256 by path, relative to the resource folder."""
    folders: list[str] = field(default_factory=list)
    """Created folders, parents first."""
    keys_added: str = ""
    """Text added to reaper-kb.ini."""
    keys_created: bool = False
    """Whether the installation created reaper-kb.ini."""

    def encoded(self) -> bytes:
        """The content of the file."""
        return (json.dumps(asdict(self), indent=2) + "\n").encode("ascii")


def installed_path(resources: Path) -> Path:
    """The file in a resource folder."""
    return places.data_folder(resources) / "installed.json"


def read_installed(resources: Path) -> Installed:
    """Reads the file of a resource folder; the result is empty if nothing is installed.

    Raises:
        ResourceFolderError: The file is damaged or cannot be read.
    """
    path = installed_path(resources)
    try:
        content: Mapping[str, object] = parse_json(path.read_text(encoding="ascii"))
        return Installed(**content)  # type: ignore[arg-type]
    except FileNotFoundError:
        return Installed()
    except (OSError, ValueError, TypeError) as error:
        raise ResourceFolderError(path, f"cannot be read ({error})") from error
