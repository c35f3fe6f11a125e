"""Separation by the Wiener filter, in two passes over the song.

The filter needs statistics of the whole song before it can give the first sample. So the first pass runs
the networks, and keeps each segment and its estimates in a temporary file; the second reads them back
and filters. That takes disk, for a minute of song 21 MB and as much again for each stem, and saves running
the networks twice, which is most of the work; memory stays independent of length.
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
from stemdock.engine.masking import in_turns, start_segment
from stemdock.engine.scratch import Spool
from stemdock.errors import ModelContractError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from stemdock.card import ModelCard
    from stemdock.dsp.segments import Segment
    from stemdock.dsp.wiener import Statistics
    from stemdock.engine.masking import Running
    from stemdock.types import ComplexArray, FloatArray, MaskSession

_N_FRAMES_AT_ONCE: Final = 32


def check_channels(card: ModelCard) -> None:
    """Refuses a model that the filter is not for.

    Raises:
        ModelContractError: It has not two channels.
    """
    if card.n_channels != N_CHANNELS:
        raise ModelContractError(
            card.name,
            f"the Wiener filter is for {N_CHANNELS} channels, and it has {card.n_channels}",
            remedy="Separate without the filter.",
        )


def filter_blocks(
    blocks: Iterable[FloatArray],
    card: ModelCard,
    session: MaskSession,
    n_threads: int,
    on_estimated: Callable[[int], None],
) -> Iterator[FloatArray]:
    """Separates a mixture that arrives in blocks, and filters it when all of it has arrived.

    Args:
        blocks: As for `separate_blocks`.
        card: The model's card, of two channels. Bins above the network's become zero.
        session: The model's network.
        n_threads: Threads for the transforms and the filter, which do not change the result.
        on_estimated: Called in the first pass with the samples of the mixture that it has come to; what
            it raises ends the separation.

    Yields:
        As `separate_blocks`, all in the second pass.

    Raises:
        AudioError: A block has an unusable shape.
        OutputError: The temporary file cannot be written.
    """
    samples = (card.n_channels, frames_length(card.n_frames, card.frame_length))
    estimate = (card.n_frames, card.n_bins, card.n_channels)
    with (
        Spool([samples, *len(card.stems) * [estimate]]) as spool,
        ThreadPoolExecutor(n_threads, thread_name_prefix="stemdock") as pool,
    ):
        song, new_lengths = _estimate(cut_segments(blocks, card), card, session, pool, spool, on_estimated)
        filtered = (_filter_segment(record, song, card, pool) for record in spool.records())
        yield from join_segments(zip(new_lengths, filtered, strict=True), card)


def _estimate(
    segments: Iterable[Segment],
    card: ModelCard,
    session: MaskSession,
    pool: ThreadPoolExecutor,
    spool: Spool,
    on_estimated: Callable[[int], None],
) -> tuple[Statistics, list[int]]:
    """The first pass: fills the spool; returns the song's statistics and its segments' new lengths."""

    def start(segment: Segment) -> tuple[Segment, Running]:
        # All bins, for the filter's scale goes by the largest of them.
        return segment, start_segment(segment, card, session, pool, n_kept=None)

    def finish(started: tuple[Segment, Running]) -> tuple[Segment, list[FloatArray], Statistics]:
        segment, running = started
        estimates = [estimate[0] for estimate in running.estimates.result()]
        spectrum = np.concatenate(running.spectra)

        def gather(frames: slice) -> Statistics:
            return gather_statistics([estimate[frames] for estimate in estimates], spectrum[:, frames])

        return segment, estimates, reduce(add, pool.map(gather, _frames(card)))

    def parts() -> Iterator[Statistics]:
        for segment, estimates, part in in_turns(segments, start, finish):
            spool.append([segment.samples, *estimates])
            new_lengths.append(segment.new_length)
            on_estimated(sum(new_lengths) - card.frame_length)
            yield part

    new_lengths: list[int] = []
    # There is a segment at least, for a frame of zeros stands before the mixture.
    return reduce(add, parts()), new_lengths


def _filter_segment(
    record: list[FloatArray], song: Statistics, card: ModelCard, pool: ThreadPoolExecutor
) -> FloatArray:
    """The second pass: stems of one segment, as `join_segments` takes them."""
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

    # What went wrong in a thread shows when its result is asked for.
    list(pool.map(apply, _frames(card)))
    stems = np.empty((len(card.stems), *samples.shape), np.float32)
    list(pool.map(invert, *zip(*product(range(len(card.stems)), channels), strict=True)))
    return stems


def _frames(card: ModelCard) -> list[slice]:
    """A segment's frames in parts: each part's work stays in the processor's cache."""
    return [slice(first, first + _N_FRAMES_AT_ONCE) for first in range(0, card.n_frames, _N_FRAMES_AT_ONCE)]
