"""The manifest of an output folder in an object store, with the same entries as on a disk.

An entry is written before the stems are uploaded and again, as complete, after the last of them. A complete
entry has the ETags of the stems, so that later runs need not read them.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from stemdock.batch import object_store
from stemdock.batch.manifest_files import FOLDER, ManifestEntry, entry_content, entry_from, entry_name
from stemdock.batch.object_store import ObjectVersion
from stemdock.batch.store_errors import ExistingObjectError, MissingObjectError, StoreError
from stemdock.errors import OutputError, OutputExistsError
from stemdock.output.formats import is_project

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from threading import Event

    from stemdock.batch.contents import Content
    from stemdock.batch.manifest_files import Provenance
    from stemdock.lib.locations import Location
    from stemdock.types import Damage

_MAX_SIZE: Final = 4 << 20
"""Bytes of an entry."""


class RemoteManifest:
    """The entries of one output folder in an object store; safe to use from several threads."""

    def __init__(self, root: Location, cancel: Event | None = None) -> None:
        """Reads nothing yet.

        Args:
            root: The output folder.
            cancel: Set it to stop requests.
        """
        self.root = root
        self._cancel = cancel

    def owns(self, target: Location, targets: Collection[Location]) -> bool:
        """Whether a separation wrote this object, so that resuming may replace it.

        Args:
            target: The object.
            targets: All objects of its song.

        Raises:
            OutputError: The store does not answer.
        """
        with store_errors_of(target):
            content = self._content(targets)
            entry = content and self._entry_from(content, targets)
            if not entry:
                return content is not None  # damaged: its name still says what it lists
            output = self._output(target)
            known = (entry.outputs.get(output), entry.replaced.get(output))
            return entry.complete or any(self._has(target, each) for each in known if each)

    def has_changed(self, target: Location, targets: Collection[Location]) -> bool:
        """Whether an object is not, or perhaps not, as a separation wrote it.

        Args:
            target: The object, which exists.
            targets: All objects of its song.

        Raises:
            OutputError: The store does not answer.
        """
        entry = self.entry_of(targets)
        with store_errors_of(target):
            if entry is None or entry.complete:
                return entry is None or self._version(target) != self._listed(entry, target)
            output = self._output(target)
            known = (entry.outputs[output], entry.replaced.get(output))
            return not any(self._has(target, each) for each in known if each)

    def covering(self, provenance: Provenance, targets: Collection[Location]) -> ManifestEntry | None:
        """The entry of all targets, if they exist as a run with the same provenance wrote them.

        Projects may have changed: people save their own work in them.

        Raises:
            OutputError: The store does not answer.
        """
        with store_errors_of(self._location(targets)):
            entry = self.entry_of(targets)
            if entry is None or entry.is_short or entry.provenance != provenance:
                return None
            if entry.complete:
                versions = {target: self._version(target) for target in targets}
                is_intact = all(
                    version == self._listed(entry, target) or (version and is_project(target.path.name))
                    for target, version in versions.items()
                )
                return entry if is_intact else None
            if not all(self._has(target, entry.outputs[self._output(target)]) for target in targets):
                return None
            self.complete(entry, targets)
            return entry

    def entry_of(self, targets: Collection[Location]) -> ManifestEntry | None:
        """The entry for exactly these objects.

        Raises:
            OutputError: The store does not answer.
        """
        with store_errors_of(self._location(targets)):
            content = self._content(targets)
            return self._entry_from(content, targets) if content else None

    def announce(
        self,
        provenance: Provenance,
        contents: Mapping[Location, Content],
        damage: tuple[Damage, ...],
        *,
        place: str = "",
    ) -> ManifestEntry | None:
        """Saves an entry for files that are about to be uploaded; None if another run just made one.

        Args:
            provenance: What they were made from.
            contents: Of the files, by their targets.
            damage: Damaged places of the mixture.
            place: As of `ManifestEntry`.

        Raises:
            OutputError: The entry cannot be written.
        """
        # Objects of earlier runs: if this one is stopped before it has replaced them, they are still ours.
        location = self._location(contents)
        with store_errors_of(location):
            before = self._content(contents)
            earlier = self._entry_from(before, contents) if before else None
            replaced = self._replaced(earlier, contents) if earlier else {}
        entry = ManifestEntry(
            provenance=provenance,
            outputs={self._output(target): content for target, content in contents.items()},
            complete=False,
            damage=damage,
            replaced=replaced,
            place=place,
        )
        try:
            self._save(entry, only_new=before is None)
        except OutputExistsError:
            # Or this one has made it, and only the answer was lost.
            return entry if self.entry_of(contents) == entry else None
        return entry

    def complete(self, entry: ManifestEntry, targets: Collection[Location]) -> None:
        """Saves that announced files have been uploaded.

        Raises:
            OutputError: The entry cannot be written, or a target cannot be seen.
        """
        etags = {}
        for target in targets:
            with store_errors_of(target):
                etags[self._output(target)] = object_store.info(target, self._cancel).etag
        self._save(replace(entry, complete=True, replaced={}, etags=etags))

    def _replaced(self, earlier: ManifestEntry, targets: Collection[Location]) -> dict[str, Content]:
        """What may be in the places of targets after an earlier run, which perhaps was stopped or goes on."""
        replaced = {}
        for target in targets:
            output = self._output(target)
            before = None if earlier.complete else earlier.replaced.get(output)
            is_there = before is not None and self._has(target, before)
            replaced[output] = before if before and is_there else earlier.outputs[output]
        return replaced

    def _save(self, entry: ManifestEntry, *, only_new: bool = False) -> None:
        location = self.root / f"{FOLDER}/{entry_name(entry.outputs)}.json"
        with store_errors_of(location):
            object_store.write(location, entry_content(entry), self._cancel, only_new=only_new)

    def _content(self, targets: Collection[Location]) -> bytes | None:
        with suppress(MissingObjectError):
            return object_store.read(self._location(targets), max_size=_MAX_SIZE, cancel=self._cancel)
        return None

    def _entry_from(self, content: bytes, targets: Collection[Location]) -> ManifestEntry | None:
        entry = entry_from(content)
        return entry if entry and entry.outputs.keys() == set(map(self._output, targets)) else None

    def _has(self, target: Location, content: Content) -> bool:
        """Whether there is an object with exactly this content, which is downloaded for this."""
        try:
            return (
                object_store.info(target, self._cancel).size == content.size
                and object_store.sha256_of(target, self._cancel) == content.sha256
            )
        except MissingObjectError:
            return False

    def _version(self, target: Location) -> ObjectVersion | None:
        try:
            info = object_store.info(target, self._cancel)
        except MissingObjectError:
            return None
        return None if info.size is None else ObjectVersion(size=info.size, etag=info.etag)

    def _listed(self, entry: ManifestEntry, target: Location) -> ObjectVersion:
        output = self._output(target)
        return ObjectVersion(size=entry.outputs[output].size, etag=entry.etags.get(output, ""))

    def _location(self, targets: Collection[Location]) -> Location:
        return self.root / f"{FOLDER}/{entry_name(map(self._output, targets))}.json"

    def _output(self, target: Location) -> str:
        return str(target).removeprefix(str(self.root / ""))


@contextmanager
def store_errors_of(location: Location) -> Iterator[None]:
    """Turns errors of the store into those of outputs."""
    try:
        yield
    except ExistingObjectError:
        raise OutputExistsError(location) from None
    except StoreError as error:
        raise OutputError(location, f"cannot be used ({error})", remedy=error.remedy) from None
