from __future__ import annotations

import tempfile
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stemdock import Execution, Plugins, Separation, Separator
from stemdock.dsp.wiener import gather_statistics, wiener_filter
from stemdock.errors import CancelledError, ModelContractError, OutputError
from support.file_limits import files_up_to
from support.mixtures import DATA, recorded_case, snr
from support.small_model import SmallPlugin, SmallSession, small_card

if TYPE_CHECKING:
    from stemdock import Progress

FRAME, HOP, N_FRAMES, N_BINS = 256, 64, 64, 64
EPSILON = 2.0**-23


@pytest.fixture
def mwf_separator(plugins: Plugins) -> Separator:
    return Separator("small", separation=Separation(mwf=True), plugins=plugins)


def sources(length: int, level: float = 0.3) -> np.ndarray:
    """A low tone on the left, noise on the right, and something in the middle, `(length, 2)`."""
    noise = np.random.default_rng(length)
    low = np.sin(2 * np.pi * 0.02 * np.arange(length))
    left, right = noise.uniform(-1, 1, (2, length))
    return (level * np.stack([low + 0.3 * left, 0.4 * low + right], axis=1)).astype(np.float32)


def whole_file_filter(mixture: np.ndarray) -> np.ndarray:
    """The formula on one array in complex128, matrix by matrix: nothing streamed, nothing shared."""
    n_frames = -(-(len(mixture) + FRAME) // HOP)
    n_segments = -(-n_frames // N_FRAMES)
    padded = np.zeros((FRAME + (n_segments * N_FRAMES - 1) * HOP + FRAME, 2))
    padded[FRAME : FRAME + len(mixture)] = mixture
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    starts = HOP * np.arange(n_segments * N_FRAMES)
    x = np.stack([np.fft.rfft(padded[start : start + FRAME] * window[:, None], axis=0) for start in starts])
    magnitude = np.abs(x[:, :N_BINS]).astype(np.float32).reshape(n_segments, N_FRAMES, N_BINS, 2)
    runs = [SmallSession().run(magnitude[i : i + 1]) for i in range(n_segments)]
    v = np.stack([np.concatenate([run[stem][0] for run in runs]) for stem in range(2)]).astype(np.float64)
    peak = max(1.0, np.abs(x).max() / 10)
    x = x[:, :N_BINS] / peak
    y = x * v / (EPSILON + v.sum(axis=0))
    p = (np.abs(y) ** 2).mean(axis=-1)
    r = np.einsum("jtfc,jtfd->jfcd", y, y.conj()) / (EPSILON + p.sum(axis=1))[..., None, None]
    c = np.einsum("jtf,jfcd->tfcd", p, r) + np.sqrt(EPSILON) * np.eye(2)
    white = np.linalg.solve(c, x[..., None])[..., 0]
    stems = np.zeros((2, len(starts), FRAME // 2 + 1, 2), complex)
    stems[:, :, :N_BINS] = peak * np.einsum("jtf,jfcd,tfd->jtfc", p, r, white)
    samples = np.zeros((2, len(padded), 2))
    for frame, start in enumerate(starts):
        back = np.fft.irfft(stems[:, frame], n=FRAME, axis=1)
        samples[:, start : start + FRAME] += back * window[:, None] * 2 / 3
    return samples[:, FRAME : FRAME + len(mixture)]


@pytest.mark.slow
@pytest.mark.parametrize("stem", ["vocals", "accompaniment"])
def test_stems_are_those_of_the_original_spleeter(stem: str) -> None:
    separator = Separator(separation=Separation(mwf=True))
    samples = separator.separate(recorded_case("a"))[stem]
    with np.load(DATA / "spleeter_2stems-mwf.npz") as recorded:
        expected = recorded[f"mwf.{stem}"]
        cuts = [samples[start : start + expected.shape[1]] for start in recorded["mwf.starts"]]
    # The original filters in complex64, which alone puts it 60 to 75 dB from the formula.
    assert snr(expected, np.stack(cuts)) >= 60


@pytest.mark.parametrize("level", [1e-3, 0.3, 40.0])
@pytest.mark.parametrize("length", [500, 3 * N_FRAMES * HOP + 777])
def test_stems_are_those_of_the_formula(mwf_separator: Separator, length: int, level: float) -> None:
    mixture = sources(length, level)
    expected = whole_file_filter(mixture)
    for samples, wanted in zip(mwf_separator.separate(mixture).values(), expected, strict=True):
        assert snr(wanted, samples) >= 90


def test_the_scale_goes_by_the_loudest_bin_even_where_no_network_looks(mwf_separator: Separator) -> None:
    mixture = sources(9000, 1e-3)
    mixture += (60 * np.sin(2 * np.pi * 0.45 * np.arange(9000)))[:, None].astype(np.float32)
    expected = whole_file_filter(mixture)
    for samples, wanted in zip(mwf_separator.separate(mixture).values(), expected, strict=True):
        assert snr(wanted, samples) >= 90


def test_monophonic_songs_stay_so(mwf_separator: Separator) -> None:
    mixture = sources(9000)[:, :1]
    for samples in mwf_separator.separate(mixture).values():
        assert np.isfinite(samples).all()
        np.testing.assert_allclose(samples[:, 0], samples[:, 1], atol=1e-6)


def test_silence_is_silence(mwf_separator: Separator) -> None:
    for samples in mwf_separator.separate(np.zeros((9000, 2), np.float32)).values():
        assert not samples.any()


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(1, 12999), max_size=9), n_threads=st.integers(1, 4))
def test_no_bit_depends_on_the_blocks_or_the_threads(cuts: list[int], n_threads: int) -> None:
    mixture = sources(13000)
    with tempfile.TemporaryDirectory() as folder:
        plugins = Plugins()
        plugins.register(SmallPlugin(Path(folder)), "small")
        first, second = (
            Separator(
                "small", separation=Separation(mwf=True), execution=Execution(n_threads=n), plugins=plugins
            )
            for n in (1, n_threads)
        )
        whole = np.concatenate(list(first.stream([mixture])), axis=1)
        pieces = np.concatenate(list(second.stream(np.split(mixture, sorted(cuts)))), axis=1)
    assert whole.shape == (2, 13000, 2)
    assert np.array_equal(whole, pieces)


@given(
    n_frames=st.integers(1, 5),
    n_stems=st.integers(2, 5),
    seed=st.integers(0, 1000),
    exponent=st.integers(1, 4),
)
def test_stems_add_up_to_what_the_estimates_cover(
    n_frames: int, n_stems: int, seed: int, exponent: int
) -> None:
    """C^-1 is the inverse of the sum of what it is multiplied with, but for the regularization."""
    random = np.random.default_rng(seed)
    spectrum = random.standard_normal((2, n_frames, 6, 2)) @ np.array([1, 1j])
    spectrum = (10.0**exponent * spectrum).astype(np.complex64)
    estimates = list(random.uniform(0, 1, (n_stems, n_frames, 4, 2)).astype(np.float32))
    stems = wiener_filter(estimates, spectrum, gather_statistics(estimates, spectrum))
    assert stems.shape == (n_stems, 2, n_frames, 4)
    assert np.abs(stems.sum(axis=0) - spectrum[..., :4]).max() <= 2e-2 * np.abs(spectrum).max()


def test_progress_covers_both_passes(mwf_separator: Separator) -> None:
    for total in (20000, None):
        seen: list[Progress] = []
        list(mwf_separator.stream([sources(20000)], total_length=total, on_progress=seen.append))
        done = [progress.done_length for progress in seen]
        assert done == sorted(set(done))
        first_pass = [progress for progress in seen if progress.done_length <= 16000]
        assert len(first_pass) >= 5
        assert first_pass[0].total_length == total
        assert seen[-1].done_length == seen[-1].total_length == 20000


@pytest.mark.parametrize("wanted", [1, 4, 7])
def test_both_passes_can_be_cancelled(mwf_separator: Separator, wanted: int) -> None:
    cancel = Event()
    seen: list[Progress] = []

    def stop(progress: Progress) -> None:
        seen.append(progress)
        if len(seen) == wanted:
            cancel.set()

    with pytest.raises(CancelledError):
        mwf_separator.separate(sources(20000), on_progress=stop, cancel=cancel)
    assert len(seen) == wanted


def test_a_full_disk_is_told_with_the_folder(mwf_separator: Separator) -> None:
    with files_up_to(100_000), pytest.raises(OutputError, match="temporary file") as caught:
        mwf_separator.separate(sources(20000))
    assert str(caught.value.path) == tempfile.gettempdir()
    assert "TMPDIR" in caught.value.remedy


def test_only_stereo_models_are_filtered(tmp_path: Path) -> None:
    plugins = Plugins()
    plugins.register(SmallPlugin(tmp_path, small_card(n_channels=1)), "small")
    with pytest.raises(ModelContractError, match="2 channels"):
        Separator("small", separation=Separation(mwf=True), plugins=plugins)
