"""Parts of a file: which samples reach the model, compared with a slice of the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from stemdock.errors import AudioFileError
from stemdock.files.excerpts import Excerpt, damage_within
from stemdock.files.separating import separate_file
from stemdock.plugins import Plugins
from stemdock.types import Damage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from stemdock import Separator

SAMPLE_RATE = 8000
LENGTH = 150_000


class Halves:
    """Stands in for a separator: each stem is half of the mixture."""

    model = "halves"
    stems = ("vocals", "accompaniment")
    n_channels = 2
    n_threads = 1

    def __init__(self) -> None:
        self.plugins = Plugins()

    def stream(self, blocks: Iterable[np.ndarray], sample_rate: int, **_: object) -> Iterator[np.ndarray]:
        del sample_rate
        for block in blocks:
            yield np.stack([block / 2, block / 2])


def halves() -> Separator:
    return cast("Separator", Halves())


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    mixture = np.random.default_rng(1).uniform(-1, 1, (LENGTH, 2)).astype(np.float32)
    path = tmp_path_factory.mktemp("song") / "song.wav"
    soundfile.write(path, mixture, SAMPLE_RATE, subtype="FLOAT")
    return path, mixture


@pytest.mark.slow
@given(first=st.integers(0, LENGTH - 1), length=st.integers(1, LENGTH * 2))
def test_whole_samples_are_met_exactly(
    song: tuple[Path, np.ndarray], tmp_path_factory: pytest.TempPathFactory, first: int, length: int
) -> None:
    path, mixture = song
    separated = separate_file(
        halves(),
        path,
        tmp_path_factory.mktemp("out"),
        excerpt=Excerpt(start=first / SAMPLE_RATE, duration=length / SAMPLE_RATE),
    )
    stem, _ = soundfile.read(separated.stems["vocals"], dtype="float32")
    wanted = mixture[first : first + length] / 2
    assert separated.total_length == len(wanted)
    np.testing.assert_array_equal(stem, wanted)


def test_broken_samples_are_included(song: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    path, mixture = song
    excerpt = Excerpt(start=10.5 / SAMPLE_RATE, duration=10.2 / SAMPLE_RATE)
    separated = separate_file(halves(), path, tmp_path, excerpt=excerpt)
    stem, _ = soundfile.read(separated.stems["vocals"], dtype="float32")
    np.testing.assert_array_equal(stem, mixture[10:21] / 2)


@pytest.mark.parametrize(("start", "duration"), [(LENGTH / SAMPLE_RATE, None), (3600.0, 1.0), (1.0, 0.0)])
def test_an_empty_part_is_refused(
    song: tuple[Path, np.ndarray], tmp_path: Path, start: float, duration: float | None
) -> None:
    excerpt = Excerpt(start=start, duration=duration)
    with pytest.raises(AudioFileError, match="no audio in the requested range"):
        separate_file(halves(), song[0], tmp_path / "out", excerpt=excerpt)
    assert not (tmp_path / "out").exists()


def test_only_damage_in_the_excerpt_counts() -> None:
    early = Damage(start=1.0, duration=0.5, kind="silence")
    late = Damage(start=8.0, duration=0.0, kind="invalid")
    end = Damage(start=9.0, duration=3.0, kind="end")
    damage = (early, late, end)
    assert damage_within(damage, Excerpt()) == damage
    assert damage_within(damage, Excerpt(start=1.2, duration=2.0)) == (early,)
    assert damage_within(damage, Excerpt(start=2.0)) == (late, end)
    assert damage_within(damage, Excerpt(start=8.5, duration=5.0)) == (end,)
    assert damage_within(damage, Excerpt(start=2.0, duration=1.0)) == ()
