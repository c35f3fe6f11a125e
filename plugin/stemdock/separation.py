"""Separation of a stream of samples, segment by segment.

The networks see each segment alone; only the inverse transform overlaps. Segments do not depend on one
another, so one goes through the transforms while another is in the network, and nothing but the
order of work changes.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from stemdock.errors import NonFiniteSampleError
from stemdock.masks import apply_mask, ratio_masks
from stemdock.pipeline import in_order
from stemdock.segments import cut_segments, join_segments
from stemdock.stft import istft, stft

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stemdock.card import ModelCard
    from stemdock.segments import Segment
    from stemdock.types import ComplexArray, FloatArray, MaskSession

N_AT_ONCE: Final = 2
"""Segments under way at once: enough to keep the processor busy between networks, and each takes memory."""


def finite_blocks(blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
    """Passes blocks `(n_samples, n_channels)` on as long as every sample is finite.

    Raises:
        NonFiniteSampleError: A sample is NaN or infinite: one would spoil a whole segment.
    """
    position = 0
    for block in blocks:
        finite = np.isfinite(block).all(axis=1)
        if not finite.all():
            raise NonFiniteSampleError(position + int(np.argmin(finite)))
        position += len(block)
        yield block


def separate_blocks(
    blocks: Iterable[FloatArray], card: ModelCard, session: MaskSession, n_at_once: int = N_AT_ONCE
) -> Iterator[FloatArray]:
    """Separates a mixture that arrives in blocks.

    Args:
        blocks: The mixture, `(n_samples, n_channels)` float32 at the model's sample rate, in
            pieces of any length; a single channel is given to all channels of the model.
        card: The model's card.
        session: The model's network.
        n_at_once: Segments under way at once, of which one is in the network.

    Yields:
        The stems, `(n_stems, n_samples, n_channels)` float32, in pieces that add up to exactly
        the samples taken in, each as soon as its segment is complete.

    Raises:
        AudioError: A block has an unusable shape.
    """
    work = partial(_separate_segment, card=card, session=session)
    yield from join_segments(in_order(work, cut_segments(blocks, card), n_at_once), card)


def _separate_segment(segment: Segment, card: ModelCard, session: MaskSession) -> tuple[int, FloatArray]:
    """The new length and the stems of one segment, as `join_segments` takes them."""
    # With extension "zeros" no stem has anything above the network's bins.
    n_kept = card.n_bins if card.mask_extension == "zeros" else None
    spectrum = stft(segment.samples, card.frame_length, n_kept)
    masks = ratio_masks(estimate_magnitudes(spectrum, card, session), card.separation_exponent)
    stems = np.empty((len(card.stems), *segment.samples.shape), np.float32)
    for stem, mask in zip(stems, masks, strict=True):
        stem[:] = istft(apply_mask(mask, spectrum), card.frame_length)
    return segment.new_length, stems


def estimate_magnitudes(spectrum: ComplexArray, card: ModelCard, session: MaskSession) -> list[FloatArray]:
    """The network's estimates of one segment.

    Args:
        spectrum: Of the mixture, `(n_channels, n_frames, n_bins)` or with more bins.
        card: The model's card.
        session: The model's network.

    Returns:
        For each stem `(n_frames, n_bins, n_channels)` float32.
    """
    magnitude = np.empty((1, card.n_frames, card.n_bins, card.n_channels), np.float32)
    np.abs(spectrum[..., : card.n_bins], out=magnitude[0].transpose(2, 0, 1))
    return [estimate[0] for estimate in session.run(magnitude)]
