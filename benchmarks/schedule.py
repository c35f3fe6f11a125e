"""Simulates how segments share the cores of a machine, from what one segment takes on one core.

The simulation follows `stemdock.engine.masking.side_by_side`: the caller reads segments and writes stems, one
after the other; lanes process segments, each in three phases. All that runs at the same time shares the cores
equally, but no phase uses more than it has threads. Threads within a phase wait for one another, and cores
share the memory: two numbers, which are measured, say how much is lost by that.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

_LEAST: Final = 1e-9
"""Seconds of work that count as none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Seconds on one core, for one segment, and what is lost with several cores."""

    read: float
    """By the caller: decoding and cutting."""
    forward: float
    """Transforms of the channels."""
    network: float
    inverse: float
    """Masks and inverse transforms of all stems and channels."""
    write: float
    """By the caller: joining and encoding."""
    waiting: float
    """Part of a phase's work that its threads do one after the other, from 0 to 1."""
    sharing: float
    """By which each further busy core slows down all others, >= 0."""


@dataclass(slots=True)
class _Phase:
    work: float
    n_threads: int
    n_parts: int
    """Parts that do not wait for one another."""


@dataclass(slots=True)
class _Lane:
    """A segment in work; its last phase comes first."""

    number: int
    phases: list[_Phase]


def predicted_time(costs: Costs, *, n_segments: int, n_cores: int, n_at_once: int, n_stems: int) -> float:
    """Seconds to separate a song that is open, with a loaded model.

    Args:
        costs: Measured on one core.
        n_segments: Of the song.
        n_cores: Physical cores, one thread each.
        n_at_once: Lanes.
        n_stems: Stems, with two channels each. The networks of an even number run in two parts.
    """
    return _Simulation(costs, n_segments, n_cores, n_at_once, n_stems).run()


class _Simulation:
    def __init__(self, costs: Costs, n_segments: int, n_cores: int, n_at_once: int, n_stems: int) -> None:
        self._costs = costs
        self._n_segments = n_segments
        self._n_cores = n_cores
        self._n_at_once = n_at_once
        self._n_stems = n_stems
        self._n_read = 0
        self._n_written = 0
        self._waiting: deque[int] = deque()
        """Segments that are read and wait for a lane."""
        self._lanes: list[_Lane] = []
        self._done: set[int] = set()
        """Segments that wait to be written."""
        self._caller: _Phase | None = None
        self._is_writing = False

    def run(self) -> float:
        now = 0.0
        while running := self._running():
            rates = _rates(running, self._n_cores, self._costs)
            step = min(phase.work / rate for phase, rate in zip(running, rates, strict=True))
            now += step
            for phase, rate in zip(running, rates, strict=True):
                phase.work -= step * rate
            self._end_phases()
        return now

    def _running(self) -> list[_Phase]:
        """Gives the caller and the lanes their next work, and returns what runs then."""
        if self._caller is None:
            self._begin_call()
        while self._waiting and len(self._lanes) < self._n_at_once:
            n_parts = 1 if self._n_stems % 2 or self._n_cores % 2 else 2
            phases = [
                _Phase(self._costs.inverse, min(self._n_cores, 2 * self._n_stems), 2 * self._n_stems),
                _Phase(self._costs.network, self._n_cores, n_parts),
                _Phase(self._costs.forward, min(self._n_cores, 2), 2),
            ]
            self._lanes.append(_Lane(self._waiting.popleft(), phases))
        return [*(lane.phases[-1] for lane in self._lanes), *([self._caller] if self._caller else [])]

    def _begin_call(self) -> None:
        """Reads while lanes need more; then waits for the first segment, and writes it."""
        n_ahead = self._n_read - self._n_written
        may_read = self._n_read < self._n_segments
        if may_read and n_ahead < 2 * self._n_at_once:
            self._caller, self._is_writing = _Phase(self._costs.read, 1, 1), False
        elif self._n_written in self._done:
            self._caller, self._is_writing = _Phase(self._costs.write, 1, 1), True

    def _end_phases(self) -> None:
        for lane in self._lanes:
            if lane.phases[-1].work <= _LEAST:
                lane.phases.pop()
        self._done |= {lane.number for lane in self._lanes if not lane.phases}
        self._lanes = [lane for lane in self._lanes if lane.phases]
        if self._caller is None or self._caller.work > _LEAST:
            return
        self._caller = None
        if self._is_writing:
            self._done.discard(self._n_written)
            self._n_written += 1
        else:
            self._waiting.append(self._n_read)
            self._n_read += 1


def _rates(phases: list[_Phase], n_cores: int, costs: Costs) -> list[float]:
    """Work per second of each phase."""
    shares = _shares([phase.n_threads for phase in phases], n_cores)
    slowdown = 1 + costs.sharing * max(0.0, sum(shares) - 1)
    return [
        share / (1 + costs.waiting * max(0.0, share / phase.n_parts - 1)) / slowdown
        for phase, share in zip(phases, shares, strict=True)
    ]


def _shares(n_threads: list[int], n_cores: int) -> list[float]:
    """Cores of each phase: equal, but none more than its threads."""
    shares = [0.0] * len(n_threads)
    left = float(n_cores)
    open_ = sorted(range(len(n_threads)), key=lambda index: n_threads[index])
    while open_:
        index = open_.pop(0)
        shares[index] = min(float(n_threads[index]), left / (len(open_) + 1))
        left -= shares[index]
    return shares
