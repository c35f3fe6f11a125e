"""Summarises repeated measurements and prints them in tables."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_THREE_DIGITS = 100
_TWO_DIGITS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Repetitions of one measurement."""

    median: float
    smallest: float
    largest: float

    def scaled(self, factor: float) -> Summary:
        """The summary in another unit."""
        return Summary(
            median=factor * self.median, smallest=factor * self.smallest, largest=factor * self.largest
        )


def summarise(values: Sequence[float]) -> Summary:
    """Median and range.

    Raises:
        ValueError: `values` is empty.
    """
    if not values:
        raise ValueError("no measurement to summarise")
    return Summary(median=statistics.median(values), smallest=min(values), largest=max(values))


def show_number(value: float) -> str:
    """Formats a number with three digits, the precision of such measurements."""
    if abs(value) >= _THREE_DIGITS:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= _TWO_DIGITS else f"{value:.2f}"


def show_summary(summary: Summary) -> str:
    """Formats the median, followed by the smallest and the largest value if they differ."""
    if summary.smallest == summary.largest:
        return show_number(summary.median)
    return f"{show_number(summary.median)} ({show_number(summary.smallest)}–{show_number(summary.largest)})"  # noqa: RUF001


def show_ratio(value: Summary, ours: Summary) -> str:
    """Formats the median as a multiple of ours; a dash if ours is zero."""
    return f"{show_number(value.median / ours.median)} ×" if ours.median else "–"  # noqa: RUF001


def snr(reference: NDArray[np.float32], estimate: NDArray[np.float32]) -> float:
    """Signal-to-noise ratio in dB of an estimate.

    Args:
        reference: `(n_samples, n_channels)`, the signal.
        estimate: Same shape; its difference from the reference is the noise.

    Returns:
        Infinity if they are identical.

    Raises:
        ValueError: The shapes differ.
    """
    if reference.shape != estimate.shape:
        raise ValueError(f"{estimate.shape} cannot be compared with {reference.shape}")
    signal = float(np.sum(np.square(reference, dtype=np.float64)))
    noise = float(np.sum(np.square(np.subtract(estimate, reference, dtype=np.float64))))
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal else -math.inf


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with aligned columns, so that its source is readable too.

    Raises:
        ValueError: A row and the header have different lengths.
    """
    lines = [header, *rows]
    widths = [max(3, *map(len, column)) for column in zip(*lines, strict=True)]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    padded.insert(1, ["-" * width for width in widths])
    return "\n".join("| " + " | ".join(line) + " |" for line in padded)
