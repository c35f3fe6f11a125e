"""The public object: a model, loaded once, that separates arrays and streams."""

from __future__ import annotations

import operator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stemdock.audio import resampled
from stemdock.engine.blocks import check_array, checked, widened
from stemdock.engine.lengths import StreamLength
from stemdock.engine.progress import ProgressTracker
from stemdock.engine.supervision import supervised
from stemdock.errors import ArgumentError, AudioError
from stemdock.inference.finding import DEFAULT_MODEL
from stemdock.inference.opening import open_model
from stemdock.lib.arguments import is_path, is_whole
from stemdock.lib.cores import n_logical_cores
from stemdock.output.codecs import SAMPLE_RATES
from stemdock.plugins import Plugins, load_plugins
from stemdock.types import DEFAULT_EXECUTION, DEFAULT_SEPARATION

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from threading import Event
    from typing import Self

    from stemdock.entries import ModelEntry
    from stemdock.inference.opening import OpenModel
    from stemdock.lib.arguments import StrPath
    from stemdock.types import Execution, FloatArray, Progress, Separation


class Separator:
    """Separates mixtures with one model.

    Example:
        >>> separator = Separator("2stems")
        >>> stems = separator.separate(samples, sample_rate=48000)  # (n_samples, 2) float32
        >>> stems["vocals"].shape == samples.shape
        True

    Attributes:
        plugins: Source of the model, and observers of results.
        entry: The model and its facts, with the bandwidth that was asked for.
        n_threads: Processor threads that were asked for, or those of this machine.
    """

    def __init__(
        self,
        model: StrPath = DEFAULT_MODEL,
        *,
        execution: Execution = DEFAULT_EXECUTION,
        separation: Separation = DEFAULT_SEPARATION,
        plugins: Plugins | None = None,
    ) -> None:
        """Loads the model.

        Args:
            model: Name of an installed model, or the path of an ONNX file. A `Path` is never a name.
            execution: How the model's engine uses the hardware: provider, precision, threads.
            separation: Options of the separation: Wiener filter, bandwidth.
            plugins: Models and engines; all installed plug-ins if None.

        Raises:
            ArgumentError: `model` is neither a name nor a path.
            ProviderUnavailableError: The provider is missing or does not work here.
            SeparationOptionError: The model does not support an option of the separation.
            ModelError: The model is missing, damaged or contradicts its entry.
        """
        if not is_path(model):
            raise ArgumentError("model", model, "the name of a model or the path of an ONNX file")
        self.plugins = load_plugins() if plugins is None else plugins
        name = model if isinstance(model, str) else Path(model)
        self._take(open_model(name, self.plugins, execution, separation), execution)

    @classmethod
    def of(cls, opened: OpenModel, plugins: Plugins, execution: Execution) -> Self:
        """Takes a model that `open_model` has opened.

        Args:
            opened: The model.
            plugins: Those that it was opened with.
            execution: How it was opened.
        """
        separator = cls.__new__(cls)
        separator.plugins = plugins
        separator._take(opened, execution)  # noqa: SLF001  a method of this class
        return separator

    def _take(self, opened: OpenModel, execution: Execution) -> None:
        self.entry: ModelEntry = opened.entry
        self.n_threads = execution.n_threads or n_logical_cores()
        self._engine = opened.engine

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.entry.name

    @property
    def stems(self) -> tuple[str, ...]:
        """Names of the stems, in the model's order."""
        return self._engine.stems

    @property
    def sample_rate(self) -> int:
        """Rate at which the model works, in Hz. Other rates are converted."""
        return self._engine.sample_rate

    @property
    def n_channels(self) -> int:
        """Channels of the stems."""
        return self._engine.n_channels

    @property
    def provider(self) -> str:
        """What the model runs on, for people: an execution provider."""
        return self._engine.provider

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
            mixture: `(n_samples, 1 or 2)` floating point, at least one sample. Full scale is 1.0.
            sample_rate: Hz, 1000 to 768000; the model's own if not given.
            on_progress: Called after every block of stems.
            cancel: Set it from another thread to stop soon: a network stops within a few operators.

        Returns:
            For each stem in the model's order an array `(n_samples, n_channels)` at `sample_rate`.

        Raises:
            AudioError: The array is empty, has another type or shape, or contains NaN or infinity.
            ArgumentError: The sample rate is not a whole number, or out of its range.
            ForkedError: The model was loaded before this process was forked.
            CancelledError: `cancel` was set.
        """
        check_array(mixture, self.n_channels)
        if mixture.size == 0:
            raise AudioError("the mixture contains no samples", remedy="Select some audio.")
        blocks = self.stream(
            [mixture],
            sample_rate,
            total_length=len(mixture),
            on_progress=on_progress,
            cancel=cancel,
        )
        stems = np.empty((len(self.stems), len(mixture), self.n_channels), np.float32)
        start = 0
        with closing(blocks):
            for block in blocks:
                stems[:, start : start + block.shape[1]] = block
                start += block.shape[1]
        return dict(zip(self.stems, stems, strict=True))

    def stream(
        self,
        blocks: Iterable[FloatArray],
        sample_rate: int | None = None,
        *,
        output_rate: int | None = None,
        total_length: int | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        cancel: Event | None = None,
    ) -> Generator[FloatArray, None, None]:
        """Separates a mixture that arrives in blocks, in memory that does not grow with it.

        The stems do not depend on how the mixture is cut into blocks. With the Wiener filter, the whole
        mixture is taken in before the first stems come out.

        Threads work ahead of you. If you stop before the end, call `close` to end them.

        Args:
            blocks: `(n_samples, 1 or n_channels)` floating point each. Full scale is 1.0.
            sample_rate: Hz, 1000 to 768000; the model's own if not given.
            output_rate: Hz of the stems, 1000 to 768000; that of the mixture if not given.
            total_length: Samples of the mixture, if known; for `on_progress` only.
            on_progress: Called when the caller asks for the next block of stems.
            cancel: Set it from another thread to stop soon: a network stops within a few operators.

        Yields:
            Stems `(n_stems, n_samples, n_channels)` at `output_rate`. Together they are as long as the
            mixture; at another rate, rounded to a whole sample.

        Raises:
            ArgumentError: A rate is not a whole number, or out of its range; raised at the call.
            AudioError: A block has another type or shape, or contains NaN or infinity.
            ForkedError: The model was loaded before this process was forked.
            ModelError: The model's engine failed, or returned unusable stems.
            CancelledError: `cancel` was set.
            OutputError: The Wiener filter's temporary file cannot be written.
        """
        source_rate = self.sample_rate if sample_rate is None else _rate("sample_rate", sample_rate)
        stems_rate = source_rate if output_rate is None else _rate("output_rate", output_rate)
        progress = ProgressTracker(source_rate, total_length, on_progress, cancel)
        return self._stream(blocks, source_rate, stems_rate, progress)

    def _stream(
        self, blocks: Iterable[FloatArray], source_rate: int, stems_rate: int, progress: ProgressTracker
    ) -> Generator[FloatArray, None, None]:
        model_rate = self.sample_rate
        length = StreamLength(source_rate, stems_rate)
        mixture = resampled(length.counted(checked(blocks, self.n_channels)), source_rate, model_rate)
        stems = supervised(
            self._engine,
            self.model,
            widened(mixture, self.n_channels),
            lambda analysed: progress.analysed(min(analysed * source_rate // model_rate, length.taken)),
            progress.cancel,
        )
        stems = _resampled_stems(stems, model_rate, stems_rate)
        for block in length.fitted(stems, len(self.stems), self.n_channels):
            progress.check()
            yield block
            progress.separated(length.given, length.taken)


def _rate(argument: str, rate: object) -> int:
    if not is_whole(rate, SAMPLE_RATES[0], SAMPLE_RATES[-1]):
        raise ArgumentError(
            argument, rate, f"a whole number of Hz from {SAMPLE_RATES[0]} to {SAMPLE_RATES[-1]}"
        )
    return operator.index(rate)


def _resampled_stems(stems: Iterator[FloatArray], from_rate: int, to_rate: int) -> Iterator[FloatArray]:
    """Blocks of stems `(n_stems, n_samples, n_channels)` at another rate, all in step."""
    if from_rate == to_rate:
        yield from stems
        return
    for first in stems:
        n_stems, _, n_channels = first.shape
        rows = (block.transpose(1, 0, 2).reshape(-1, n_stems * n_channels) for block in chain([first], stems))
        for row in resampled(rows, from_rate, to_rate):
            yield row.reshape(-1, n_stems, n_channels).transpose(1, 0, 2)
