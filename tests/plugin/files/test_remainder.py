"""Mixes that start from the mixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from stemdock import Excerpt, Output, OutputOptionError, separate_file
from stemdock.files.remainder import with_remainder

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import Separator

REST = "everything else"


def samples_of(path: Path) -> np.ndarray:
    samples: np.ndarray = soundfile.read(path, dtype="float32", always_2d=True)[0]
    return samples


@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("rate", [44100, 22050])
def test_a_stem_and_everything_else_are_the_mixture(
    small_separator: Separator, tmp_path: Path, n_channels: int, rate: int
) -> None:
    mixture = np.random.default_rng(5).uniform(-0.5, 0.5, (90_000, n_channels)).astype(np.float32)
    soundfile.write(tmp_path / "song.wav", mixture, rate, subtype="FLOAT")
    stem = small_separator.stems[0]
    output = Output(stems=(stem,), mixes={REST: ("mixture", f"-{stem}")})
    excerpt = Excerpt(start=1000 / rate, duration=50_000 / rate)
    made = separate_file(
        small_separator, tmp_path / "song.wav", tmp_path / "out", output=output, excerpt=excerpt
    )
    total = samples_of(made.stems[stem]) + samples_of(made.mixes[REST])
    np.testing.assert_allclose(total, np.broadcast_to(mixture[1000:51_000], total.shape), atol=1e-6)


def test_stems_cannot_be_added_to_the_mixture(small_separator: Separator, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "song.wav", np.zeros((1000, 2)), 44100)
    output = Output(mixes={REST: ("mixture", small_separator.stems[0])})
    with pytest.raises(OutputOptionError, match=REST):
        separate_file(small_separator, tmp_path / "song.wav", tmp_path / "out", output=output)


@given(
    st.lists(st.integers(0, 5), max_size=8), st.lists(st.integers(0, 5), max_size=8), st.sampled_from([1, 2])
)
def test_the_remainder_does_not_depend_on_blocks(
    stem_lengths: list[int], mixture_lengths: list[int], n_channels: int
) -> None:
    total = sum(stem_lengths)
    rng = np.random.default_rng(1)
    mixture = rng.integers(-9, 9, (sum(mixture_lengths), n_channels)).astype(np.float32)
    stems = rng.integers(-9, 9, (3, total, 2)).astype(np.float32)
    blocks = np.split(stems, np.cumsum(stem_lengths)[:-1], axis=1) if stem_lengths else []
    parts = np.split(mixture, np.cumsum(mixture_lengths)[:-1]) if mixture_lengths else []
    made = list(with_remainder(blocks, iter(parts)))
    if not made:
        return
    whole = np.concatenate(made, axis=1)
    wanted = np.zeros((total, 2), np.float32)
    wanted[: len(mixture)] = np.broadcast_to(mixture, (len(mixture), 2))[:total]
    np.testing.assert_array_equal(whole[:3], stems)
    np.testing.assert_array_equal(whole.sum(axis=0), wanted)
