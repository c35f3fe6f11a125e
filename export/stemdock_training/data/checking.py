"""Checks every file of every song before the first step."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import numpy as np

from stemdock import AudioError, CancelledError, StemdockError, audio_info, open_audio
from stemdock_training.data.parts import segment_length
from stemdock_training.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from threading import Event

    from stemdock import AudioInfo
    from stemdock_export.config import SpleeterConfig
    from stemdock_training.data.songs import Song

_COPY: Final = "Get an intact copy of the file, or leave the song out."
_EXPORT: Final = "Export the mixture and all stems of the song again with the same settings."
_TOLERANCE: Final = 0.1
"""Seconds by which a list may be wrong about the length of a song: lists are often rounded."""


def check_songs(
    songs: Sequence[Song],
    network: SpleeterConfig,
    *,
    allow_silence: bool,
    on_song: Callable[[int, int], None],
    cancel: Event,
) -> list[Problem]:
    """Everything that is wrong with some songs.

    Args:
        songs: The songs.
        network: Sample rate, channels, and length of a segment.
        allow_silence: Whether a stem may be silent for a whole song.
        on_song: Called before each song is checked, with its number from 1 and the number of songs.
        cancel: Ends the check.

    Raises:
        CancelledError: `cancel` was set.
    """
    problems: list[Problem] = []
    seen: set[Path] = set()
    for number, song in enumerate(songs, 1):
        on_song(number, len(songs))
        _stop_if(cancel)
        place = _resolved(song.mixture)
        if place in seen:
            remedy = "Keep it once. A song for validation must not be one for training."
            problems.append(Problem(path=song.mixture, reason="is listed twice", remedy=remedy))
            continue
        seen.add(place)
        problems += _check_song(song, network, allow_silence=allow_silence, cancel=cancel)
    return problems


def _stop_if(cancel: Event) -> None:
    if cancel.is_set():
        raise CancelledError


def _resolved(path: Path) -> Path:
    """The place of a file that several paths lead to; the path itself if no system accepts it."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return path


def _check_song(song: Song, network: SpleeterConfig, *, allow_silence: bool, cancel: Event) -> list[Problem]:
    problems: list[Problem] = []
    infos: dict[Path, AudioInfo] = {}
    for path in dict.fromkeys(song.files()):
        try:
            infos[path] = audio_info(path)
        except StemdockError as error:
            problems.append(_unreadable(path, error))
    problems += _formats(infos, network)
    if not problems:
        problems += _lengths(song, infos, network)
    if not problems:  # decoding takes a while, and a wrong file must be replaced anyway
        for path in infos:
            is_part = path != song.mixture
            problems += _samples(path, may_be_silent=is_part and allow_silence, cancel=cancel)
    return problems


def _unreadable(path: Path, error: StemdockError) -> Problem:
    # Unlike the methods of Path, it is False for a name that is too long.
    if not os.path.exists(path):  # noqa: PTH110
        return Problem(path=path, reason="is missing", remedy="Add the file, or leave the song out.")
    return Problem(path=path, reason=str(error).removeprefix(f"{path}: "), remedy=error.remedy or _COPY)


def _formats(infos: Mapping[Path, AudioInfo], network: SpleeterConfig) -> Iterator[Problem]:
    for path, info in infos.items():
        if info.sample_rate != network.sample_rate:
            reason = f"has a sample rate of {info.sample_rate} Hz instead of {network.sample_rate} Hz"
            yield Problem(path=path, reason=reason, remedy="Convert the file to that rate.")
        if info.n_channels != network.n_channels:
            kind = "is mono" if info.n_channels == 1 else f"has {info.n_channels} channels"
            yield Problem(path=path, reason=f"{kind} instead of stereo", remedy="Export it as a stereo file.")


def _lengths(song: Song, infos: Mapping[Path, AudioInfo], network: SpleeterConfig) -> Iterator[Problem]:
    mixture = infos[song.mixture]
    for path, info in infos.items():
        # A frame's hop is what an encoder such as mp3's may add; more would shift stem and mixture.
        if abs(info.total_length - mixture.total_length) > network.hop_length:
            reason = f"is {info.duration:.2f} s long, but its mixture {mixture.duration:.2f} s"
            yield Problem(path=path, reason=reason, remedy=_EXPORT)
    shortest = segment_length(network)
    path, info = min(infos.items(), key=lambda item: item[1].total_length)
    if info.total_length < shortest:
        needed = shortest / network.sample_rate
        reason = f"is {info.duration:.2f} s long, shorter than one segment of {needed:.2f} s"
        yield Problem(path=path, reason=reason, remedy="Leave the song out.")
    if song.duration is not None and song.duration > mixture.duration + _TOLERANCE:
        reason = f"is {mixture.duration:.2f} s long, but the list says {song.duration:.2f} s"
        yield Problem(path=song.mixture, reason=reason, remedy="Correct the duration in the list.")


def _samples(path: Path, *, may_be_silent: bool, cancel: Event) -> Iterator[Problem]:
    is_silent = True
    try:
        with open_audio(path) as audio:
            for block in audio.blocks:
                _stop_if(cancel)
                if not np.isfinite(block).all():
                    yield Problem(path=path, reason="contains samples that are not numbers", remedy=_COPY)
                    return
                is_silent = is_silent and not block.any()
    except AudioError as error:
        yield _unreadable(path, error)
        return
    if is_silent and not may_be_silent:
        remedy = "Check the file. If the stem really rests for the whole song, add --allow-silence."
        yield Problem(path=path, reason="is silent", remedy=remedy)
