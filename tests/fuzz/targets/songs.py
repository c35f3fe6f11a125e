"""Reads damaged audio files as Stemdock itself and libsndfile do, without separating them."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from fuzz.case import Target
from fuzz.targets import audio
from stemdock import audio_info, open_audio
from stemdock.audio.tags.reading import UnreadableTagsError, read_tags

if TYPE_CHECKING:
    from fuzz.case import Place


def run(place: Place) -> None:
    """Reads the tags and the samples; the length that is announced must be theirs, or damage reported."""
    (song,) = place.input.iterdir()
    with suppress(UnreadableTagsError):
        read_tags(song)
    path = os.environ["PATH"]
    try:
        # Starting ffmpeg takes longer than all the rest, and `audio` does it.
        os.environ["PATH"] = ""
        info = audio_info(song)
        with open_audio(song, "front") as stream:
            length = 0
            for block in stream.blocks:
                length += len(block)
                assert block.shape == (len(block), stream.n_channels)
            assert stream.damage or length == info.total_length
    finally:
        os.environ["PATH"] = path


TARGET: Final = Target(build=audio.build, damage=audio.damage, run=run)
