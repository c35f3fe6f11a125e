"""Reads damaged playlists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fuzz.case import Target
from fuzz.mutation import any_text, mutated
from stemdock.batch.inputs import find_songs

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from fuzz.case import Place

_PLAYLIST: Final = "list.m3u8"
_ENTRIES: Final = "#EXTM3U\n#EXTINF:3,Song\nsong.wav\n..\\input\\Säng.wav\nsub/other.wav\nhttp://x/y.mp3\n"


def build(folder: Path) -> None:
    """Writes a playlist in each encoding."""
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "latin-1"):
        (folder / f"{encoding}.m3u8").write_bytes(_ENTRIES.encode(encoding))


def damage(rng: Random, corpus: Path, folder: Path) -> None:
    """Damages the playlist or adds entries."""
    content = rng.choice(sorted(corpus.iterdir())).read_bytes()
    if rng.random() < 0.4:
        content += any_text(rng).encode("utf-8", "surrogatepass") + b"\n"
    (folder / _PLAYLIST).write_bytes(mutated(rng, content))
    (folder / "song.wav").touch()


def run(place: Place) -> None:
    """Finds the songs and raises the error of the first that cannot be found."""
    songs = find_songs([str(place.input / _PLAYLIST), str(place.input)], output=place.output)
    for song in songs:
        if song.fault:
            raise song.fault


TARGET: Final = Target(build=build, damage=damage, run=run)
