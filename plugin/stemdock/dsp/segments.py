"""The mixture cut into segments, and the segments' stems joined again.

The grid is Spleeter's own: one whole frame of zeros stands before the first sample, and segments
start at every multiple of `n_frames * hop_length` from there. Neighbours share three quarters of a
frame, which is all that is carried from one to the next, so memory does not depend on length, and how
the stream was cut into blocks cannot be heard or measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stemdock.dsp.stft import frames_length
from stemdock.errors import AudioError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stemdock.card import ModelCard
    from stemdock.types import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One segment of the padded mixture."""

    samples: FloatArray
    """`(n_channels, frames_length(n_frames))`, zeros past the end of the mixture."""
    new_length: int
    """Samples from its start that belong to the mixture or the leading zeros and to no later segment."""


def cut_segments(blocks: Iterable[FloatArray], card: ModelCard) -> Iterator[Segment]:
    """Cuts the mixture, led by one frame of zeros, into segments that share three quarters of a frame.

    Args:
        blocks: `(n_samples, 1 or n_channels)` each, of any length; a single channel is given to all
            channels of the model.
        card: The model's card.

    Raises:
        AudioError: A block has another shape.
    """
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
                yield Segment(samples=buffer, new_length=stride)
                buffer = _next_buffer(buffer, stride)
                filled -= stride
    while filled > 0:
        yield Segment(samples=buffer, new_length=min(filled, stride))
        buffer = _next_buffer(buffer, stride)
        filled -= stride


def join_segments(separated: Iterable[tuple[int, FloatArray]], card: ModelCard) -> Iterator[FloatArray]:
    """Adds up what neighbours share, and leaves out the leading zeros.

    Args:
        separated: For each segment in order its new length and its stems,
            `(n_stems, n_channels, frames_length(n_frames))`, which are changed.
        card: The model's card.

    Yields:
        The stems, `(n_stems, n_samples, n_channels)` float32, in pieces that add up to exactly the
        samples that the segments were cut from.
    """
    lead_length = card.frame_length
    stride = card.n_frames * card.hop_length
    tail = np.zeros((len(card.stems), card.n_channels, card.frame_length - card.hop_length), np.float32)
    for new_length, stems in separated:
        stems[..., : tail.shape[-1]] += tail
        tail = stems[..., stride:].copy()
        finished = stems[..., lead_length:new_length]
        lead_length = 0
        if finished.shape[-1]:
            yield np.ascontiguousarray(finished.transpose(0, 2, 1))


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
