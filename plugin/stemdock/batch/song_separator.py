"""Separating one song after another from a program, each as often as you like: the work is done once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final, Literal

from stemdock.batch.claims import ClaimLostError
from stemdock.batch.events import SongPlan, UpToDate
from stemdock.batch.plans import plan_songs
from stemdock.batch.recipe import SeparationRecipe, stem_options
from stemdock.batch.song_lists import checked_place, output_parts
from stemdock.batch.songs import Song
from stemdock.errors import ArgumentError, CancelledError
from stemdock.files.excerpts import WHOLE_SONG, Excerpt
from stemdock.lib.arguments import is_path
from stemdock.lib.locations import OUTPUT_SCHEMES, Location, place_of
from stemdock.output.codecs import codec_of
from stemdock.output.formats import named_for
from stemdock.output.naming import DEFAULT_TEMPLATE, Destination
from stemdock.output.options import Output
from stemdock.output.packages import result_names, sound_files
from stemdock.plugins import load_plugins
from stemdock.types import DEFAULT_EXECUTION, DEFAULT_SEPARATION, DownmixMode, Execution, Separation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stemdock.lib.arguments import StrPath
    from stemdock.plugins import Plugins
    from stemdock.types import SeparatedFile

_LOOK: Final = 1.0
"""Seconds between two looks at a song that another process holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SongStatus:
    """What became of a song: plain values, for a row of a table."""

    song: str
    """Its path or address, without user and query."""
    status: Literal["done", "skipped"]
    """skipped: its stems were complete and up to date."""
    outputs: Mapping[str, str]
    """Paths or addresses by stem or mix."""
    elapsed: float
    """Seconds."""
    duration: float | None = None
    """Seconds of audio; None if it was skipped."""
    warnings: tuple[str, ...] = ()
    stages: Mapping[str, float] = field(default_factory=dict)
    """Seconds by stage, as of `SeparatedFile`."""


class SongSeparator:
    """Separates songs into one output folder; a model that is loaded once.

    Calling it is idempotent: a song whose stems are complete and up to date is skipped, so that a call can be
    repeated after any failure, also on another machine. It shares its manifest and its claims with
    `plugin-cli separate --resume`. Several threads may call it.

    Example:
        >>> separate = SongSeparator("s3://stems", output=Output(codec="flac"))
        >>> separate("s3://songs/waterloo.mp3", name="Abba/Waterloo").outputs["vocals"]
        's3://stems/Abba/Waterloo/vocals.flac'
    """

    def __init__(
        self,
        folder: StrPath,
        *,
        model: str = "2stems",
        output: Output = Output(),  # noqa: B008  a frozen value
        template: str = DEFAULT_TEMPLATE,
        excerpt: Excerpt = WHOLE_SONG,
        separation: Separation = DEFAULT_SEPARATION,
        execution: Execution = DEFAULT_EXECUTION,
        downmix: DownmixMode = "auto",
        track: int | None = None,
        replace_others: bool = False,
        plugins: Plugins | None = None,
        cancel: Event | None = None,
    ) -> None:
        """Loads the model.

        Args:
            folder: The output folder: a path, or an address (`s3://`, `gs://`, `file://`, `memory://`).
            model: Name of an installed model, or the path of an ONNX file.
            output: Which stems and mixes are written, and how they are encoded.
            template: Names the files, as `plugin-cli separate --template` does.
            excerpt: The part of each song to separate.
            separation: How stems are computed from the networks' estimates.
            execution: How the networks run. Give each of several processes a part of the cores.
            downmix: What to do with songs of more than two channels.
            track: Number of the audio track, from 1; None for the one that the song marks as its default.
            replace_others: Whether a song replaces the stems that another song, or another version of it,
                left in its places. Stems of the same song with other options are always replaced.
            plugins: The plug-ins that offer models; all that are installed if not given.
            cancel: Set it from another thread to stop the songs in progress.

        Raises:
            ArgumentError: The folder is neither a path nor an address that stems can be written to.
            OutputOptionError: The template or the output options are invalid.
            OutputError: The folder cannot have a manifest.
            ModelError: The model is missing, damaged or contradicts its entry.
            ProviderUnavailableError: The provider is missing or does not work here.
        """
        plugins = plugins or load_plugins()
        self._cancel = cancel or Event()
        destination = named_for(output, _destination(folder, template))
        self._work = SeparationRecipe(
            model=model,
            plugins=plugins,
            execution=execution,
            separation=separation,
            root=destination.location or destination.folder,
            output=output,
            excerpt=excerpt,
            downmix=downmix,
            track=track,
            options=stem_options(output, excerpt, separation, execution.precision, downmix, track),
            resume=True,
            overwrite=False,
            other_mixtures="any" if replace_others else "none",
        ).open(self._cancel)
        separator = self._work.settings.separator
        self._names = result_names(output, separator.stems)
        self._destination = replace(destination, companions=sound_files(output, separator.stems))
        self._codec = codec_of(output).extension
        self._model = separator.model

    def __call__(self, song: StrPath, name: str = "") -> SongStatus:
        """Separates a song, unless that is done. Waits if another process is separating it.

        Args:
            song: A path, or an address (`s3://`, `gs://`, `https://`, `http://`, `file://`, `memory://`).
            name: Takes the place of the song's file name in the names of its stems: a relative path with
                forward slashes, without an extension. Songs with equal file names need it: without it, their
                stems have the same places.

        Raises:
            ArgumentError: The song or the name cannot be used.
            AudioFileError: The song cannot be read or separated, or changed during the separation.
            OutputTakenError: In the place of a stem is one of another song, or of another version of this.
            OutputExistsError: A file that Stemdock did not write is in the place of a stem.
            OutputError: A stem or the manifest cannot be written.
            SetAsideError: The song killed each of several processes that tried it, the last within an hour.
            CancelledError: `cancel` was set.
        """
        start = monotonic()
        plan = self._plan(song, name)
        separated = self._separated(plan)
        status = SongStatus(
            song=str(plan.song.path),
            status="skipped",
            outputs={stem: str(place) for stem, place in plan.targets.items()},
            elapsed=monotonic() - start,
        )
        if isinstance(separated, UpToDate):
            return status
        return replace(
            status,
            status="done",
            duration=separated.total_length / separated.sample_rate,
            warnings=separated.warnings,
            stages=separated.stages,
        )

    def _separated(self, plan: SongPlan) -> SeparatedFile | UpToDate:
        while True:
            claimed = self._work.claim(plan)
            if claimed is not None:
                try:
                    with claimed:
                        return self._work(plan, lambda _: None)
                except ClaimLostError:
                    pass
            if self._cancel.is_set():
                raise CancelledError
            sleep(_LOOK)

    def _plan(self, song: StrPath, name: str) -> SongPlan:
        if not is_path(song):
            raise ArgumentError("song", song, "a path or an address")
        try:
            place = checked_place(str(song)) if isinstance(song, str) else Path(song)
        except ValueError as error:
            raise ArgumentError("song", "the given one", f"usable ({error})") from None
        named = Song(path=place)
        if name:
            try:
                parts = output_parts(name)
            except ValueError as error:
                raise ArgumentError("name", name, "a relative path that every system accepts") from error
            named = replace(named, folder=Path(*parts[:-1]), name=parts[-1])
        (plan,) = plan_songs([named], self._destination, self._names, codec=self._codec, model=self._model)
        if plan.song.fault:  # its tags cannot be read now
            raise plan.song.fault
        return plan


def _destination(folder: StrPath, template: str) -> Destination:
    if not is_path(folder):
        raise ArgumentError("folder", folder, "a path or an address")
    try:
        place = place_of(folder) if isinstance(folder, str) else Path(folder)
    except ValueError as error:
        raise ArgumentError("folder", "the given one", f"usable ({error})") from None
    if not isinstance(place, Location):
        return Destination(folder=place, template=template)
    if place.scheme not in OUTPUT_SCHEMES or not place.has_bucket or place.address != str(place):
        schemes = ", ".join(OUTPUT_SCHEMES)
        raise ArgumentError("folder", str(place), f"an address of {schemes} with a bucket and without a user")
    return Destination(folder=Path(), template=template, location=place)
