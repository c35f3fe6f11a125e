"""The manifest of an output folder: what each song's stems were made from, so that a later run can resume.

An entry is written twice: with `complete` false just before the files move to their final paths, and with
`complete` true afterwards. If a run is killed in between, the next run recognises the files by their content.
The disk has the stems before a complete entry names them (`stemdock.lib.durable`).

An entry that cannot be read counts as missing, and its song as not done. Its name still says which files it
lists, so a resuming run may replace them.
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
from stemdock.lib.durable import flush_folder
from stemdock.lib.paths import is_file, resolved
from stemdock.lib.regular_files import is_real_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from stemdock.batch.contents import Content
    from stemdock.batch.manifest_files import Provenance
    from stemdock.types import Damage


class Manifest:
    """The entries of one output folder; safe to use from several threads."""

    def __init__(self, root: Path) -> None:
        """Reads all entries.

        Args:
            root: The output folder, which need not exist.
        """
        self._root = root
        self._lock = Lock()
        self._entries: dict[str, ManifestEntry] = {}
        self._owners: dict[str, str] = {}
        """Name of the entry that lists an output, by the output's path."""
        self._unreadable: set[str] = set()
        """Names of entries."""
        found: dict[str, ManifestEntry] = {}
        # A folder that may not be read has no entries: writing to it will say what is wrong.
        with suppress(OSError):
            for path in sorted((root / FOLDER).glob("*.json") if is_real_folder(root / FOLDER) else ()):
                entry = load_entry(path)
                if entry:
                    found[path.stem] = entry
                else:
                    self._unreadable.add(path.stem)
        # What a run announced before it was stopped is newer than what it was about to replace.
        for name, entry in sorted(found.items(), key=lambda pair: not pair[1].complete):
            self._add(name, entry)

    def check(self) -> None:
        """Checks that entries can be written, as far as that is known before.

        Raises:
            OutputError: Something else has the name of the manifest's folder.
        """
        check_folder(self._root / FOLDER)

    def paths(self) -> frozenset[Path]:
        """All files that previous runs wrote, resolved."""
        root = resolved(self._root)
        with self._lock:
            return frozenset(root / output for output in self._owners)

    def owns(self, path: Path, targets: Collection[Path]) -> bool:
        """Whether a previous run wrote this file, so that resuming may replace it.

        Args:
            path: The file.
            targets: All files of its song.
        """
        output = self._output(path)
        with self._lock:
            name = self._owners.get(output)
            entry = self._entries[name] if name else None
        if entry is None:
            return entry_name(map(self._output, targets)) in self._unreadable
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
        """The one entry that lists all these files."""
        with self._lock:
            names = {self._owners.get(self._output(path)) for path in paths}
            name = names.pop() if len(names) == 1 else None
            return self._entries[name] if name else None

    def _is_intact(self, entry: ManifestEntry, paths: Collection[Path]) -> bool:
        return all(has_content(path, entry.outputs[self._output(path)]) for path in paths)

    def _output(self, path: Path) -> str:
        return Path(os.path.relpath(path, self._root)).as_posix()

    def _add(self, name: str, entry: ManifestEntry) -> set[str]:
        """Adds an entry; returns the names of the other entries that it replaces."""
        obsolete = {self._owners[output] for output in entry.outputs if output in self._owners}
        # An entry of an earlier version, or in the wrong file, may list other outputs under the same name.
        for old in obsolete | ({name} & self._entries.keys()):
            for output in self._entries.pop(old).outputs:
                del self._owners[output]
        self._entries[name] = entry
        self._owners.update(dict.fromkeys(entry.outputs, name))
        return obsolete - {name}

    def _save(self, entry: ManifestEntry) -> None:
        name = entry_name(entry.outputs)
        folder = self._root / FOLDER
        with self._lock:
            write_entry(entry, folder / f"{name}.json")
            self._unreadable.discard(name)
            for other in self._add(name, entry):
                with suppress(OSError):
                    (folder / f"{other}.json").unlink()
                flush_folder(folder)
