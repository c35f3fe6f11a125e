"""Separating the songs of a batch so that a later run can resume it."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from stemdock.batch.events import UpToDate
from stemdock.batch.manifest import Manifest
from stemdock.batch.manifest_files import Provenance
from stemdock.batch.song_places import place_key
from stemdock.batch.sources import Source
from stemdock.errors import OutputError, OutputTakenError
from stemdock.files.observing import Observer
from stemdock.files.separating import separate_file
from stemdock.files.staging import is_unfinished, remove_abandoned
from stemdock.lib.locations import Location
from stemdock.output.formats import is_project

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from contextlib import AbstractContextManager
    from threading import Event

    from stemdock.batch.claims import Claims
    from stemdock.batch.contents import Content
    from stemdock.batch.events import SongPlan
    from stemdock.batch.manifest_files import ManifestEntry
    from stemdock.batch.object_store import ObjectVersion
    from stemdock.batch.remote_manifest import RemoteManifest
    from stemdock.files.excerpts import Excerpt
    from stemdock.lib.locations import Place
    from stemdock.output.options import Output
    from stemdock.separator import Separator
    from stemdock.types import Damage, DownmixMode, Progress, SeparatedFile

OtherMixtures: TypeAlias = Literal["none", "at the same place", "any"]
"""Mixtures other than a song, by their relation to it."""


def may_replace(
    place: Place, plan: SongPlan, manifest: Manifest | RemoteManifest, *, resume: bool, overwrite: bool
) -> bool:
    """Whether a stem of a song may replace this existing file.

    Args:
        place: The file.
        plan: The song.
        manifest: Of the output folder.
        resume: Whether stems of previous runs may be replaced, and what a run left unfinished.
        overwrite: Whether any file may.

    Raises:
        OutputError: The object store does not answer.
    """
    if overwrite or not resume:
        return overwrite
    if isinstance(manifest, Manifest):
        return isinstance(place, Path) and (manifest.owns(place, plan.files.values()) or is_unfinished(place))
    return isinstance(place, Location) and manifest.owns(place, plan.objects.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class SongSettings:
    """How each song of a batch is separated."""

    separator: Separator
    output: Output
    excerpt: Excerpt
    downmix: DownmixMode
    track: int | None
    options: Mapping[str, Any]
    """The options that change the stems, as the manifest stores them."""
    resume: bool
    """Whether to skip finished songs and to replace damaged or outdated stems of previous runs."""
    overwrite: bool
    """Whether to replace any file."""
    growing: bool = False
    """Whether the files appear with their first segment and grow."""
    other_mixtures: OtherMixtures = "at the same place"
    """Of which other mixtures `resume` also replaces the stems: of what was in the song's place before it was
    edited, or of any song."""
    on_encoded: Callable[[str, bytes], None] | None = None
    """As of `Observer`."""
    cancel: Event

    def is_taken(self, entry: ManifestEntry | None, mixture: Content | ObjectVersion, place: str) -> bool:
        """Whether existing stems are of another song, which this one must not replace.

        Args:
            entry: That of the stems; None if there is none.
            mixture: The song's.
            place: Where the song is, as of `ManifestEntry`.
        """
        if entry is None or self.overwrite or not self.resume or entry.provenance.mixture == mixture:
            return False
        if self.other_mixtures == "at the same place":
            return entry.place not in {"", place}
        return self.other_mixtures == "none"

    def provenance(self, mixture: Content | ObjectVersion) -> Provenance:
        """What the stems of a mixture are made from."""
        return Provenance(
            mixture=mixture,
            model=self.separator.model,
            model_sha256=self.separator.entry.identity,
            options=self.options,
        )

    def separate(
        self,
        source: Path,
        targets: Mapping[str, Path],
        *,
        overwrite: bool,
        on_progress: Callable[[Progress], None],
        before_placing: Callable[[Mapping[Path, Path], Sequence[Damage]], None],
    ) -> SeparatedFile:
        """Separates a file.

        Raises:
            AudioFileError: The song cannot be separated.
            OutputError: A stem cannot be written.
            CancelledError: `cancel` was set.
        """
        return separate_file(
            self.separator,
            source,
            targets,
            output=self.output,
            excerpt=self.excerpt,
            downmix=self.downmix,
            track=self.track,
            overwrite=overwrite,
            growing=self.growing,
            observer=Observer(
                on_progress=on_progress,
                before_placing=before_placing,
                on_encoded=self.on_encoded,
                cancel=self.cancel,
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumableSeparation:
    """Separates songs into a folder of this machine, and lists the results in the manifest."""

    settings: SongSettings
    manifest: Manifest
    claims: Claims
    """In the same output folder."""

    def finished(self, plan: SongPlan) -> UpToDate | None:
        """What a previous run finished. Writes nothing, so that a million finished songs need no claims.

        Raises:
            AudioFileError: The song cannot be read.
            CancelledError: `cancel` was set.
        """
        targets = plan.files.values()
        if not (self.settings.resume and self.manifest.is_recorded(targets)):
            return None
        # Whoever claims the song removes the claim of a process that died when all was done.
        if self.claims.is_known(self.manifest.name_of(targets)):
            return None
        remove_remains(targets)
        with Source(plan.song.path, self.settings.cancel) as source:
            provenance = self.settings.provenance(source.identity())
            if not self.manifest.covers(provenance, targets, is_claimed=False):
                return None
        return UpToDate(damage=self.manifest.damage_of(targets))

    def claim(self, plan: SongPlan) -> AbstractContextManager[None] | None:
        """Claims a song for this process; None if another process is separating it."""
        return self.claims.claim(self.manifest.name_of(plan.files.values()))

    def __call__(self, plan: SongPlan, on_progress: Callable[[Progress], None]) -> SeparatedFile | UpToDate:
        """Separates a song, unless a previous run finished it.

        Returns:
            `UpToDate` if the stems of a previous run exist and are identical to those that this run would
            write.

        Raises:
            AudioFileError: The song cannot be separated, or changed during the separation.
            OutputTakenError: A file is a stem of another song, and must not be replaced.
            OutputError: A stem or the manifest cannot be written.
            CancelledError: `cancel` was set.
            ClaimLostError: Another process has taken the song over.
            SetAsideError: The song killed each process that tried it.
        """
        resume, overwrite = self.settings.resume, self.settings.overwrite
        with ExitStack() as stack:
            source = stack.enter_context(Source(plan.song.path, self.settings.cancel))
            provenance = self.settings.provenance(source.identity())
            targets = plan.files.values()
            name = self.manifest.name_of(targets)
            remove_remains(targets)
            if resume and self.manifest.covers(provenance, targets):
                return UpToDate(damage=self.manifest.damage_of(targets))
            self.claims.check_deaths(name, plan.song.path)
            existing = [target for target in targets if os.path.lexists(target)]
            place = place_key(plan.song.path, self.manifest.root)
            for target in existing:
                known = self.manifest.entry_for(target, targets)
                if self.settings.is_taken(known, provenance.mixture, place):
                    raise OutputTakenError(target, plan.song.path)
            entry: ManifestEntry | None = None

            def announce(staged: Mapping[Path, Path], damage: Sequence[Damage]) -> None:
                nonlocal entry
                source.check_unchanged()
                self.claims.check(name)
                entry = self.manifest.announce(provenance, staged, damage, place=place)

            with source.local() as path:
                separated = self.settings.separate(
                    path,
                    plan.files,
                    # Where nothing is yet, nothing is replaced: a file that appears meanwhile is another's.
                    overwrite=overwrite
                    or (
                        bool(existing)
                        and all(
                            may_replace(target, plan, self.manifest, resume=resume, overwrite=overwrite)
                            and not self._is_edited(target, targets)
                            for target in existing
                        )
                    ),
                    on_progress=on_progress,
                    before_placing=announce,
                )
            if entry:
                # If this fails, later runs still recognise the announced files by their content.
                with suppress(OutputError):
                    self.manifest.complete(entry)
            return source.named(separated)

    def _is_edited(self, target: Path, targets: Collection[Path]) -> bool:
        """Whether people may have saved their own work in a file."""
        return is_project(target.name) and not self.manifest.owns(target, targets, as_written=True)


def remove_remains(targets: Collection[Path]) -> None:
    """Removes the hidden folders that killed runs left of a song.

    That can be stems that have their names already. So it comes before a look at what is finished.
    """
    for folder in {target.parent for target in targets}:
        remove_abandoned(folder)
