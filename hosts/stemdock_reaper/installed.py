"""What was installed: Stemdock/installed.json, with which uninstalling undoes it exactly."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from stemdock import parse_json_as
from stemdock_reaper import places
from stemdock_reaper.errors import ResourceFolderError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """The content of the file."""

    files: Mapping[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    keys_added: str = ""
    keys_created: bool = False


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
        content = parse_json_as(_Content, path.read_bytes())
    except FileNotFoundError:
        return Installed()
    except (OSError, ValueError) as error:
        raise ResourceFolderError(path, f"cannot be read ({error})") from error
    return Installed(
        files=dict(content.files),
        folders=list(content.folders),
        keys_added=content.keys_added,
        keys_created=content.keys_created,
    )
