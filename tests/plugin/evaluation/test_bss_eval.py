"""The ratios against museval's, and against their definition written out."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stemdock_evaluation.bss_eval import RATIOS, frame_ratios
from stemdock_evaluation.projection import fit
from support.evaluation_cases import CASES, leaking
from support.mixtures import DATA

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from support.evaluation_cases import Case

FRAME = 8000


def flat(signals: NDArray[np.float64]) -> NDArray[np.float64]:
    """`(n_sources, n_samples, n_channels)` as the evaluation has it."""
    return signals.transpose(1, 0, 2).reshape(signals.shape[1], -1)


def cut(case: Case, borders: Sequence[int]) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    references, estimates = map(flat, case)
    for start, end in itertools.pairwise(borders):
        yield references[start:end], estimates[start:end]


def ratios_of(
    case: Case,
    *,
    filter_length: int = 512,
    piece_length: int = 5000,
    frame_length: int = FRAME,
) -> NDArray[np.float64]:
    """`(4, n_sources, n_frames)`."""
    n_sources, length, _ = case[0].shape
    frame_length = min(frame_length, length)
    pieces = cut(case, [*range(0, length, piece_length), length])
    frames = cut(case, range(0, length + 1, frame_length))
    return np.stack(list(frame_ratios(frames, fit(pieces, n_sources, filter_length)))).transpose(2, 1, 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_museval_rates_the_same(name: str) -> None:
    recorded = json.loads((DATA / "museval.json").read_text())[name]
    expected = np.array([recorded[ratio] for ratio in RATIOS], np.float64)
    # Six decimals were recorded, and sums round in the eighth at most; but with equal channels the filters
    # are a matter of rounding.
    tolerance = 1e-4 if name == "equal_channels" else 2e-6
    np.testing.assert_allclose(ratios_of(CASES[name]()), expected, atol=tolerance, rtol=0, equal_nan=True)


def delayed(sources: NDArray[np.float64], n_delays: int) -> NDArray[np.float64]:
    """Every channel of some sources at every delay, a column each."""
    length = sources.shape[1] + n_delays - 1
    columns = []
    for channel in flat(sources).T:
        for delay in range(n_delays):
            column = np.zeros(length)
            column[delay : delay + len(channel)] = channel
            columns.append(column)
    return np.stack(columns, axis=1)


def decibels(wanted: NDArray[np.float64], unwanted: NDArray[np.float64]) -> float:
    return float(10 * np.log10((wanted**2).sum() / (unwanted**2).sum()))


def test_the_definition_written_out() -> None:
    n_delays = 5
    noise = np.random.default_rng(3)
    references = noise.normal(size=(3, 400, 2))
    mixing = noise.normal(size=(3, 3)) * 0.3 + np.eye(3)
    estimates = np.tensordot(mixing, references, axes=1) + 0.2 * noise.normal(size=references.shape)
    estimates[:, 1:] += 0.4 * references[:, :-1, ::-1]
    found = ratios_of((references, estimates), filter_length=n_delays, piece_length=150, frame_length=400)
    everything = delayed(references, n_delays)
    for source in range(3):
        own = delayed(references[source : source + 1], n_delays)
        true = np.pad(references[source], ((0, n_delays - 1), (0, 0)))
        estimate = np.pad(estimates[source], ((0, n_delays - 1), (0, 0)))
        target = own @ np.linalg.lstsq(own, estimate, rcond=None)[0]
        explained = everything @ np.linalg.lstsq(everything, estimate, rcond=None)[0]
        spatial, interference, artifacts = target - true, explained - target, estimate - explained
        expected = {
            "SDR": decibels(true, spatial + interference + artifacts),
            "SIR": decibels(true + spatial, interference),
            "SAR": decibels(true + spatial + interference, artifacts),
            "ISR": decibels(true, spatial),
        }
        np.testing.assert_allclose(found[:, source, 0], [expected[ratio] for ratio in RATIOS], atol=1e-9)


@pytest.mark.slow
@given(st.integers(1, 3000), st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_it_does_not_matter_how_a_song_is_cut(piece_length: int, filter_length: int) -> None:
    references, estimates = leaking()
    case = references[:2, :3000], estimates[:2, :3000]
    found = fit(cut(case, [*range(0, 3000, piece_length), 3000]), 2, filter_length)
    expected = fit(cut(case, [0, 3000]), 2, filter_length)
    np.testing.assert_allclose(found.together, expected.together, atol=1e-9)
    np.testing.assert_allclose(found.alone, expected.alone, atol=1e-9)


def test_what_is_perfect_has_no_ratio() -> None:
    references, _ = leaking()
    found = ratios_of((references, references), filter_length=16)
    assert np.isnan(found[RATIOS.index("SDR")]).all()


def test_a_quieter_estimate_costs_distortion_only() -> None:
    references, estimates = leaking()
    loud = ratios_of((references, estimates), filter_length=16)
    quiet = ratios_of((references, 0.5 * estimates), filter_length=16)
    for ratio in ("SIR", "SAR"):
        row = RATIOS.index(ratio)
        np.testing.assert_allclose(quiet[row], loud[row], atol=1e-7)
    assert not np.allclose(quiet[0], loud[0], atol=0.1)


def test_sources_that_are_one_and_the_same_still_have_ratios() -> None:
    """Nothing tells the two apart, so the equations have no single solution."""
    references, estimates = leaking()
    references = np.stack([references[0], references[0]])
    found = ratios_of((references, estimates[:2]), filter_length=16)
    alone = ratios_of((references[:1], estimates[:1]), filter_length=16)
    np.testing.assert_allclose(found[RATIOS.index("SAR"), 0], alone[RATIOS.index("SAR"), 0], atol=1e-4)
