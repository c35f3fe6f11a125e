"""The entries of a manifest, each looked up when somebody asks for it.

The name of an entry's file follows from its outputs. It is read anew each time: other processes may have
written it meanwhile. Only outputs that exist without an entry of that name need a search in all entries
(`ManifestIndex`).
"""

from __future__ import annotations

import os
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING

from stemdock.batch.manifest_files import FOLDER, entry_name, load_entry, write_entry
from stemdock.batch.manifest_index import ManifestIndex
from stemdock.lib.durable import flush_folder
from stemdock.lib.regular_files import is_real_folder

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from stemdock.batch.manifest_files import ManifestEntry


class ManifestEntries:
    """The entries of one output folder, by their outputs; safe to use from several threads and processes."""

    def __init__(self, root: Path) -> None:
        """Reads nothing yet.

        Args:
            root: The output folder, which need not exist.
        """
        self._root = root
        self._folder = root / FOLDER
        self._lock = Lock()
        self._index = ManifestIndex(self._folder)
        self._last_key: tuple[str, int, int, int] | None = None
        self._last: ManifestEntry | None = None
        """The entry that was read last, and what identifies its file."""

    def of(self, outputs: Collection[str]) -> ManifestEntry | None:
        """The entry for exactly these outputs."""
        with self._lock:
            entry = self._load(entry_name(outputs))
        # An entry of an earlier version, or in the wrong file, may list other outputs under this name.
        return entry if entry and entry.outputs.keys() == set(outputs) else None

    def listing(self, outputs: Collection[str]) -> ManifestEntry | None:
        """An entry that lists all these outputs, and perhaps others, under whatever name."""
        with self._lock:
            if not self._index.is_read:
                self._index.refresh()
            found = map(self._load, sorted(self._index.names_of_any(outputs)))
            entries = [entry for entry in found if entry and entry.outputs.keys() >= set(outputs)]
        # What a run announced before it was stopped is newer than what it was about to replace.
        return min(entries, key=lambda entry: entry.complete, default=None)

    def listed(self, outputs: Collection[str]) -> list[str]:
        """Those of some outputs that entries list, those of other processes included."""
        with self._lock:
            self._index.refresh()
            return [output for output in outputs if self._index.names(output)]

    def is_damaged(self, outputs: Collection[str]) -> bool:
        """Whether there is an entry for these outputs that cannot be read."""
        path = self._path(entry_name(outputs))
        return is_real_folder(self._folder) and os.path.lexists(path) and load_entry(path) is None

    def save(self, entry: ManifestEntry) -> None:
        """Writes an entry, and removes those of which it lists an output.

        Raises:
            OutputError: It cannot be written.
        """
        name = entry_name(entry.outputs)
        with self._lock:
            if (
                not self._index.is_read
                and not os.path.lexists(self._path(name))
                and any(os.path.lexists(self._root / output) for output in entry.outputs)
            ):
                # Files that another entry lists are perhaps about to be replaced, and it with them.
                self._index.refresh()
            others = self._index.names_of_any(entry.outputs) - {name}
            write_entry(entry, self._path(name))
            self._index.note(name, entry)
            for other in others:
                self._remove(other, entry)

    def _load(self, name: str) -> ManifestEntry | None:
        if not is_real_folder(self._folder):
            return None
        path = self._path(name)
        try:
            # Every write makes a new file. Usually several questions about a song follow one another.
            status = path.lstat()
        except OSError:
            return None
        key = (name, status.st_ino, status.st_mtime_ns, status.st_size)
        if key != self._last_key:
            self._last_key, self._last = key, load_entry(path)
        return self._last

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _remove(self, name: str, successor: ManifestEntry) -> None:
        """Removes an entry of which another lists an output."""
        entry = self._load(name)
        if entry and entry.outputs.keys() & successor.outputs.keys():
            with suppress(OSError):
                self._path(name).unlink()
            flush_folder(self._folder)
