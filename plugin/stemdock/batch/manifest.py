"""The manifest of an output folder: what each song's stems were made from, so that a later run can resume.

An entry is written twice: with `complete` false just before the files move to their final paths, and with
`complete` true afterwards. If a run is killed in between, the next run recognises the files by their content.
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
from stemdock.lib.paths import resolved
from stemdock.lib.regular_files import is_real_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

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
        # A folder that may not be read has no entries: writing to it will say what is wrong.
        with suppress(OSError):
            for path in sorted((root / FOLDER).glob("*.json") if is_real_folder(root / FOLDER) else ()):
                entry = load_entry(path)
                if entry:
                    self._add(path.stem, entry)

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

    def owns(self, path: Path) -> bool:
        """Whether a previous run wrote this file, so that resuming may replace it."""
        output = self._output(path)
        with self._lock:
            name = self._owners.get(output)
            entry = self._entries[name] if name else None
        return entry is not None and (entry.complete or has_content(path, entry.outputs[output]))

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
            self._save(replace(entry, complete=True))
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
        with ThreadPoolExecutor() as pool:
            contents = list(pool.map(output_content, staged.values()))
        outputs = {self._output(path): content for path, content in zip(staged, contents, strict=True)}
        entry = ManifestEntry(
            provenance=provenance,
            outputs=dict(sorted(outputs.items())),
            complete=False,
            damage=tuple(damage),
        )
        self._save(entry)
        return entry

    def complete(self, entry: ManifestEntry) -> None:
        """Saves that announced files have reached their final paths.

        Raises:
            OutputError: The entry cannot be written.
        """
        self._save(replace(entry, complete=True))

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
        """Adds an entry; returns the names of the entries that it replaces."""
        obsolete = {self._owners[output] for output in entry.outputs if output in self._owners} - {name}
        for old in obsolete:
            for output in self._entries.pop(old).outputs:
                del self._owners[output]
        self._entries[name] = entry
        self._owners.update(dict.fromkeys(entry.outputs, name))
        return obsolete

    def _save(self, entry: ManifestEntry) -> None:
        name = entry_name(entry)
        folder = self._root / FOLDER
        with self._lock:
            write_entry(entry, folder / f"{name}.json")
            for obsolete in self._add(name, entry):
                with suppress(OSError):
                    (folder / f"{obsolete}.json").unlink()
