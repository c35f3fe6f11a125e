from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stemdock.dsp.stft import frames_length, istft, stft
from stemdock.engine.blocks import checked
from stemdock.engine.masking import MaskingEngine
from stemdock.errors import AudioError, NonFiniteSampleError
from support.mixtures import DATA, recorded_case, snr
from support.small_model import SmallSession, small_card

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from stemdock import Separator

pytestmark = pytest.mark.slow

FRAME, HOP, SEGMENT = 256, 64, 64 * 64


def engine(session: SmallSession | None = None) -> MaskingEngine:
    session = session or SmallSession()
    return MaskingEngine(session.card, session)


def separate(blocks: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(list(engine().separate(blocks, lambda _: None)), axis=1)


def noise(length: int, n_channels: int = 2) -> np.ndarray:
    return np.random.default_rng(length).uniform(-1, 1, (length, n_channels)).astype(np.float32)


@pytest.mark.parametrize("case", ["a", "mono", "short", "long", "example"])
def test_stems_are_those_of_the_original_spleeter(separator: Separator, case: str) -> None:
    mixture = recorded_case(case)
    stems = separator.separate(mixture)
    with np.load(DATA / "spleeter_2stems.npz") as recorded:
        for stem, samples in stems.items():
            assert samples.shape == (len(mixture), 2)
            expected = recorded[f"{case}.{stem}"]
            cuts = [samples[start : start + expected.shape[1]] for start in recorded[f"{case}.starts"]]
            assert snr(expected, np.stack(cuts)) >= 75


def test_whole_file_formula() -> None:
    """One array, one transform, chunks of frames, as Spleeter does it; no streaming anywhere."""
    session, mixture = SmallSession(), noise(3 * SEGMENT + 777)
    n_frames = -(-(len(mixture) + FRAME) // HOP)
    padded = np.zeros((2, frames_length(n_frames, FRAME)), np.float32)
    padded[:, FRAME : FRAME + len(mixture)] = mixture.T
    spectrum = stft(padded, FRAME)
    n_segments = -(-n_frames // 64)
    chunks = np.zeros((2, n_segments * 64, FRAME // 2 + 1), np.complex64)
    chunks[:, :n_frames] = spectrum
    magnitude = np.abs(chunks[..., :64]).reshape(2, n_segments, 64, 64).transpose(1, 2, 3, 0)
    powers = np.stack(session.run(magnitude)) ** 2
    masks = (powers + 0.5e-10) / (powers.sum(axis=0) + 1e-10)
    masks = np.concatenate([masks, np.repeat(masks.mean(axis=3, keepdims=True), 65, axis=3)], axis=3)
    for stem, mask in zip(separate([mixture]), masks, strict=True):
        planar = mask.transpose(3, 0, 1, 2).reshape(2, -1, FRAME // 2 + 1)[:, :n_frames]
        expected = istft((planar * spectrum).astype(np.complex64), FRAME)[:, FRAME : FRAME + len(mixture)]
        np.testing.assert_allclose(stem, expected.T, atol=1e-5)


@given(
    length=st.one_of(st.integers(1, 3 * SEGMENT), st.integers(-300, 300).map(lambda d: 2 * SEGMENT + d)),
    cuts=st.lists(st.integers(0, 3 * SEGMENT), max_size=12),
)
def test_no_bit_depends_on_how_the_mixture_is_cut(length: int, cuts: list[int]) -> None:
    mixture = noise(length)
    whole = separate([mixture])
    pieces = np.split(mixture, sorted(cut for cut in cuts if cut < length))
    assert whole.shape == (2, length, 2)
    assert np.array_equal(separate(pieces), whole)


@settings(max_examples=4, deadline=None)
@given(cuts=st.lists(st.integers(1, 617400), min_size=1, max_size=30))
def test_no_bit_depends_on_the_blocks_with_the_genuine_model(separator: Separator, cuts: list[int]) -> None:
    mixture = recorded_case("long")
    pieces = np.split(mixture, sorted(cuts))
    streamed = np.concatenate(list(separator.stream(pieces)), axis=1)
    assert np.array_equal(streamed, np.stack(list(separator.separate(mixture).values())))


@given(st.integers(1, 2 * SEGMENT))
def test_stems_add_up_to_the_mixture_if_no_bin_is_dropped(length: int) -> None:
    mixture = noise(length)
    np.testing.assert_allclose(separate([mixture]).sum(axis=0), mixture, atol=1e-5)


@pytest.mark.parametrize("sample_rate", [8000, 11025])
def test_a_single_channel_is_given_to_both(small_separator: Separator, sample_rate: int) -> None:
    mono = noise(1000, 1)
    both = small_separator.separate(np.repeat(mono, 2, axis=1), sample_rate)
    for stem, samples in small_separator.separate(mono, sample_rate).items():
        assert np.array_equal(samples, both[stem])


def test_the_first_stems_come_before_the_last_samples() -> None:
    """The stream may run ahead by the few segments that are under way at once, and no more."""
    asked = 0

    def blocks() -> Iterator[NDArray[np.float32]]:
        nonlocal asked
        for _ in range(100):
            asked += 1
            yield noise(SEGMENT)

    next(engine().separate(blocks(), lambda _: None))
    assert asked <= 4


def test_nothing_in_nothing_out() -> None:
    assert list(engine().separate([], lambda _: None)) == []


@pytest.mark.parametrize("shape", [(10,), (10, 3), (10, 2, 1)])
def test_blocks_of_another_shape_are_refused(small_separator: Separator, shape: tuple[int, ...]) -> None:
    with pytest.raises(AudioError, match="shape"):
        list(small_separator.stream([np.zeros(shape, np.float32)]))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused_and_located(bad: float) -> None:
    block = noise(100)
    block[7, 1] = bad
    with pytest.raises(NonFiniteSampleError) as caught:
        list(checked([noise(50), block], 2))
    assert caught.value.position == 57


def test_stems_with_extension_zeros_have_nothing_above_the_network() -> None:
    session = SmallSession(small_card(mask_extension="zeros"))
    stems = np.concatenate(list(engine(session).separate([noise(8000)], lambda _: None)), axis=1)
    spectrum = np.abs(np.fft.rfft(stems.sum(axis=0)[:, 0] * np.hanning(8000)))
    above = spectrum[8000 // 4 + 300 :]  # the network ends at a quarter of the sample rate
    assert above.max() < 1e-3 * spectrum.max()
