"""Separating songs into an object store: on this machine first, then uploaded."""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from posixpath import commonpath
from typing import TYPE_CHECKING

from stemdock.batch import object_store
from stemdock.batch.contents import output_content
from stemdock.batch.events import UpToDate
from stemdock.batch.remote_manifest import RemoteManifest, store_errors_of
from stemdock.batch.resuming import may_replace
from stemdock.batch.song_places import place_key
from stemdock.batch.sources import Source
from stemdock.errors import OutputError, OutputExistsError, OutputTakenError
from stemdock.files.stages import Stopwatch
from stemdock.files.staging import temporary_folder
from stemdock.output.formats import is_project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from stemdock.batch.events import SongPlan
    from stemdock.batch.manifest_files import ManifestEntry, Provenance
    from stemdock.batch.resuming import SongSettings
    from stemdock.lib.locations import Location
    from stemdock.types import Progress, SeparatedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedSeparation:
    """Separates songs into a folder of an object store, and lists the results in its manifest."""

    settings: SongSettings
    manifest: RemoteManifest

    def finished(self, plan: SongPlan) -> UpToDate | None:  # noqa: ARG002
        """Nothing: claims cost nothing here."""
        return None

    def claim(self, plan: SongPlan) -> AbstractContextManager[None] | None:  # noqa: ARG002
        """Lets any process separate any song: of two that do, the second finds the stems of the first."""
        return nullcontext()

    def __call__(self, plan: SongPlan, on_progress: Callable[[Progress], None]) -> SeparatedFile | UpToDate:
        """Separates a song, unless a previous run finished it.

        Returns:
            `UpToDate` if the stems of a previous run exist and are identical to those that this run would
            write.

        Raises:
            AudioFileError: The song cannot be read or separated, or changed during the separation.
            OutputError: A stem or the manifest cannot be written.
            CancelledError: `cancel` was set.
        """
        targets = plan.objects
        with Source(plan.song.path, self.settings.cancel) as source, temporary_folder() as folder:
            provenance = self.settings.provenance(source.identity())
            if self.settings.resume and (found := self.manifest.covering(provenance, targets.values())):
                return UpToDate(damage=found.damage)
            self._existing(plan, targets, provenance)
            files = _local(folder, targets)
            with source.local() as path, _named(files, targets):
                separated = self.settings.separate(
                    path,
                    files,
                    overwrite=False,
                    on_progress=on_progress,
                    before_placing=lambda _, __: source.check_unchanged(),
                )
            contents = {target: output_content(files[name]) for name, target in targets.items()}
            uploading = Stopwatch()
            with uploading.running():
                entry = None
                while entry is None:
                    # There are no claims: another run may have finished the song meanwhile.
                    if found := self._finished(provenance, targets):
                        return UpToDate(damage=found.damage)
                    replaced = self._existing(plan, targets, provenance)
                    entry = self.manifest.announce(
                        provenance, contents, separated.damage, place=self._place(plan)
                    )
                # What was announced stays, also if this fails: it may be what another run relies on by now,
                # and the next one knows it.
                for name, target in targets.items():
                    with store_errors_of(target):
                        object_store.create(
                            target,
                            files[name],
                            may_replace=target in replaced,
                            cancel=self.settings.cancel,
                        )
                self.manifest.complete(entry, targets.values())
            separated = replace(separated, stages={**separated.stages, "upload": uploading.seconds})
            return _renamed(source.named(separated), files, targets)

    def _finished(self, provenance: Provenance, targets: Mapping[str, Location]) -> ManifestEntry | None:
        if self.settings.overwrite and not self.settings.resume:
            return None
        return self.manifest.covering(provenance, targets.values())

    def _place(self, plan: SongPlan) -> str:
        return place_key(plan.song.path, self.manifest.root)

    def _existing(
        self, plan: SongPlan, targets: Mapping[str, Location], provenance: Provenance
    ) -> frozenset[Location]:
        """The objects that the upload replaces.

        Raises:
            OutputTakenError: An object is a stem of another song, and must not be replaced.
            OutputExistsError: An object exists and must not be replaced.
            OutputError: The store does not answer.
        """
        resume, overwrite = self.settings.resume, self.settings.overwrite
        existing = set()
        for target in targets.values():
            with store_errors_of(target):
                if object_store.exists(target, self.settings.cancel):
                    existing.add(target)
        for target in existing:
            is_edited = (
                not overwrite
                and is_project(target.path.name)
                and self.manifest.has_changed(target, targets.values())
            )
            if is_edited or not may_replace(target, plan, self.manifest, resume=resume, overwrite=overwrite):
                raise OutputExistsError(target)
        if existing:
            entry = self.manifest.entry_of(targets.values())
            if self.settings.is_taken(entry, provenance.mixture, self._place(plan)):
                taken = next(target for target in targets.values() if target in existing)
                raise OutputTakenError(taken, plan.song.path)
        return frozenset(existing)


def _local(folder: Path, targets: Mapping[str, Location]) -> dict[str, Path]:
    """A file for each target. A project names its sounds by their relative paths, so these are the same."""
    top = PurePosixPath(commonpath([target.path.parent for target in targets.values()]))
    return {name: folder / target.path.relative_to(top) for name, target in targets.items()}


@contextmanager
def _named(files: Mapping[str, Path], targets: Mapping[str, Location]) -> Iterator[None]:
    """Names targets in errors about their files."""
    try:
        yield
    except OutputError as error:
        for name, path in files.items():
            if error.path in {path, path.parent}:
                raise OutputError(targets[name], error.reason, remedy=error.remedy) from error
        raise


def _renamed(
    separated: SeparatedFile, files: Mapping[str, Path], targets: Mapping[str, Location]
) -> SeparatedFile:
    """The result, with targets in place of their files in the warnings."""
    warnings: Sequence[str] = separated.warnings
    for name, path in files.items():
        warnings = [warning.replace(str(path), str(targets[name])) for warning in warnings]
    return replace(separated, warnings=tuple(warnings))
