"""Separation by ratio masks, segment by segment: Spleeter's way without its Wiener filter.

The network processes each segment alone; only the inverse transform overlaps.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from stemdock.dsp.masks import apply_mask, ratio_masks
from stemdock.dsp.segments import cut_segments, join_segments
from stemdock.dsp.stft import frames_length, istft, stft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future
    from threading import Event

    from stemdock.card import ModelCard
    from stemdock.dsp.segments import Segment
    from stemdock.types import ComplexArray, FloatArray

_Item = TypeVar("_Item")
_Started = TypeVar("_Started")
_Finished = TypeVar("_Finished")


class MaskSession(Protocol):
    """A loaded network that estimates magnitudes."""

    @property
    def provider(self) -> str:
        """What the network runs on, for people."""
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
        self._session = session
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
        with ThreadPoolExecutor(self._n_threads, thread_name_prefix="stemdock") as pool:
            start = partial(
                start_segment, card=card, session=self._session, pool=pool, n_kept=n_kept, cancel=cancel
            )
            finish = partial(_finish_segment, card=card, pool=pool)
            yield from join_segments(in_turns(cut_segments(mixture, card), start, finish), card)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A segment in the network."""

    new_length: int
    spectra: Sequence[ComplexArray]
    """For each channel `(1, n_frames, n_bins)`."""
    estimates: Future[Sequence[FloatArray]]


def in_turns(
    items: Iterable[_Item], start: Callable[[_Item], _Started], finish: Callable[[_Started], _Finished]
) -> Iterator[_Finished]:
    """Processes items in order, and finishes each before it starts the next.

    Network and transforms take turns, each on all threads. If they ran at the same time, every layer of the
    network would wait for the thread that is busy with a transform. Only reading and writing, by the
    producer of the items and the consumer of the results, go on beside the network.

    Args:
        items: Input.
        start: Does the work before the network, and starts the network.
        finish: Waits for the network, and does the work after it.

    Yields:
        Results of `finish`.
    """
    running: list[_Started] = []
    for item in items:
        finished = [finish(running.pop())] if running else []
        running.append(start(item))
        yield from finished
    if running:
        yield finish(running.pop())


def start_segment(
    segment: Segment,
    card: ModelCard,
    session: MaskSession,
    pool: ThreadPoolExecutor,
    n_kept: int | None,
    cancel: Event | None,
) -> Running:
    """Transforms a segment and starts the network on it.

    Args:
        segment: The segment.
        card: The model's card.
        session: The model's network.
        pool: Threads for all of it.
        n_kept: Bins of the spectra; all if None.
        cancel: Set it from another thread to stop the network soon.
    """
    magnitude = np.empty((1, card.n_frames, card.n_bins, card.n_channels), np.float32)

    def spectrum(channel: int) -> ComplexArray:
        found = stft(segment.samples[channel : channel + 1], card.frame_length, n_kept)
        np.abs(found[0, :, : card.n_bins], out=magnitude[0, ..., channel])
        return found

    spectra = list(pool.map(spectrum, range(card.n_channels)))
    return Running(
        new_length=segment.new_length, spectra=spectra, estimates=pool.submit(session.run, magnitude, cancel)
    )


def _finish_segment(running: Running, card: ModelCard, pool: ThreadPoolExecutor) -> tuple[int, FloatArray]:
    """Returns the new length and the stems of a segment, as `join_segments` takes them."""
    estimates = [estimate[0] for estimate in running.estimates.result()]
    masks = ratio_masks(estimates, card.separation_exponent)
    shape = (len(card.stems), card.n_channels, frames_length(card.n_frames, card.frame_length))
    stems = np.empty(shape, np.float32)

    def unmix(stem: int, channel: int) -> None:
        spectrum = apply_mask(masks[stem][..., channel : channel + 1], running.spectra[channel])
        stems[stem, channel] = istft(spectrum, card.frame_length)[0]

    # Asking for the results raises the errors of the threads.
    list(pool.map(unmix, *zip(*product(range(shape[0]), range(shape[1])), strict=True)))
    return running.new_length, stems
