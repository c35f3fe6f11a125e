"""Separation by ratio masks, segment by segment: Spleeter's way without its Wiener filter.

The network processes each segment alone; only the inverse transform overlaps.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from stemdock.dsp.masks import apply_mask, ratio_masks
from stemdock.dsp.segments import cut_segments, join_segments
from stemdock.dsp.stft import frames_length, istft, stft
from stemdock.engine.sparing import SparingSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future
    from threading import Event

    from stemdock.card import ModelCard
    from stemdock.dsp.segments import Segment
    from stemdock.types import ComplexArray, FloatArray

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class MaskSession(Protocol):
    """A loaded network that estimates magnitudes."""

    @property
    def provider(self) -> str:
        """What the network runs on, for people."""
        ...

    @property
    def n_at_once(self) -> int:
        """How many threads may call `run` at the same time, for the greatest speed."""
        ...

    def run(self, magnitude: FloatArray, cancel: Event | None = None) -> Sequence[FloatArray]:
        """Estimates the magnitude of every stem.

        Args:
            magnitude: `(n_segments, n_frames, n_bins, n_channels)`, >= 0, as the card says.
            cancel: Set it from another thread to stop soon, with `CancelledError`.

        Returns:
            One array of the same shape for each stem, in the card's order.
        """
        ...


class NetworkEngine:
    """The part that both of Spleeter's engines share.

    Attributes:
        stems: As of `stemdock.types.Engine`.
        sample_rate: As of `Engine`.
        n_channels: As of `Engine`.
        provider: As of `Engine`.
    """

    def __init__(self, card: ModelCard, session: MaskSession, n_threads: int = 1) -> None:
        """Takes a loaded network.

        Args:
            card: Its card.
            session: The network.
            n_threads: Threads for the transforms. They do not change the result.
        """
        self.stems = card.stems
        self.sample_rate = card.sample_rate
        self.n_channels = card.n_channels
        self.provider = session.provider
        self._card = card
        self._session = SparingSession(session)
        self._n_threads = n_threads


class MaskingEngine(NetworkEngine):
    """An engine that multiplies the mixture's spectrum with ratio masks."""

    def separate(
        self,
        mixture: Iterable[FloatArray],
        on_analysed: Callable[[int], None],  # noqa: ARG002  this engine has one pass
        cancel: Event | None = None,
    ) -> Iterator[FloatArray]:
        """Separates a mixture: see `stemdock.types.Engine`. Stems of a segment follow as it is complete."""
        card = self._card
        # With extension "zeros", no stem contains anything above the network's bins.
        n_kept = card.n_bins if card.mask_extension == "zeros" else None

        def process(segment: Segment) -> tuple[int, FloatArray]:
            estimated = estimate_segment(segment, card, self._session, pool, n_kept, cancel)
            return segment.new_length, _unmix(estimated, card, pool)

        with ThreadPoolExecutor(self._n_threads, thread_name_prefix="stemdock") as pool:
            segments = cut_segments(mixture, card)
            yield from join_segments(side_by_side(segments, process, self._session.n_at_once), card)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated:
    """A segment that the network has seen."""

    spectra: Sequence[ComplexArray]
    """For each channel `(1, n_frames, n_bins)`."""
    estimates: Sequence[FloatArray]
    """For each stem `(n_frames, n_bins, n_channels)`."""


def side_by_side(
    items: Iterable[_Item], process: Callable[[_Item], _Result], n_at_once: int
) -> Iterator[_Result]:
    """Processes items in other threads, several at the same time, while the caller makes and uses others.

    Network and transforms of one item take turns. If they ran at the same time on the same cores, every layer
    of the network would wait for the thread that is busy with a transform.

    Args:
        items: Input. At most twice `n_at_once` of them are taken before the first result is.
        process: Called in other threads.
        n_at_once: Number of items to process at the same time.

    Yields:
        Results in the order of the items.
    """
    # With several lanes, each finds its next item ready when it has finished one, also out of turn.
    n_ahead = 2 * n_at_once - 1
    running: deque[Future[_Result]] = deque()
    with ThreadPoolExecutor(n_at_once, thread_name_prefix="stemdock-segment") as lanes:
        try:
            for item in items:
                finished = [running.popleft().result()] if len(running) == n_ahead else []
                running.append(lanes.submit(process, item))
                yield from finished
            while running:
                yield running.popleft().result()
        finally:
            for each in running:
                each.cancel()


def estimate_segment(
    segment: Segment,
    card: ModelCard,
    session: MaskSession,
    pool: ThreadPoolExecutor,
    n_kept: int | None,
    cancel: Event | None,
) -> Estimated:
    """Transforms a segment and runs the network on it.

    Args:
        segment: The segment.
        card: The model's card.
        session: The model's network.
        pool: Threads for the transforms.
        n_kept: Bins of the spectra; all if None.
        cancel: Set it from another thread to stop the network soon.
    """
    magnitude = np.empty((1, card.n_frames, card.n_bins, card.n_channels), np.float32)

    def spectrum(channel: int) -> ComplexArray:
        found = stft(segment.samples[channel : channel + 1], card.frame_length, n_kept)
        np.abs(found[0, :, : card.n_bins], out=magnitude[0, ..., channel])
        return found

    spectra = list(pool.map(spectrum, range(card.n_channels)))
    return Estimated(spectra=spectra, estimates=[estimate[0] for estimate in session.run(magnitude, cancel)])


def _unmix(estimated: Estimated, card: ModelCard, pool: ThreadPoolExecutor) -> FloatArray:
    """Returns the stems of a segment, as `join_segments` takes them."""
    masks = ratio_masks(estimated.estimates, card.separation_exponent)
    shape = (len(card.stems), card.n_channels, frames_length(card.n_frames, card.frame_length))
    stems = np.empty(shape, np.float32)

    def unmix(stem: int, channel: int) -> None:
        spectrum = apply_mask(masks[stem][..., channel : channel + 1], estimated.spectra[channel])
        stems[stem, channel] = istft(spectrum, card.frame_length)[0]

    # Asking for the results raises the errors of the threads.
    list(pool.map(unmix, *zip(*product(range(shape[0]), range(shape[1])), strict=True)))
    return stems
