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
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stemdock.batch.contents import has_content, output_content
from stemdock.batch.manifest_entries import ManifestEntries
from stemdock.batch.manifest_files import FOLDER, ManifestEntry, check_folder, entry_name
from stemdock.files.growing import replaced_by
from stemdock.lib.paths import is_file, resolved
from stemdock.output.formats import is_project

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

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
        self.root = root
        self._prefix = os.path.join(os.path.abspath(root), "")  # noqa: PTH100, PTH118  see _output
        self._entries = ManifestEntries(root)

    def check(self) -> None:
        """Checks that entries can be written, as far as that is known before.

        Raises:
            OutputError: Something else has the name of the manifest's folder.
        """
        check_folder(self.root / FOLDER)

    def name_of(self, targets: Collection[Path]) -> str:
        """The name of the entry for a song's files."""
        return entry_name(self._outputs(targets))

    def is_recorded(self, targets: Collection[Path]) -> bool:
        """Whether there is a file with the name of the entry for a song's files, whatever it contains."""
        return os.path.lexists(self.root / FOLDER / f"{self.name_of(targets)}.json")

    def made(self, paths: Collection[Path]) -> frozenset[Path]:
        """Those of some files that separations wrote, other processes included.

        Args:
            paths: Resolved. Stems are announced before they appear, so of files that were seen before this
                call, none is missed.
        """
        root = resolved(self.root)
        outputs = {path.relative_to(root).as_posix(): path for path in paths if path.is_relative_to(root)}
        return frozenset(map(outputs.__getitem__, self._entries.listed(outputs))) if outputs else frozenset()

    def owns(
        self, path: Path, targets: Collection[Path], *, file: Path | None = None, as_written: bool = False
    ) -> bool:
        """Whether a separation wrote this file, so that resuming may replace it.

        Args:
            path: The file.
            targets: All files of its song.
            file: Where it is now, if it has been put aside.
            as_written: Whether a file that has changed since does not count.
        """
        output = self._output(path)
        entry = self.entry_for(path, targets)
        if entry is None:
            return self._entries.is_damaged(self._outputs(targets)) and not as_written
        known = (entry.outputs.get(output), entry.replaced.get(output))
        return (entry.complete and not as_written) or any(
            has_content(file or path, content) for content in known if content
        )

    def entry_for(self, path: Path, targets: Collection[Path]) -> ManifestEntry | None:
        """The entry that lists this file, best that of its song.

        Args:
            path: The file.
            targets: All files of its song.
        """
        output = self._output(path)
        entry = self._entries.of(self._outputs(targets))
        return entry if entry and output in entry.outputs else self._entries.listing({output})

    def covers(self, provenance: Provenance, targets: Collection[Path], *, is_claimed: bool = True) -> bool:
        """Whether all targets exist, byte for byte as a run with the same provenance wrote them.

        Projects may have changed: people save their own work in them. Stems that came out short because the
        end of the mixture could not be read do not count.

        Args:
            provenance: What they are to be made from.
            targets: All files of a song.
            is_claimed: Whether the entry may be completed. If not, only a complete one counts.
        """
        entry = self._entry_of(targets)
        if (
            entry is None
            or entry.is_short
            or entry.provenance != provenance
            or not self._is_intact(entry, targets)
        ):
            return False
        if not entry.complete and is_claimed:
            self.complete(entry)
        return entry.complete or is_claimed

    def damage_of(self, targets: Collection[Path]) -> tuple[Damage, ...]:
        """Damage of the mixture that files were made from; empty if one run did not write them all."""
        entry = self._entry_of(targets)
        return entry.damage if entry else ()

    def provenance_of(self, paths: Collection[Path]) -> Provenance | None:
        """What files were made from; None if one run did not write them all, or one has changed."""
        entry = self._entry_of(paths)
        return entry.provenance if entry and self._is_intact(entry, paths) else None

    def announce(
        self,
        provenance: Provenance,
        staged: Mapping[Path, Path],
        damage: Sequence[Damage] = (),
        *,
        place: str = "",
    ) -> ManifestEntry:
        """Saves an entry for files that are about to move to their final paths.

        Args:
            provenance: What they were made from.
            staged: The finished files by their final paths.
            damage: Damaged places of the mixture.
            place: As of `ManifestEntry`.

        Raises:
            OutputError: A file cannot be read again, or the entry cannot be written.
        """
        # Files of earlier runs: if this one is stopped before it has replaced them all, they are still ours.
        before = {path: replaced_by(path, file) for path, file in staged.items()}
        earlier = {
            path: file
            for path, file in before.items()
            if is_file(file) and self.owns(path, staged, file=file)
        }
        entry = ManifestEntry(
            provenance=provenance,
            outputs=self._contents(staged),
            complete=False,
            damage=tuple(damage),
            replaced=self._contents(earlier),
            place=place,
        )
        self._entries.save(entry)
        return entry

    def complete(self, entry: ManifestEntry) -> None:
        """Saves that announced files have reached their final paths.

        Raises:
            OutputError: The entry cannot be written.
        """
        self._entries.save(replace(entry, complete=True, replaced={}))

    def _contents(self, files: Mapping[Path, Path]) -> dict[str, Content]:
        """Contents by output, from files by their final paths."""
        outputs = sorted((self._output(path), file) for path, file in files.items())
        with ThreadPoolExecutor() as pool:
            contents = {output: pool.submit(output_content, file) for output, file in outputs}
            return {output: content.result() for output, content in contents.items()}

    def _entry_of(self, paths: Collection[Path]) -> ManifestEntry | None:
        """The entry that lists all these files."""
        outputs = self._outputs(paths)
        entry = self._entries.of(outputs)
        if entry is None and any(os.path.lexists(path) for path in paths):
            entry = self._entries.listing(outputs)
        return entry

    def _is_intact(self, entry: ManifestEntry, paths: Collection[Path]) -> bool:
        return all(
            is_file(path)
            if entry.complete and is_project(path.name)
            else has_content(path, entry.outputs[self._output(path)])
            for path in paths
        )

    def _outputs(self, paths: Collection[Path]) -> frozenset[str]:
        return frozenset(map(self._output, paths))

    def _output(self, path: Path) -> str:
        # Asked several times for each song, and os.path.relpath takes as long as reading an entry.
        text = os.path.abspath(path)  # noqa: PTH100
        if text.startswith(self._prefix):
            return text[len(self._prefix) :].replace(os.sep, "/")
        return Path(os.path.relpath(path, self.root)).as_posix()
