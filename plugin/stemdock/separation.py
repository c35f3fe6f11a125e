"""Separation of a stream of samples, segment by segment.

The mixture is cut into segments of `n_frames` frames on Spleeter's own grid: one whole frame of
zeros stands before the first sample, and segments start at every multiple of
`n_frames * hop_length` from there. The networks see each segment alone; only the inverse
transform overlaps, by three quarters of a frame, which is all that is carried from one segment to
the next. So memory does not depend on length, and how the stream was cut into blocks cannot be
heard or measured.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from stemdock.errors import AudioError, NonFiniteSampleError
from stemdock.masks import apply_mask, ratio_masks
from stemdock.stft import frames_length, istft, stft

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stemdock.card import ModelCard
    from stemdock.types import FloatArray, MaskSession

N_AT_ONCE: Final = 2
"""Segments under way at once: enough to keep the processor busy between networks, and each takes memory."""


_LOUDEST: Final = 1e5
"""Times full scale. Integers of 16 bits that somebody took for samples without scaling are within it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    """One segment of the padded mixture."""

    samples: FloatArray
    """`(n_channels, frames_length(n_frames))`, zeros past the end of the mixture."""
    new_length: int
    """Samples from its start that belong to the mixture or the leading zeros and to no later segment."""


def finite_blocks(blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
    """Passes blocks `(n_samples, n_channels)` on as long as every sample is a possible one.

    Raises:
        NonFiniteSampleError: A sample is NaN or infinite: one would spoil a whole segment.
        AudioError: A sample is so loud that it can only be damaged, and its powers would be infinite.
    """
    position = 0
    for block in blocks:
        finite = np.isfinite(block).all(axis=1)
        if not finite.all():
            raise NonFiniteSampleError(position + int(np.argmin(finite)))
        if np.abs(block).max(initial=0) > _LOUDEST:
            raise AudioError(
                f"samples of {np.abs(block).max():.0e} times full scale",
                remedy="Export the audio again from the program that made it, or repair it there.",
            )
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
    lead_length = card.frame_length
    stride = card.n_frames * card.hop_length
    tail = np.zeros((len(card.stems), card.n_channels, card.frame_length - card.hop_length), np.float32)
    for new_length, stems in _separate_segments(_segments(blocks, card), card, session, n_at_once):
        stems[..., : tail.shape[-1]] += tail
        tail = stems[..., stride:].copy()
        finished = stems[..., lead_length:new_length]
        lead_length = 0
        if finished.shape[-1]:
            yield np.ascontiguousarray(finished.transpose(0, 2, 1))


def _separate_segments(
    segments: Iterable[_Segment], card: ModelCard, session: MaskSession, n_at_once: int
) -> Iterator[tuple[int, FloatArray]]:
    """The new length and the stems of every segment, in order.

    Segments do not depend on one another, so one goes through the transforms while another is in
    the network, and nothing but the order of work changes.
    """
    pending: deque[tuple[int, Future[FloatArray]]] = deque()
    with ThreadPoolExecutor(n_at_once, thread_name_prefix="stemdock") as pool:
        try:
            for segment in segments:
                stems = pool.submit(_separate_segment, segment.samples, card, session)
                pending.append((segment.new_length, stems))
                if len(pending) > n_at_once:
                    new_length, stems = pending.popleft()
                    yield new_length, stems.result()
            while pending:
                new_length, stems = pending.popleft()
                yield new_length, stems.result()
        finally:
            # Whoever stops listening need not wait for what has not begun.
            pool.shutdown(wait=True, cancel_futures=True)


def _separate_segment(samples: FloatArray, card: ModelCard, session: MaskSession) -> FloatArray:
    """Stems of one segment, `(n_stems, n_channels, frames_length(n_frames))`, ends not yet overlapped."""
    # With extension "zeros" no stem has anything above the network's bins.
    n_kept = card.n_bins if card.mask_extension == "zeros" else None
    spectrum = stft(samples, card.frame_length, n_kept)
    magnitude = np.empty((1, card.n_frames, card.n_bins, card.n_channels), np.float32)
    np.abs(spectrum[..., : card.n_bins], out=magnitude[0].transpose(2, 0, 1))
    masks = ratio_masks([estimate[0] for estimate in session.run(magnitude)], card.separation_exponent)
    stems = np.empty((len(card.stems), *samples.shape), np.float32)
    for stem, mask in zip(stems, masks, strict=True):
        stem[:] = istft(apply_mask(mask, spectrum), card.frame_length)
    return stems


def _segments(blocks: Iterable[FloatArray], card: ModelCard) -> Iterator[_Segment]:
    """Cuts the mixture, led by one frame of zeros, into segments that share three quarters of a frame."""
    length = frames_length(card.n_frames, card.frame_length)
    stride = card.n_frames * card.hop_length
    buffer = np.zeros((card.n_channels, length), np.float32)
    filled = card.frame_length
    for block in blocks:
        planar = _planar(block, card.n_channels)
        while planar.shape[1]:
            taken = planar[:, : length - filled]
            buffer[:, filled : filled + taken.shape[1]] = taken
            filled += taken.shape[1]
            planar = planar[:, taken.shape[1] :]
            if filled == length:
                yield _Segment(samples=buffer, new_length=stride)
                buffer = _next_buffer(buffer, stride)
                filled -= stride
    while filled > 0:
        yield _Segment(samples=buffer, new_length=min(filled, stride))
        buffer = _next_buffer(buffer, stride)
        filled -= stride


def _next_buffer(buffer: FloatArray, stride: int) -> FloatArray:
    """The overlap carried on, zeros behind; a new array, for the old segment may still be in use."""
    following = np.zeros_like(buffer)
    following[:, : buffer.shape[1] - stride] = buffer[:, stride:]
    return following


def _planar(block: FloatArray, n_channels: int) -> FloatArray:
    """A block as `(n_channels, n_samples)`, refused if it cannot be separated."""
    if block.ndim != 2 or block.shape[1] not in {1, n_channels}:  # noqa: PLR2004
        raise AudioError(
            f"a block of shape {block.shape}",
            remedy=f"Give samples as (n_samples, 1) or (n_samples, {n_channels}).",
        )
    return np.broadcast_to(np.asarray(block, np.float32).T, (n_channels, block.shape[0]))
