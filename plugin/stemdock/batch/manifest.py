"""The manifest of an output folder: what each song's stems were made from, so that a later run can resume.

An entry is written twice: with `complete` false just before the files move to their final paths, and with
`complete` true afterwards. If a run is killed in between, the next run recognises the files by their content.
The disk has the stems before a complete entry names them (`stemdock.lib.durable`).

An entry that cannot be read counts as missing, and its song as not done. Its name still says which files it
lists, so a resuming run may replace them.

The name of an entry's file follows from its outputs, so an entry is looked up when somebody asks for it, and
read anew each time: other processes may have written it meanwhile. Only outputs that exist without an entry
of that name need a search in all entries (`ManifestIndex`).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from stemdock.batch.contents import has_content, output_content
from stemdock.batch.manifest_files import (
    FOLDER,
    ManifestEntry,
    check_folder,
    entry_name,
    load_entry,
    write_entry,
)
from stemdock.batch.manifest_index import ManifestIndex
from stemdock.lib.durable import flush_folder
from stemdock.lib.paths import is_file, resolved
from stemdock.lib.regular_files import is_real_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from stemdock.batch.contents import Content
    from stemdock.batch.manifest_files import Provenance
    from stemdock.types import Damage


class Manifest:
    """The entries of one output folder; safe to use from several threads and processes.

    Two processes must not write the entry of the same song at the same time (`stemdock.batch.claims`).
    """

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

    def check(self) -> None:
        """Checks that entries can be written, as far as that is known before.

        Raises:
            OutputError: Something else has the name of the manifest's folder.
        """
        check_folder(self._folder)

    def name_of(self, targets: Collection[Path]) -> str:
        """The name of the entry for a song's files."""
        return entry_name(map(self._output, targets))

    def made(self, paths: Collection[Path]) -> frozenset[Path]:
        """Those of some files that separations wrote, other processes included.

        Args:
            paths: Resolved. Stems are announced before they appear, so of files that were seen before this
                call, none is missed.
        """
        root = resolved(self._root)
        outputs = {path: path.relative_to(root).as_posix() for path in paths if path.is_relative_to(root)}
        if not outputs:
            return frozenset()
        with self._lock:
            self._index.refresh()
            return frozenset(path for path, output in outputs.items() if self._index.names(output))

    def owns(self, path: Path, targets: Collection[Path]) -> bool:
        """Whether a separation wrote this file, so that resuming may replace it.

        Args:
            path: The file.
            targets: All files of its song.
        """
        output = self._output(path)
        with self._lock:
            entry = self._own_entry(targets)
            if entry is None or output not in entry.outputs:
                entry = next(self._entries_with({output}), None)
            if entry is None:
                return self._is_damaged(self.name_of(targets))
        known = (entry.outputs.get(output), entry.replaced.get(output))
        return entry.complete or any(has_content(path, content) for content in known if content)

    def covers(self, provenance: Provenance, targets: Collection[Path]) -> bool:
        """Whether all targets exist, byte for byte as a run with the same provenance wrote them.

        Stems that came out short because the end of the mixture could not be read do not count.
        """
        entry = self._entry_of(targets)
        if (
            entry is None
            or entry.is_short
            or entry.provenance != provenance
            or not self._is_intact(entry, targets)
        ):
            return False
        if not entry.complete:
            self.complete(entry)
        return True

    def damage_of(self, targets: Collection[Path]) -> tuple[Damage, ...]:
        """Damage of the mixture that files were made from; empty if one run did not write them all."""
        entry = self._entry_of(targets)
        return entry.damage if entry else ()

    def provenance_of(self, paths: Collection[Path]) -> Provenance | None:
        """What files were made from; None if one run did not write them all, or one has changed."""
        entry = self._entry_of(paths)
        return entry.provenance if entry and self._is_intact(entry, paths) else None

    def announce(
        self, provenance: Provenance, staged: Mapping[Path, Path], damage: Sequence[Damage] = ()
    ) -> ManifestEntry:
        """Saves an entry for files that are about to move to their final paths.

        Args:
            provenance: What they were made from.
            staged: The finished files by their final paths.
            damage: Damaged places of the mixture.

        Raises:
            OutputError: A file cannot be read again, or the entry cannot be written.
        """
        # Files of earlier runs: if this one is stopped before it has replaced them all, they are still ours.
        earlier = {path: path for path in staged if is_file(path) and self.owns(path, staged)}
        entry = ManifestEntry(
            provenance=provenance,
            outputs=self._contents(staged),
            complete=False,
            damage=tuple(damage),
            replaced=self._contents(earlier),
        )
        self._save(entry)
        return entry

    def complete(self, entry: ManifestEntry) -> None:
        """Saves that announced files have reached their final paths.

        Raises:
            OutputError: The entry cannot be written.
        """
        self._save(replace(entry, complete=True, replaced={}))

    def _contents(self, files: Mapping[Path, Path]) -> dict[str, Content]:
        """Contents by output, from files by their final paths."""
        outputs = sorted((self._output(path), file) for path, file in files.items())
        with ThreadPoolExecutor() as pool:
            contents = {output: pool.submit(output_content, file) for output, file in outputs}
            return {output: content.result() for output, content in contents.items()}

    def _entry_of(self, paths: Collection[Path]) -> ManifestEntry | None:
        """The entry that lists all these files."""
        with self._lock:
            entry = self._own_entry(paths)
            if entry is None and any(os.path.lexists(path) for path in paths):
                entry = next(self._entries_with(set(map(self._output, paths))), None)
            return entry

    def _own_entry(self, targets: Collection[Path]) -> ManifestEntry | None:
        """The entry for exactly these files."""
        outputs = set(map(self._output, targets))
        entry = self._load(entry_name(outputs))
        # An entry of an earlier version, or in the wrong file, may list other outputs under this name.
        return entry if entry and entry.outputs.keys() == outputs else None

    def _entries_with(self, outputs: set[str]) -> Iterator[ManifestEntry]:
        """The entries that list all these outputs, and perhaps others."""
        if not self._index.is_read:
            self._index.refresh()
        found = map(self._load, sorted(self._index.names_of_any(outputs)))
        listing = [entry for entry in found if entry and outputs <= entry.outputs.keys()]
        # What a run announced before it was stopped is newer than what it was about to replace.
        yield from sorted(listing, key=lambda entry: entry.complete)

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

    def _is_damaged(self, name: str) -> bool:
        """Whether there is an entry of this name that cannot be read."""
        return (
            is_real_folder(self._folder)
            and os.path.lexists(self._path(name))
            and load_entry(self._path(name)) is None
        )

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _is_intact(self, entry: ManifestEntry, paths: Collection[Path]) -> bool:
        return all(has_content(path, entry.outputs[self._output(path)]) for path in paths)

    def _output(self, path: Path) -> str:
        return Path(os.path.relpath(path, self._root)).as_posix()

    def _save(self, entry: ManifestEntry) -> None:
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

    def _remove(self, name: str, successor: ManifestEntry) -> None:
        """Removes an entry of which another lists an output."""
        entry = self._load(name)
        if entry and entry.outputs.keys() & successor.outputs.keys():
            with suppress(OSError):
                self._path(name).unlink()
            flush_folder(self._folder)
