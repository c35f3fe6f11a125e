"""Separation by the Wiener filter, in two passes over the song.

The filter needs statistics of the whole song before it can give the first sample. The first pass runs the
networks, and keeps each segment and its estimates in a temporary file. The second pass reads them back and
filters. A minute of song takes 21 MB of disk, plus as much for each stem; in exchange the networks, which
are most of the work, run once. Memory does not depend on the length of the song.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from itertools import product
from operator import add
from typing import TYPE_CHECKING, Final

import numpy as np

from stemdock.dsp.segments import cut_segments, join_segments
from stemdock.dsp.stft import frames_length, istft, stft
from stemdock.dsp.wiener import N_CHANNELS, gather_statistics, wiener_filter
from stemdock.engine.masking import NetworkEngine, estimate_segment, side_by_side
from stemdock.engine.scratch import ScratchFile
from stemdock.errors import ModelContractError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from threading import Event

    from stemdock.card import ModelCard
    from stemdock.dsp.segments import Segment
    from stemdock.dsp.wiener import Statistics
    from stemdock.engine.masking import MaskSession
    from stemdock.types import ComplexArray, FloatArray

_N_FRAMES_AT_ONCE: Final = 32


class WienerEngine(NetworkEngine):
    """An engine that filters the network's estimates when the whole mixture has arrived.

    Bins above the network's become zero, whatever the card's mask extension.
    """

    def __init__(self, card: ModelCard, session: MaskSession, n_threads: int = 1) -> None:
        """Takes a loaded network, as `NetworkEngine`.

        Raises:
            ModelContractError: The model does not have two channels.
        """
        if card.n_channels != N_CHANNELS:
            raise ModelContractError(
                card.name,
                f"the Wiener filter needs {N_CHANNELS} channels, and this model has {card.n_channels}",
                remedy="Leave --mwf out.",
            )
        super().__init__(card, session, n_threads)

    def separate(
        self,
        mixture: Iterable[FloatArray],
        on_analysed: Callable[[int], None],
        cancel: Event | None = None,
    ) -> Iterator[FloatArray]:
        """Separates a mixture: see `stemdock.types.Engine`.

        Raises:
            OutputError: The temporary file cannot be written or read.
        """
        card = self._card
        samples = (card.n_channels, frames_length(card.n_frames, card.frame_length))
        estimate = (card.n_frames, card.n_bins, card.n_channels)
        with (
            ScratchFile([samples, *len(card.stems) * [estimate]]) as scratch,
            ThreadPoolExecutor(self._n_threads, thread_name_prefix="stemdock") as pool,
        ):
            song, new_lengths = self._analyse(cut_segments(mixture, card), pool, scratch, on_analysed, cancel)
            filtered = (_filter_segment(record, song, card, pool) for record in scratch.records())
            yield from join_segments(zip(new_lengths, filtered, strict=True), card)

    def _analyse(
        self,
        segments: Iterable[Segment],
        pool: ThreadPoolExecutor,
        scratch: ScratchFile,
        on_analysed: Callable[[int], None],
        cancel: Event | None,
    ) -> tuple[Statistics, list[int]]:
        """The first pass: fills the file; returns the song's statistics and its segments' new lengths."""
        card = self._card

        def process(segment: Segment) -> tuple[Segment, Sequence[FloatArray], Statistics]:
            # All bins, since the largest of them sets the scale of the filter.
            estimated = estimate_segment(segment, card, self._session, pool, None, cancel)
            estimates, spectrum = estimated.estimates, np.concatenate(estimated.spectra)

            def gather(frames: slice) -> Statistics:
                return gather_statistics([estimate[frames] for estimate in estimates], spectrum[:, frames])

            return segment, estimates, reduce(add, pool.map(gather, _frames(card)))

        def parts() -> Iterator[Statistics]:
            for segment, estimates, part in side_by_side(segments, process, self._session.n_at_once):
                scratch.append([segment.samples, *estimates])
                new_lengths.append(segment.new_length)
                on_analysed(sum(new_lengths) - card.frame_length)
                yield part

        new_lengths: list[int] = []
        # There is at least one segment, since a frame of zeros precedes the mixture.
        return reduce(add, parts()), new_lengths


def _filter_segment(
    record: list[FloatArray], song: Statistics, card: ModelCard, pool: ThreadPoolExecutor
) -> FloatArray:
    """The second pass: returns the stems of one segment, as `join_segments` takes them."""
    samples, *estimates = record
    channels = range(card.n_channels)

    def transform(channel: int) -> ComplexArray:
        return stft(samples[channel : channel + 1], card.frame_length, card.n_bins)

    spectrum = np.concatenate(list(pool.map(transform, channels)))
    spectra = np.empty((len(card.stems), *spectrum.shape), np.complex64)

    def apply(frames: slice) -> None:
        spectra[:, :, frames] = wiener_filter(
            [estimate[frames] for estimate in estimates], spectrum[:, frames], song
        )

    def invert(stem: int, channel: int) -> None:
        stems[stem, channel] = istft(spectra[stem, channel : channel + 1], card.frame_length)[0]

    # Asking for the results raises the errors of the threads.
    list(pool.map(apply, _frames(card)))
    stems = np.empty((len(card.stems), *samples.shape), np.float32)
    list(pool.map(invert, *zip(*product(range(len(card.stems)), channels), strict=True)))
    return stems


def _frames(card: ModelCard) -> list[slice]:
    """A segment's frames in parts small enough for the processor's cache."""
    return [slice(first, first + _N_FRAMES_AT_ONCE) for first in range(0, card.n_frames, _N_FRAMES_AT_ONCE)]
