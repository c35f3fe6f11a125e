"""Separating the songs of a batch so that a later run can resume it."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stemdock.batch.contents import mixture_content
from stemdock.batch.events import UpToDate
from stemdock.batch.manifest_files import Provenance
from stemdock.errors import AudioFileError, OutputError
from stemdock.files.observing import Observer
from stemdock.files.separating import separate_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from threading import Event

    from stemdock.batch.events import SongPlan
    from stemdock.batch.manifest import Manifest
    from stemdock.batch.manifest_files import ManifestEntry
    from stemdock.files.excerpts import Excerpt
    from stemdock.output.options import Output
    from stemdock.separator import Separator
    from stemdock.types import Damage, DownmixMode, Progress, SeparatedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumableSeparation:
    """Separates songs with one model and one set of options, and lists the results in the manifest."""

    separator: Separator
    output: Output
    excerpt: Excerpt
    downmix: DownmixMode
    track: int | None
    options: Mapping[str, Any]
    """The options that change the stems, as the manifest stores them."""
    manifest: Manifest
    resume: bool
    """Whether to skip finished songs and to replace damaged or outdated stems of previous runs."""
    overwrite: bool
    """Whether to replace any file."""
    cancel: Event

    def may_replace(self, path: Path, plan: SongPlan) -> bool:
        """Whether a stem of a song may replace this existing file."""
        return self.overwrite or (self.resume and self.manifest.owns(path, plan.targets.values()))

    def __call__(self, plan: SongPlan, on_progress: Callable[[Progress], None]) -> SeparatedFile | UpToDate:
        """Separates a song, unless a previous run finished it.

        Returns:
            `UpToDate` if the stems of a previous run exist and are identical to those that this run would
            write.

        Raises:
            AudioFileError: The song cannot be separated, or changed during the separation.
            OutputError: A stem or the manifest cannot be written.
            CancelledError: `cancel` was set.
        """
        source = plan.song.path
        provenance = Provenance(
            mixture=mixture_content(source),
            model=self.separator.model,
            model_sha256=self.separator.entry.identity,
            options=self.options,
        )
        targets = plan.targets.values()
        if self.resume and self.manifest.covers(provenance, targets):
            return UpToDate(damage=self.manifest.damage_of(targets))
        entry: ManifestEntry | None = None

        def announce(staged: Mapping[Path, Path], damage: Sequence[Damage]) -> None:
            nonlocal entry
            # Modification times are too coarse for this; hashing takes little time beside the separation.
            if mixture_content(source) != provenance.mixture:
                raise AudioFileError(
                    source,
                    "changed during the separation",
                    remedy="Separate it again when no other program writes to it.",
                )
            entry = self.manifest.announce(provenance, staged, damage)

        existing = [path for path in targets if os.path.lexists(path)]
        separated = separate_file(
            self.separator,
            source,
            plan.targets,
            output=self.output,
            excerpt=self.excerpt,
            downmix=self.downmix,
            track=self.track,
            # Where nothing is yet, nothing is replaced either: a file that appears meanwhile is another's.
            overwrite=self.overwrite
            or (bool(existing) and all(self.may_replace(path, plan) for path in existing)),
            observer=Observer(on_progress=on_progress, before_placing=announce, cancel=self.cancel),
        )
        if entry:
            # If this fails, later runs still recognise the announced files by their content.
            with suppress(OutputError):
                self.manifest.complete(entry)
        return separated
