"""Three files of ours and one edit, installed in the folder of an editor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock_hostkit.install.installation import Installation
from stemdock_hostkit.install.plan import Change, Edit, OwnFile, Place

if TYPE_CHECKING:
    from pathlib import Path

KEYS = b"A=1\nB=2\n"
EDITED = b"A=1\nB=3\n"


def toy(folder: Path) -> Installation:
    place = Place(host="toy", record=folder / "own/installed.json", base=folder)
    return Installation(place)


def files(folder: Path, version: str) -> list[OwnFile]:
    names = ("scripts/a.lua", "scripts/parts/b.lua", "own/start")
    return [
        OwnFile(
            path=folder / name,
            content=f"{name} {version}".encode(),
            mode=0o700 if name == "own/start" else 0o644,
        )
        for name in names
    ]


def edits(folder: Path) -> list[Edit]:
    path = folder / "keys.ini"
    if path.read_bytes() == EDITED:
        return []
    backup = folder / "own/keys.ini before"
    return [Edit(path=path, old=KEYS, new=EDITED, before={"B": "2"}, after={"B": "3"}, backup=backup)]


def install(folder: Path, version: str = "1", *, dry_run: bool = False) -> list[Change]:
    return toy(folder).install(files(folder, version), edits(folder), dry_run=dry_run)


def uninstall(folder: Path, *, dry_run: bool = False) -> list[Change]:
    installation = toy(folder)
    path = folder / "keys.ini"
    is_ours = installation.edit_record(path).after == {"B": "3"} and path.read_bytes() == EDITED
    undo = [Edit(path=path, old=EDITED, new=KEYS)] if is_ours else []
    return installation.uninstall(undo, trees=[folder / "own/jobs"], dry_run=dry_run)
