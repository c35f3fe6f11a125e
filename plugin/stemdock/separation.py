"""Separation of a stream of samples, segment by segment.

The mixture is cut into segments of `n_frames` frames on Spleeter's own grid: one whole frame of
zeros stands before the first sample, and segments start at every multiple of
`n_frames * hop_length` from there. The networks see each segment alone; only the inverse
transform overlaps, by three quarters of a frame, which is all that is carried from one segment to
the next. So memory does not depend on length, and how the stream was cut into blocks cannot be
heard or measured.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, product
from typing import TYPE_CHECKING

import numpy as np

from stemdock.errors import AudioError, NonFiniteSampleError
from stemdock.masks import apply_mask, ratio_masks
from stemdock.stft import frames_length, istft, stft

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from stemdock.card import ModelCard
    from stemdock.types import ComplexArray, FloatArray, MaskSession


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    """One segment of the padded mixture."""

    samples: FloatArray
    """`(n_channels, frames_length(n_frames))`, zeros past the end of the mixture."""
    new_length: int
    """Samples from its start that belong to the mixture or the leading zeros and to no later segment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    """A segment in the network."""

    new_length: int
    spectra: Sequence[ComplexArray]
    """For each channel `(1, n_frames, n_bins)`."""
    estimates: Future[Sequence[FloatArray]]


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
    blocks: Iterable[FloatArray], card: ModelCard, session: MaskSession, n_threads: int = 1
) -> Iterator[FloatArray]:
    """Separates a mixture that arrives in blocks.

    Args:
        blocks: The mixture, `(n_samples, n_channels)` float32 at the model's sample rate, in
            pieces of any length; a single channel is given to all channels of the model.
        card: The model's card.
        session: The model's network.
        n_threads: Threads for the transforms.

    Yields:
        The stems, `(n_stems, n_samples, n_channels)` float32, in pieces that add up to exactly
        the samples taken in, each as soon as its segment is complete.

    Raises:
        AudioError: A block has an unusable shape.
    """
    lead_length = card.frame_length
    stride = card.n_frames * card.hop_length
    tail = np.zeros((len(card.stems), card.n_channels, card.frame_length - card.hop_length), np.float32)
    for new_length, stems in _separate_segments(_segments(blocks, card), card, session, n_threads):
        stems[..., : tail.shape[-1]] += tail
        tail = stems[..., stride:].copy()
        finished = stems[..., lead_length:new_length]
        lead_length = 0
        if finished.shape[-1]:
            yield np.ascontiguousarray(finished.transpose(0, 2, 1))


def _separate_segments(
    segments: Iterable[_Segment], card: ModelCard, session: MaskSession, n_threads: int
) -> Iterator[tuple[int, FloatArray]]:
    """The new length and the stems of every segment, in order.

    Network and transforms take turns, each on all threads: were they to run at once, every layer of the
    network would wait for the thread that was kept from its part. Only reading and writing, by those who
    give the segments and take the stems, go on beside the network.
    """
    running: _Running | None = None
    with ThreadPoolExecutor(n_threads, thread_name_prefix="stemdock") as pool:
        for segment in chain(segments, (None,)):
            finished = running
            stems = np.empty((0,), np.float32) if finished is None else _stems(finished, card, pool)
            if segment is not None:
                running = _started(segment, card, session, pool)
            if finished is not None:
                yield finished.new_length, stems


def _started(segment: _Segment, card: ModelCard, session: MaskSession, pool: ThreadPoolExecutor) -> _Running:
    """Transforms a segment and gives it to the network."""
    # With extension "zeros" no stem has anything above the network's bins.
    n_kept = card.n_bins if card.mask_extension == "zeros" else None
    magnitude = np.empty((1, card.n_frames, card.n_bins, card.n_channels), np.float32)

    def spectrum(channel: int) -> ComplexArray:
        found = stft(segment.samples[channel : channel + 1], card.frame_length, n_kept)
        np.abs(found[0, :, : card.n_bins], out=magnitude[0, ..., channel])
        return found

    spectra = list(pool.map(spectrum, range(card.n_channels)))
    return _Running(
        new_length=segment.new_length, spectra=spectra, estimates=pool.submit(session.run, magnitude)
    )


def _stems(running: _Running, card: ModelCard, pool: ThreadPoolExecutor) -> FloatArray:
    """Stems `(n_stems, n_channels, frames_length(n_frames))`, ends not yet overlapped, after the network."""
    estimates = [estimate[0] for estimate in running.estimates.result()]
    masks = ratio_masks(estimates, card.separation_exponent)
    shape = (len(card.stems), card.n_channels, frames_length(card.n_frames, card.frame_length))
    stems = np.empty(shape, np.float32)

    def unmix(stem: int, channel: int) -> None:
        spectrum = apply_mask(masks[stem][..., channel : channel + 1], running.spectra[channel])
        stems[stem, channel] = istft(spectrum, card.frame_length)[0]

    # What went wrong in a thread shows when its result is asked for.
    list(pool.map(unmix, *zip(*product(range(shape[0]), range(shape[1])), strict=True)))
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
