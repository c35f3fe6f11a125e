"""The simulation of segments on many cores."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.schedule import Costs, predicted_time

COSTS = Costs(read=0.01, forward=0.02, network=0.2, inverse=0.04, write=0.03, waiting=0.0, sharing=0.0)
ALL = 0.3


def predicted(costs: Costs = COSTS, n_segments: int = 20, n_cores: int = 1, n_at_once: int = 1) -> float:
    return predicted_time(costs, n_segments=n_segments, n_cores=n_cores, n_at_once=n_at_once, n_stems=2)


@pytest.mark.parametrize("n_at_once", [1, 3])
@pytest.mark.parametrize("n_segments", [1, 2, 20])
def test_one_core_does_everything_one_after_the_other(n_segments: int, n_at_once: int) -> None:
    assert predicted(n_segments=n_segments, n_at_once=n_at_once) == pytest.approx(ALL * n_segments)


def test_a_single_segment_uses_as_many_cores_as_its_phases_have_threads() -> None:
    """Two channels forward, four transforms back, all cores for the network; reading and writing have one."""
    expected = 0.01 + 0.02 / 2 + 0.2 / 8 + 0.04 / 4 + 0.03
    assert predicted(n_segments=1, n_cores=8, n_at_once=4) == pytest.approx(expected)


def test_reading_and_writing_limit_a_machine_with_any_number_of_cores() -> None:
    time = predicted(n_segments=200, n_cores=10_000, n_at_once=100)
    assert 200 * 0.04 <= time <= 200 * 0.04 * 1.05


def test_segments_side_by_side_keep_more_cores_busy() -> None:
    costs = replace(COSTS, waiting=0.2)
    times = [predicted(costs, 40, 8, n_at_once) for n_at_once in (1, 2, 4)]
    assert times == sorted(times, reverse=True)
    assert times[0] > 1.5 * times[2]


@pytest.mark.parametrize("n_cores", [1, 2, 4, 8])
def test_no_machine_is_faster_than_its_cores(n_cores: int) -> None:
    time = predicted(n_segments=40, n_cores=n_cores, n_at_once=max(1, n_cores // 2))
    assert time > 0.999 * 40 * ALL / n_cores


def test_losses_cost_time() -> None:
    assert predicted(replace(COSTS, waiting=0.1), n_cores=4) > predicted(n_cores=4)
    assert predicted(replace(COSTS, sharing=0.1), n_cores=4) > predicted(n_cores=4)
    assert predicted(replace(COSTS, waiting=0.9, sharing=0.9)) == pytest.approx(predicted())


def test_the_halves_of_an_even_number_of_networks_do_not_wait_for_each_other() -> None:
    lossy = replace(COSTS, waiting=0.5)
    assert predicted(lossy, n_segments=1, n_cores=2) == pytest.approx(predicted(n_segments=1, n_cores=2))
    assert predicted(lossy, n_segments=1, n_cores=4) > predicted(n_segments=1, n_cores=4)
