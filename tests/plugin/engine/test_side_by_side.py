"""Several segments at the same time, and silent segments, change no bit of the stems."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemdock.engine.masking import side_by_side
from stemdock.engine.spleeter import make_engine
from support.small_model import SmallSession

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

    from numpy.typing import NDArray

SEGMENT = 64 * 64


class CountingSession(SmallSession):
    """Counts how often it runs and how often at the same time. The first run of each pair takes longer."""

    n_runs = n_running = n_most = 0
    _lock = Lock()

    def run(self, magnitude: NDArray[np.float32], cancel: Event | None = None) -> list[NDArray[np.float32]]:
        with self._lock:
            self.n_runs += 1
            self.n_running += 1
            self.n_most = max(self.n_most, self.n_running)
            is_slow = self.n_runs % 2
        time.sleep(0.02 if is_slow else 0)
        made = super().run(magnitude, cancel)
        with self._lock:
            self.n_running -= 1
        # Not even silence leads to nothing.
        return [estimate + np.float32(1e-4) for estimate in made]


def separate(mixture: NDArray[np.float32], session: SmallSession, *, mwf: bool) -> NDArray[np.float32]:
    engine = make_engine(session.card, session, mwf=mwf)
    return np.concatenate(list(engine.separate([mixture], lambda _: None)), axis=1)


def noise(length: int) -> NDArray[np.float32]:
    return np.random.default_rng(length).uniform(-1, 1, (length, 2)).astype(np.float32)


@pytest.mark.parametrize("mwf", [False, True])
@pytest.mark.parametrize("n_at_once", [2, 3, 8])
def test_no_bit_depends_on_how_many_are_processed_at_once(n_at_once: int, mwf: bool) -> None:
    mixture = noise(7 * SEGMENT + 5)
    session = CountingSession(n_at_once=n_at_once)
    one = separate(mixture, CountingSession(), mwf=mwf)
    assert np.array_equal(separate(mixture, session, mwf=mwf), one)
    assert 1 < session.n_most <= n_at_once


@pytest.mark.parametrize("mwf", [False, True])
def test_the_network_runs_on_silence_once(mwf: bool) -> None:
    mixture = noise(20 * SEGMENT)
    mixture[3 * SEGMENT : 15 * SEGMENT] = 0
    sparing, plain = CountingSession(), CountingSession()
    engine = make_engine(plain.card, plain, mwf=mwf)
    engine._session = plain  # type: ignore[attr-defined]  # as without the saving
    expected = np.concatenate(list(engine.separate([mixture], lambda _: None)), axis=1)
    found = separate(mixture, sparing, mwf=mwf)
    assert found.tobytes() == expected.tobytes()
    # A frame of 4 hops reaches into its neighbours.
    assert not found[:, 3 * SEGMENT + 4 * 64 : 15 * SEGMENT - 4 * 64].any()
    assert (plain.n_runs, sparing.n_runs) == (21, 11)


@given(durations=st.lists(st.sampled_from([0, 0.001, 0.004]), max_size=12), n_at_once=st.integers(1, 4))
def test_results_come_in_order(durations: list[float], n_at_once: int) -> None:
    def process(item: tuple[int, float]) -> int:
        time.sleep(item[1])
        return item[0]

    assert list(side_by_side(enumerate(durations), process, n_at_once)) == list(range(len(durations)))


@pytest.mark.parametrize("n_at_once", [1, 3])
def test_items_are_taken_as_they_are_needed(n_at_once: int) -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    results = side_by_side(items(), lambda item: item, n_at_once)
    assert [next(results) for _ in range(5)] == [1, 2, 3, 4, 5]
    assert taken <= 5 + 2 * n_at_once
    results.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("n_at_once", [1, 3])
def test_after_an_error_no_other_item_starts(n_at_once: int) -> None:
    started: list[int] = []

    def process(item: int) -> int:
        started.append(item)
        time.sleep(0.02)
        if item == 1:
            raise ValueError(item)
        return item

    results: list[int] = []
    with pytest.raises(ValueError, match="1"):  # noqa: PT012  what came before the error counts
        for each in side_by_side(range(100), process, n_at_once):
            results.append(each)  # noqa: PERF402  extend would lose it
    assert results == [0]
    assert len(started) <= 3 * n_at_once
