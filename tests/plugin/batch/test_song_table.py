from __future__ import annotations

import errno
import io
import os
from pathlib import Path, PurePath, PurePosixPath
from typing import NoReturn

import pytest

from stemdock.batch.plans import Chosen, Plans
from stemdock.batch.song_table import SongTable
from stemdock.batch.songs import Song, faulty_song
from stemdock.errors import AudioFileNotFoundError
from stemdock.lib.locations import Location
from stemdock.output.naming import Destination
from support.small_model import write_noise

SONGS = [
    Song(path=Path("a.wav")),
    Song(path=Path("/music/a/b.wav"), folder=PurePath("a")),
    Song(path=Path("/music/a/c.wav"), folder=PurePath("a")),
    Song(path=Path("-")),
    Song(path=Path("caf\udce9/d.wav")),
    Song(path=Location("s3://bucket/a/e.wav"), folder=PurePosixPath("x/y"), name="z"),
    Song(path=Location("https://me:secret@host/f.wav?signature=a/b")),
    faulty_song(Path("g.wav"), "is no audio", "Name another."),
    Song(path=Path("/h.wav")),
]


def test_songs_come_back_as_they_were() -> None:
    table = SongTable(SONGS)
    assert list(table) == SONGS
    assert table[-2] is SONGS[-2]
    assert table[-1] == SONGS[-1]
    assert table[1:3] == SONGS[1:3]
    assert [type(song.path) for song in table] == [type(song.path) for song in SONGS]
    assert list(Chosen(table, [2, 9])) == [SONGS[1], SONGS[8]]


def test_plans_of_a_part_have_their_numbers_among_all() -> None:
    destination = Destination(folder=Path("/stems"))
    plans = Plans(SONGS, destination, ["low", "high"], codec="wav", model="small")
    own = plans.of([2, 6, 8])
    assert [plan.number for plan in own] == [2, 6, 8]
    assert list(own) == [plans[1], plans[5], plans[7]]
    assert own[0].targets == {name: Path(f"/stems/a/b/{name}.wav") for name in ("low", "high")}
    assert own[2].targets == {}
    assert [plan in own for plan in plans] == [number in {2, 6, 8} for number in range(1, 10)]
    assert (list(own.songs), len(own.all_songs)) == ([SONGS[1], SONGS[5], SONGS[7]], 9)


def test_tags_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    monkeypatch.setattr("stemdock.batch.plans.read_tags", read.append)
    destination = Destination(folder=tmp_path, template="{artist}/{filename}-{instrument}")
    songs = [Song(path=Path(f"{name}.wav")) for name in "abc"]
    own = Plans(songs, destination, ["low"], codec="wav", model="small").of([1, 3])
    assert [list(own), list(own)][0] == list(own)
    assert read == [Path("a.wav"), Path("c.wav")]


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EMFILE])
@pytest.mark.parametrize("method", ["open", "read"])
def test_a_song_that_cannot_be_read_now_gets_no_wrong_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, method: str
) -> None:
    song = write_noise(tmp_path / "a.wav")
    damaged = tmp_path / "b.flac"
    damaged.write_bytes(b"fLaC")

    class Failing(io.FileIO):
        def read(self, *_: object) -> NoReturn:
            raise OSError(number, os.strerror(number))

    def failing(path: Path) -> io.IOBase:
        if path != song:
            return path.open("rb")
        file = Failing(path)
        if method == "open":
            with file:
                file.read()
        return file

    monkeypatch.setattr("stemdock.audio.tags.reading.open_regular_file", failing)
    destination = Destination(folder=tmp_path, template="{artist}/{filename}-{instrument}")
    songs = [Song(path=song), Song(path=damaged), Song(path=tmp_path / "none.wav")]
    plans = Plans(songs, destination, ["low"], codec="wav", model="small")
    assert not plans[0].targets
    assert os.strerror(number) in str(plans[0].song.fault)
    assert list(plans[1].files.values()) == [tmp_path / "unknown artist/b-low"]
    assert isinstance(plans[2].song.fault, AudioFileNotFoundError)
