"""Writes legacy Audacity projects (.aup), which import many tracks in one undo step.

Audacity 3 imports such a project with names and start times, and copies the samples from the WAV files
that it names. Those can be deleted afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import quoteattr

from stemdock import make_folder, write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_BLOCK_LENGTH: Final = 262144
"""Most samples in one block."""
_FLOAT: Final = 262159
"""Audacity's number for 32-bit floating point samples."""
_SCALING: Final = (3, 7)
"""Since this version, a clip's start is scaled when its track gets its own rate instead of the project's."""
_HEADER: Final = '<?xml version="1.0" encoding="utf-8" standalone="no" ?>\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class StemTrack:
    """A track to import."""

    name: str
    audio: Path
    """WAV file, absolute."""
    sample_rate: int
    """Hz."""
    n_channels: int
    length: int
    """Samples."""
    start: float
    """Seconds in the project."""


def write_project(
    path: Path, tracks: Sequence[StemTrack], project_rate: float, version: tuple[int, ...] = ()
) -> None:
    """Writes a project with these tracks, and the empty data folder that Audacity requires beside it.

    When this returns, both survive a power failure.

    Args:
        path: The .aup file.
        tracks: The tracks from the top.
        project_rate: Hz.
        version: Audacity's; empty if unknown.

    Raises:
        OSError: The project cannot be written.
    """
    data = path.with_name(f"{path.stem}_data")
    make_folder(data)
    body = "".join(
        _channel(track, n, channel, _offset(track, project_rate, version))
        for n, track in enumerate(tracks)
        for channel in range(track.n_channels)
    )
    content = (
        f'{_HEADER}<project xmlns="http://audacity.sourceforge.net/xml/" projname={quoteattr(data.name)} '
        f'version="1.3.0" audacityversion="2.4.2" rate="{project_rate!r}">{body}</project>\n'
    )
    write_atomically(path, content.encode(), durable=True)


def _offset(track: StemTrack, project_rate: float, version: tuple[int, ...]) -> float:
    """Seconds to write, so that the clip starts at the track's start."""
    if version < _SCALING:
        return track.start
    return track.start * track.sample_rate / project_rate


def _channel(track: StemTrack, n_track: int, channel: int, offset: float) -> str:
    linked = int(channel == 0 and track.n_channels > 1)
    place = channel if track.n_channels > 1 else 2  # left, right, or mono
    blocks = "".join(_blocks(track, n_track, channel))
    return (
        f'<wavetrack name={quoteattr(track.name)} channel="{place}" linked="{linked}" '
        f'mute="0" solo="0" isSelected="0" rate="{track.sample_rate}" gain="1.0" pan="0.0" colorindex="0">'
        f'<waveclip offset="{offset!r}" colorindex="0" name={quoteattr(track.name)}>'
        f'<sequence maxsamples="{_BLOCK_LENGTH}" sampleformat="{_FLOAT}" numsamples="{track.length}">'
        f"{blocks}</sequence></waveclip></wavetrack>"
    )


def _blocks(track: StemTrack, n_track: int, channel: int) -> Iterator[str]:
    audio = quoteattr(track.audio.as_posix())
    for n_block, start in enumerate(range(0, track.length, _BLOCK_LENGTH)):
        yield (
            f'<waveblock start="{start}"><pcmaliasblockfile summaryfile="{n_track}-{channel}-{n_block}.auf" '
            f'aliasfile={audio} aliasstart="{start}" aliaslen="{min(_BLOCK_LENGTH, track.length - start)}" '
            f'aliaschannel="{channel}" min="-1" max="1" rms="0.5"/></waveblock>'
        )
