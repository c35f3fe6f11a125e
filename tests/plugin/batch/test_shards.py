from __future__ import annotations

from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemdock.batch.events import SongPlan
from stemdock.batch.planning import conflicts
from stemdock.batch.plans import shard_name
from stemdock.batch.shards import ALL, Shard
from stemdock.batch.songs import Song
from stemdock.errors import OutputExistsError
from stemdock.lib.locations import Location
from stemdock.output.naming import DEFAULT_TEMPLATE, Destination


def shards(n_shards: int) -> list[Shard]:
    return [Shard(number=number, n_shards=n_shards) for number in range(1, n_shards + 1)]


def name_of(song: Song, template: str = DEFAULT_TEMPLATE) -> str:
    return shard_name(song, Destination(folder=Path("/stems"), template=template))


def shard_of(song: Song, n_shards: int, template: str = DEFAULT_TEMPLATE) -> int:
    (shard,) = [shard for shard in shards(n_shards) if shard.has(name_of(song, template))]
    return shard.number


@given(name=st.text(st.characters(exclude_characters="/\0"), min_size=1), n_shards=st.integers(1, 50))
def test_each_song_is_in_one_shard_wherever_its_folder_is(name: str, n_shards: int) -> None:
    here = Song(path=Path("/music/a") / name, folder=PurePath("a"))
    elsewhere = Song(path=Path("/mnt/nas/music/a") / name, folder=PurePath("a"))
    assert ALL.has(name_of(here))
    assert shard_of(here, n_shards) == shard_of(elsewhere, n_shards)


def test_the_shard_of_a_song_does_not_change_between_versions() -> None:
    songs = [Song(path=Path(f"{number}.wav"), folder=PurePath("a")) for number in range(12)]
    assert [shard_of(song, 5) for song in songs] == [4, 3, 4, 5, 2, 1, 4, 4, 3, 2, 3, 5]
    decomposed = Song(path=Path("Cafe\u0301.wav"))
    assert shard_of(decomposed, 1000) == shard_of(Song(path=Path("Caf\u00e9.wav")), 1000)
    # A name that is not UTF-8.
    assert shard_of(Song(path=Path("caf\udce9.wav")), 3)


@pytest.mark.parametrize("template", [DEFAULT_TEMPLATE, "{foldername}/{instrument}", "{artist}/{instrument}"])
def test_shards_are_about_equal(template: str) -> None:
    songs = [Song(path=Location(f"s3://bucket/{number}/audio.wav")) for number in range(5_000)]
    if template == DEFAULT_TEMPLATE:
        songs = [Song(path=Path(f"{number}.wav")) for number in range(5_000)]
    names = [name_of(song, template) for song in songs]
    for shard in shards(5):
        assert 850 < sum(map(shard.has, names)) < 1150


@pytest.mark.parametrize("number", [1, 2])
def test_what_is_in_the_way_of_another_shard_is_its_own_matter(tmp_path: Path, number: int) -> None:
    plans = []
    for place in range(20):
        target = tmp_path / f"{place}.stem"
        target.touch()
        plans.append(SongPlan(number=place, song=Song(path=Path(f"{place}.wav")), targets={"low": target}))
    own = plans[number::2]
    found = conflicts(plans, may_replace=lambda *_: False, own=own)
    assert all(isinstance(error, OutputExistsError) for error in found)
    assert [error.path for error in found] == [plan.targets["low"] for plan in own]
    assert 0 < len(found) < len(plans)


def test_songs_of_two_shards_that_share_a_file_stop_both(tmp_path: Path) -> None:
    songs = [Song(path=Path(f"{number}.wav")) for number in range(20)]
    one = next(song for song in songs if shard_of(song, 2) == 1)
    other = next(song for song in songs if shard_of(song, 2) == 2)
    plans = [
        SongPlan(number=number, song=song, targets={"low": tmp_path / "low.wav"})
        for number, song in enumerate((one, other), 1)
    ]
    for plan in plans:
        (error,) = conflicts(plans, may_replace=lambda *_: False, own=[plan])
        assert "would be written by 2 songs" in str(error)
