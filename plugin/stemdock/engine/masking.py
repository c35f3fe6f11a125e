"""Separation of a stream of samples, segment by segment.

The networks see each segment alone; only the inverse transform overlaps.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from stemdock.dsp.levels import peak_of
from stemdock.dsp.masks import apply_mask, ratio_masks
from stemdock.dsp.segments import cut_segments, join_segments
from stemdock.dsp.stft import frames_length, istft, stft
from stemdock.errors import AudioError, NonFiniteSampleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from stemdock.card import ModelCard
    from stemdock.dsp.segments import Segment
    from stemdock.types import ComplexArray, FloatArray, MaskSession

_Item = TypeVar("_Item")
_Started = TypeVar("_Started")
_Finished = TypeVar("_Finished")


_LOUDEST: Final = 1e5
"""Times full scale. Integers of 16 bits that somebody took for samples without scaling are within it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A segment in the network."""

    new_length: int
    spectra: Sequence[ComplexArray]
    """For each channel `(1, n_frames, n_bins)`."""
    estimates: Future[Sequence[FloatArray]]


def finite_blocks(blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
    """Passes blocks `(n_samples, n_channels)` on as long as every sample is a possible one.

    Raises:
        NonFiniteSampleError: A sample is NaN or infinite: one would spoil a whole segment.
        AudioError: A sample is so loud that it can only be damaged, and its powers would be infinite.
    """
    position = 0
    for block in blocks:
        peak = peak_of(block)
        if not np.isfinite(peak):
            finite = np.isfinite(block).all(axis=1)
            raise NonFiniteSampleError(position + int(np.argmin(finite)))
        if peak > _LOUDEST:
            raise AudioError(
                f"samples of {peak:.0e} times full scale",
                remedy="Export the audio again from the program that made it, or repair it there.",
            )
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
    # With extension "zeros" no stem has anything above the network's bins.
    n_kept = card.n_bins if card.mask_extension == "zeros" else None
    with ThreadPoolExecutor(n_threads, thread_name_prefix="stemdock") as pool:
        start = partial(start_segment, card=card, session=session, pool=pool, n_kept=n_kept)
        finish = partial(_finish_segment, card=card, pool=pool)
        yield from join_segments(in_turns(cut_segments(blocks, card), start, finish), card)


def in_turns(
    items: Iterable[_Item], start: Callable[[_Item], _Started], finish: Callable[[_Started], _Finished]
) -> Iterator[_Finished]:
    """What becomes of every item, in order, each finished before the next is started.

    Network and transforms take turns, each on all threads: were they to run at once, every layer of the
    network would wait for the thread that was kept from its part. Only reading and writing, by those who
    give the items and take the results, go on beside the network.

    Args:
        items: What to work on.
        start: Does what comes before the network, and sets it going.
        finish: Waits for the network, and does what comes after it.
    """
    running: list[_Started] = []
    for item in items:
        finished = [finish(running.pop())] if running else []
        running.append(start(item))
        yield from finished
    if running:
        yield finish(running.pop())


def start_segment(
    segment: Segment, card: ModelCard, session: MaskSession, pool: ThreadPoolExecutor, n_kept: int | None
) -> Running:
    """Transforms a segment and gives it to the network.

    Args:
        segment: The segment.
        card: The model's card.
        session: The model's network.
        pool: Threads for all of it.
        n_kept: Bins of the spectra; all if None.
    """
    magnitude = np.empty((1, card.n_frames, card.n_bins, card.n_channels), np.float32)

    def spectrum(channel: int) -> ComplexArray:
        found = stft(segment.samples[channel : channel + 1], card.frame_length, n_kept)
        np.abs(found[0, :, : card.n_bins], out=magnitude[0, ..., channel])
        return found

    spectra = list(pool.map(spectrum, range(card.n_channels)))
    return Running(
        new_length=segment.new_length, spectra=spectra, estimates=pool.submit(session.run, magnitude)
    )


def _finish_segment(running: Running, card: ModelCard, pool: ThreadPoolExecutor) -> tuple[int, FloatArray]:
    """The new length and the stems of a segment, as `join_segments` takes them, after the network."""
    estimates = [estimate[0] for estimate in running.estimates.result()]
    masks = ratio_masks(estimates, card.separation_exponent)
    shape = (len(card.stems), card.n_channels, frames_length(card.n_frames, card.frame_length))
    stems = np.empty(shape, np.float32)

    def unmix(stem: int, channel: int) -> None:
        spectrum = apply_mask(masks[stem][..., channel : channel + 1], running.spectra[channel])
        stems[stem, channel] = istft(spectrum, card.frame_length)[0]

    # What went wrong in a thread shows when its result is asked for.
    list(pool.map(unmix, *zip(*product(range(shape[0]), range(shape[1])), strict=True)))
    return running.new_length, stems
