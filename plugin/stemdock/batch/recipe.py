"""What a process must know to separate the songs of a batch: plain values, which can be sent to it."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from stemdock.batch.claims import Claims
from stemdock.batch.manifest import Manifest
from stemdock.batch.manifest_files import FOLDER
from stemdock.batch.resuming import ResumableSeparation, SongSettings, remove_remains
from stemdock.lib.locations import Location
from stemdock.lib.untrusted_json import parse_json
from stemdock.separator import Separator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from threading import Event

    from stemdock.batch.events import SongPlan
    from stemdock.batch.resuming import OtherMixtures
    from stemdock.batch.uploading import UploadedSeparation
    from stemdock.files.excerpts import Excerpt
    from stemdock.lib.locations import Place
    from stemdock.output.options import Output
    from stemdock.plugins import Plugins
    from stemdock.types import DownmixMode, Execution, Separation


def stem_options(
    output: Output,
    excerpt: Excerpt,
    separation: Separation,
    precision: str,
    downmix: DownmixMode,
    track: int | None,
) -> Mapping[str, Any]:
    """The options that change the stems, as the manifest stores them."""
    # Those of runs without a format, or without a track, are as they were before there were any.
    written: dict[str, Any] = parse_json(json.dumps(asdict(output)))
    return {
        **{name: value for name, value in written.items() if name != "format" or value is not None},
        **asdict(excerpt),
        **asdict(separation),
        "precision": precision,
        "fold": downmix,
        **({} if track is None else {"track": track}),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparationRecipe:
    """The model and the options of a batch."""

    model: str
    """Name of an installed model, or the path of an ONNX file."""
    plugins: Plugins
    execution: Execution
    separation: Separation
    root: Place
    """Output folder, with the manifest and, on this machine, the claims."""
    output: Output
    excerpt: Excerpt
    downmix: DownmixMode
    track: int | None
    options: Mapping[str, Any]
    """The options that change the stems, as the manifest stores them."""
    resume: bool
    """As of `SongSettings`."""
    overwrite: bool
    """As of `SongSettings`."""
    growing: bool = False
    """As of `SongSettings`; only for a folder on this machine."""
    other_mixtures: OtherMixtures = "at the same place"
    """As of `SongSettings`."""
    identity: str | None = None
    """`ModelEntry.identity` that the model must have; None for any."""

    def open(
        self,
        cancel: Event,
        *,
        separator: Separator | None = None,
        manifest: Manifest | None = None,
        on_encoded: Callable[[str, bytes], None] | None = None,
    ) -> ResumableSeparation | UploadedSeparation:
        """Loads the model.

        Args:
            cancel: Set to stop soon.
            separator: The model, if it is loaded already.
            manifest: That of an output folder on this machine, if it is open already.
            on_encoded: As of `Observer`.

        Raises:
            ProviderUnavailableError: The provider is missing or does not work here.
            ModelError: The model is missing, damaged or contradicts its entry.
            OtherModelError: It is not the one of `identity`.
        """
        separator = separator or Separator(
            self.model, execution=self.execution, separation=self.separation, plugins=self.plugins
        )
        if self.identity not in {None, separator.entry.identity}:
            from stemdock.batch.shared_places import OtherModelError  # noqa: PLC0415  only workers need it

            raise OtherModelError(separator.model, platform.node())
        settings = SongSettings(
            separator=separator,
            output=self.output,
            excerpt=self.excerpt,
            downmix=self.downmix,
            track=self.track,
            options=self.options,
            resume=self.resume,
            overwrite=self.overwrite,
            growing=self.growing,
            other_mixtures=self.other_mixtures,
            on_encoded=on_encoded,
            cancel=cancel,
        )
        if isinstance(self.root, Location):
            # Only runs with an object store need these.
            from stemdock.batch.remote_manifest import RemoteManifest  # noqa: PLC0415
            from stemdock.batch.uploading import UploadedSeparation  # noqa: PLC0415

            return UploadedSeparation(settings=settings, manifest=RemoteManifest(self.root, cancel))
        return ResumableSeparation(
            settings=settings,
            manifest=manifest or Manifest(self.root),
            claims=Claims(self.root / FOLDER),
        )

    def clean(self, plan: SongPlan) -> None:
        """Removes what killed processes left of a song: claims and hidden folders of unfinished files."""
        if isinstance(self.root, Location):
            return  # in an object store are no claims, and nothing is unfinished
        claimed = Claims(self.root / FOLDER).claim(Manifest(self.root).name_of(plan.files.values()))
        if claimed:
            with claimed:
                remove_remains(plan.files.values())
