"""Separation by the Wiener filter, in two passes over the song.

The filter needs statistics of the whole song before it can give the first sample. So the first pass runs
the networks, and keeps each segment and its estimates in a temporary file; the second reads them back
and filters. That takes disk, for a minute of song 21 MB and as much again for each stem, and saves running
the networks twice, which is most of the work; memory stays independent of length.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from stemdock.errors import ModelContractError
from stemdock.pipeline import in_order
from stemdock.segments import cut_segments, join_segments
from stemdock.separation import estimate_magnitudes
from stemdock.spool import Spool
from stemdock.stft import frames_length, istft, stft
from stemdock.wiener import N_CHANNELS, gather_statistics, wiener_filter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from stemdock.card import ModelCard
    from stemdock.segments import Segment
    from stemdock.types import FloatArray, MaskSession
    from stemdock.wiener import Statistics


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
    n_at_once: int,
    on_estimated: Callable[[int], None],
) -> Iterator[FloatArray]:
    """Separates a mixture that arrives in blocks, and filters it when all of it has arrived.

    Args:
        blocks: As for `separate_blocks`.
        card: The model's card, of two channels. Bins above the network's become zero.
        session: The model's network.
        n_at_once: Segments under way at once, of which one is in the network.
        on_estimated: Called in the first pass with the samples of the mixture that it has come to; what
            it raises ends the separation.

    Yields:
        As `separate_blocks`, all in the second pass.

    Raises:
        AudioError: A block has an unusable shape.
        OutputError: The temporary file cannot be written.
    """
    estimate = (card.n_frames, card.n_bins, card.n_channels)
    samples = (card.n_channels, frames_length(card.n_frames, card.frame_length))
    with Spool([samples, *len(card.stems) * [estimate]]) as spool:
        new_lengths = []
        estimated_length = -card.frame_length
        statistics = None
        work = partial(_estimate_segment, card=card, session=session)
        for segment, estimates, part in in_order(work, cut_segments(blocks, card), n_at_once):
            spool.append([segment.samples, *estimates])
            statistics = part if statistics is None else statistics + part
            new_lengths.append(segment.new_length)
            estimated_length += segment.new_length
            on_estimated(estimated_length)
        # A mixture without samples has segments too, for a frame of zeros is put before it.
        assert statistics is not None  # noqa: S101
        filtered = in_order(
            partial(_filter_segment, statistics=statistics, card=card), spool.records(), n_at_once
        )
        yield from join_segments(zip(new_lengths, filtered, strict=True), card)


def _estimate_segment(
    segment: Segment, card: ModelCard, session: MaskSession
) -> tuple[Segment, list[FloatArray], Statistics]:
    """The networks' estimates of one segment, and its statistics."""
    spectrum = stft(segment.samples, card.frame_length)
    estimates = estimate_magnitudes(spectrum, card, session)
    return segment, estimates, gather_statistics(estimates, spectrum)


def _filter_segment(record: list[FloatArray], statistics: Statistics, card: ModelCard) -> FloatArray:
    """Stems of one segment, `(n_stems, n_channels, frames_length(n_frames))`, ends not yet overlapped."""
    samples, *estimates = record
    spectrum = stft(samples, card.frame_length, card.n_bins)
    stems = np.empty((len(card.stems), *samples.shape), np.float32)
    for stem, filtered in zip(stems, wiener_filter(estimates, spectrum, statistics), strict=True):
        stem[:] = istft(filtered, card.frame_length)
    return stems
