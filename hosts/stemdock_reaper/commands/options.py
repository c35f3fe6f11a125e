"""Options for several subcommands."""

from __future__ import annotations

from pathlib import Path

import click

from stemdock_reaper.errors import NotAResourceFolderError, ReaperNotFoundError
from stemdock_reaper.profile.places import is_resource_folder, resource_folders

file_path = click.Path(path_type=Path)

resource_option = click.option(
    "--resource-path", type=file_path, metavar="FOLDER",
    help="REAPER's resource path, if REAPER is portable or installed more than once.",
)  # fmt: skip


def chosen_folder(resource_path: Path | None) -> Path:
    """The named resource folder, or the first in the usual places.

    Raises:
        NotAResourceFolderError: The named folder has no reaper.ini.
        ReaperNotFoundError: No folder was named, and none was found.
    """
    if resource_path is not None:
        if not is_resource_folder(resource_path):
            raise NotAResourceFolderError(resource_path)
        return resource_path.absolute()
    for folder in resource_folders():
        return folder
    raise ReaperNotFoundError
