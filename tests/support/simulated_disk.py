"""What a disk may hold after a power failure, from the recorded system calls of a program.

A file's content is on the disk only after fsync. Before, it may be lost, cut short, or zeros. Names in a
folder are on the disk only after fsync of the folder. Before, each change may be there or not, in any order;
only a rename is never half done.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from support.recorded_calls import Call

MODES: Final = ("least", "names", "some")
"""What reached the disk: only what was flushed; all names, but no content; or a part of everything."""


@dataclass(eq=False)
class _File:
    latest: bytes = b""
    flushed: bytes = b""
    is_flushed: bool = False


@dataclass(eq=False)
class _Folder:
    names: dict[str, _Node] = field(default_factory=dict)
    flushed: dict[str, _Node] = field(default_factory=dict)


_Node: TypeAlias = _File | _Folder


@dataclass(eq=False)
class _Change:
    """A change of names, in one or two folders, that no fsync has confirmed."""

    names: list[tuple[_Folder, str, _Node | None]]

    def apply(self, kept: dict[int, dict[str, Any]]) -> None:
        """Makes the change in what the folders contain."""
        for folder, name, node in self.names:
            kept[id(folder)].pop(name, None)
            if node is not None:
                kept[id(folder)][name] = node


class Disk:
    """A folder on a disk whose power may fail."""

    def __init__(self, root: Path) -> None:
        """Takes what is in a folder as safely on the disk."""
        self._root = str(root)
        self._top = _loaded(root)
        self._changes: list[_Change] = []

    def apply(self, call: Call) -> None:
        """Does what a program did."""
        if call.name == "fsync folder":
            folder = self._find(call.path)
            if isinstance(folder, _Folder):
                self._flush(folder)
        elif call.name in {"wrote", "fsync"}:
            self._write(call)
        elif call.name == "mkdir":
            self._change([(call.path, _Folder())])
        elif call.name in {"unlink", "rmdir"}:
            self._change([(call.path, None)])
        else:
            moved = [(call.path, None)] if call.name == "rename" else []
            self._change([(call.to, self._find(call.path)), *moved])

    def cut(self, rng: Random, mode: str, target: Path) -> None:
        """Writes what is left after a power failure at this moment to a new folder."""
        folders = [folder for change in self._changes for folder, _, _ in change.names]
        kept = {id(folder): dict(folder.flushed) for folder in folders}
        for change in self._changes:
            if mode == "names" or (mode == "some" and rng.random() < 0.5):
                change.apply(kept)
        _write_left(self._top, target, kept, rng, mode, {})

    def _write(self, call: Call) -> None:
        file = self._find(call.path)
        if not isinstance(file, _File):
            file = _File()
            self._change([(call.path, file)])
        file.latest = call.content
        if call.name == "fsync":
            file.flushed = call.content
        file.is_flushed = call.name == "fsync" or (file.is_flushed and file.flushed == call.content)

    def _find(self, path: str) -> _Node | None:
        node: _Node | None = self._top
        for part in Path(path).relative_to(self._root).parts:
            node = node.names.get(part) if isinstance(node, _Folder) else None
        return node

    def _change(self, changes: Sequence[tuple[str, _Node | None]]) -> None:
        done: list[tuple[_Folder, str, _Node | None]] = []
        for path, node in changes:
            folder = self._find(os.path.dirname(path)) if path.startswith(self._root) else None  # noqa: PTH120
            if isinstance(folder, _Folder):
                done.append((folder, os.path.basename(path), node))  # noqa: PTH119
        change = _Change(done)
        change.apply({id(folder): folder.names for folder, _, _ in done})
        self._changes.append(change)

    def _flush(self, folder: _Folder) -> None:
        """Confirms the changes in a folder, and the other half of a rename into or out of it."""
        for change in [one for one in self._changes if any(owner is folder for owner, _, _ in one.names)]:
            change.apply({id(owner): owner.flushed for owner, _, _ in change.names})
            self._changes.remove(change)


def _loaded(path: Path) -> _Folder:
    names: dict[str, _Node] = {}
    for entry in path.iterdir():
        if entry.is_dir():
            names[entry.name] = _loaded(entry)
        else:
            content = entry.read_bytes()
            names[entry.name] = _File(content, content, is_flushed=True)
    return _Folder(names, dict(names))


def _write_left(
    folder: _Folder,
    target: Path,
    kept: dict[int, dict[str, Any]],
    rng: Random,
    mode: str,
    written: dict[int, Path],
) -> None:
    # Only the owner can enter, as where Stemdock makes its own folders private.
    target.mkdir(mode=0o700, exist_ok=True)
    for name, node in kept.get(id(folder), folder.flushed).items():
        if isinstance(node, _Folder):
            _write_left(node, target / name, kept, rng, mode, written)
        elif id(node) in written:
            (target / name).hardlink_to(written[id(node)])
        else:
            written[id(node)] = target / name
            (target / name).touch(mode=0o600)
            (target / name).write_bytes(_left_of(node, rng, mode))


def _left_of(file: _File, rng: Random, mode: str) -> bytes:
    if file.is_flushed or mode != "some":
        return file.flushed
    return rng.choice([b"", file.latest[: len(file.latest) // 2], bytes(len(file.latest)), file.latest])
