"""The public object: a model, loaded once, that separates arrays and streams."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from stemdock.audio import resampled
from stemdock.engine.lengths import StreamLength
from stemdock.engine.progress import Meter
from stemdock.errors import AudioError
from stemdock.inference.bandwidth import extended_card
from stemdock.inference.opening import DEFAULT_MODEL, open_model
from stemdock.plugins import Plugins, load_plugins
from stemdock.types import DEFAULT_EXECUTION, DEFAULT_SEPARATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from threading import Event

    from stemdock.card import ModelCard
    from stemdock.types import Execution, FloatArray, Progress, Separation


class Separator:
    """Separates mixtures with one model.

    Example:
        >>> separator = Separator("2stems")
        >>> stems = separator.separate(samples, sample_rate=48000)  # (n_samples, 2) float32
        >>> stems["vocals"].shape == samples.shape
        True
    """

    def __init__(
        self,
        model: str | Path = DEFAULT_MODEL,
        *,
        execution: Execution = DEFAULT_EXECUTION,
        separation: Separation = DEFAULT_SEPARATION,
        plugins: Plugins | None = None,
    ) -> None:
        """Loads the model.

        Args:
            model: Name of an installed model, or the path of an ONNX file.
            execution: How its networks are run: provider, precision, threads.
            separation: How stems are made: Wiener filter, bandwidth.
            plugins: Where models come from; all that are installed, if not given.

        Raises:
            ProviderUnavailableError: The provider is missing or does not work here.
            ModelError: The model is missing, damaged or contradicts its card.
        """
        self.plugins = load_plugins() if plugins is None else plugins
        self._separation = separation
        # Importing the transforms keeps Python busy for as long as loading keeps the disk and C++ busy.
        with ThreadPoolExecutor(1) as background:
            transforms = background.submit(import_module, "stemdock.engine.two_pass")
            self._session = open_model(model, self.plugins, execution, separation.bandwidth)
            transforms.result()
        self._card = extended_card(self._session.card, separation.bandwidth)
        if separation.mwf:
            from stemdock.engine.two_pass import check_channels  # noqa: PLC0415  as said above

            check_channels(self._card)
        self._n_threads = execution.n_threads or _n_cores()

    @property
    def card(self) -> ModelCard:
        """The model's card: stems, sample rate, bandwidth, licence."""
        return self._card

    @property
    def provider(self) -> str:
        """The execution provider that the networks run on."""
        return self._session.provider

    def separate(
        self,
        mixture: FloatArray,
        sample_rate: int | None = None,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        cancel: Event | None = None,
    ) -> dict[str, FloatArray]:
        """Separates a whole mixture.

        Args:
            mixture: `(n_samples, 1 or 2)` float32, at least one sample.
            sample_rate: Hz; the model's own if not given.
            on_progress: Called after every segment.
            cancel: Set it from another thread to stop at the next segment.

        Returns:
            For each stem in the card's order an array `(n_samples, 2)` at `sample_rate`.

        Raises:
            AudioError: The array is empty, misshapen, or has NaN or infinity in it.
            CancelledError: `cancel` was set.
        """
        if mixture.size == 0:
            raise AudioError("the mixture is empty", remedy="Select some audio.")
        stems = np.empty((len(self.card.stems), len(mixture), self.card.n_channels), np.float32)
        start = 0
        for block in self.stream(
            [mixture], sample_rate, total_length=len(mixture), on_progress=on_progress, cancel=cancel
        ):
            stems[:, start : start + block.shape[1]] = block
            start += block.shape[1]
        return dict(zip(self.card.stems, stems, strict=True))

    def stream(
        self,
        blocks: Iterable[FloatArray],
        sample_rate: int | None = None,
        *,
        output_rate: int | None = None,
        total_length: int | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        cancel: Event | None = None,
    ) -> Iterator[FloatArray]:
        """Separates a mixture that arrives in blocks, in memory that does not grow with it.

        The result is the same to the last bit however the mixture is cut into blocks. With the Wiener
        filter, all blocks are taken in before the first stems come out.

        Args:
            blocks: `(n_samples, 1 or 2)` float32 each.
            sample_rate: Hz; the model's own if not given.
            output_rate: Hz of the stems; that of the mixture if not given.
            total_length: Samples of the mixture if they are known, for `on_progress` only.
            on_progress: Called after every segment, when its stems have been dealt with.
            cancel: Set it from another thread to stop at the next segment.

        Yields:
            Stems `(n_stems, n_samples, 2)` at `output_rate`, which add up to the samples taken in, or at
            another rate to as many as last equally long, rounded.

        Raises:
            AudioError: A block is misshapen, or has NaN or infinity in it.
            CancelledError: `cancel` was set.
            OutputError: The Wiener filter's temporary file cannot be written.
        """
        from stemdock.engine.masking import finite_blocks, separate_blocks  # noqa: PLC0415  as above
        from stemdock.engine.two_pass import filter_blocks  # noqa: PLC0415  imported while the model was loaded

        model_rate = self.card.sample_rate
        source_rate = sample_rate or model_rate
        stems_rate = output_rate or source_rate
        length = StreamLength(source_rate, stems_rate)
        meter = Meter(source_rate, total_length, on_progress, cancel, mwf=self._separation.mwf)
        mixture = resampled(length.counted(finite_blocks(blocks)), source_rate, model_rate)
        if self._separation.mwf:
            stems = filter_blocks(
                mixture,
                self.card,
                self._session,
                self._n_threads,
                lambda estimated: meter.estimated(min(estimated * source_rate // model_rate, length.taken)),
            )
        else:
            stems = separate_blocks(mixture, self.card, self._session, self._n_threads)
        stems = _resampled_stems(stems, model_rate, stems_rate)
        for block in length.fitted(stems, len(self.card.stems), self.card.n_channels):
            meter.check()
            yield block
            meter.separated(length.given, length.taken)


def _n_cores() -> int:
    """Cores that this process may use."""
    # A container's share is told by the affinity, which not every system has.
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _resampled_stems(stems: Iterator[FloatArray], from_rate: int, to_rate: int) -> Iterator[FloatArray]:
    """Blocks of stems `(n_stems, n_samples, n_channels)` at another rate, in step with one another."""
    if from_rate == to_rate:
        yield from stems
        return
    for first in stems:
        n_stems, _, n_channels = first.shape
        rows = (block.transpose(1, 0, 2).reshape(-1, n_stems * n_channels) for block in chain([first], stems))
        for row in resampled(rows, from_rate, to_rate):
            yield row.reshape(-1, n_stems, n_channels).transpose(1, 0, 2)
