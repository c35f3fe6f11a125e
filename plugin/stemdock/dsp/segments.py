"""Cuts the mixture into segments, and joins the stems of the segments.

The grid is Spleeter's: one whole frame of zeros precedes the first sample, and a segment starts at every
multiple of `n_frames * hop_length` from there. Neighbours share three quarters of a frame. Nothing else is
carried from one segment to the next, so memory does not depend on the length of the mixture, and no sample
depends on how the stream was cut into blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stemdock.dsp.stft import frames_length

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
    """Samples at its start that are in the mixture or the leading zeros, and not in a later segment."""


def cut_segments(blocks: Iterable[FloatArray], card: ModelCard) -> Iterator[Segment]:
    """Cuts the mixture, after one frame of zeros, into segments that share three quarters of a frame.

    Args:
        blocks: `(n_samples, n_channels)` each, of any length.
        card: The model's card.
    """
    length = frames_length(card.n_frames, card.frame_length)
    stride = card.n_frames * card.hop_length
    buffer = np.zeros((card.n_channels, length), np.float32)
    filled = card.frame_length
    for block in blocks:
        planar = block.T
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
    """Adds neighbouring segments where they overlap, and drops the leading zeros.

    Args:
        separated: For each segment in order its new length and its stems,
            `(n_stems, n_channels, frames_length(n_frames))`, which this function changes.
        card: The model's card.

    Yields:
        The stems, `(n_stems, n_samples, n_channels)` float32, in blocks that add up to exactly the
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
    """The overlap followed by zeros, in a new array, since the old segment may still be in use."""
    following = np.zeros_like(buffer)
    following[:, : buffer.shape[1] - stride] = buffer[:, stride:]
    return following
