"""Batches of segments: the one of each step is a function of the seed and of the number of the step."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from stemdock_training.data.augmentation import augmented

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from stemdock import FloatArray
    from stemdock_export.config import SpleeterConfig
    from stemdock_training.config import TrainingConfig
    from stemdock_training.data.magnitudes import PartStore
    from stemdock_training.data.parts import Part

_ORDER: Final = 1
_SEGMENT: Final = 2
"""What a random number decides, so that no two decisions share their numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The segments of one step."""

    mixture: FloatArray
    """`(n_segments, n_frames, n_bins, n_channels)`."""
    targets: FloatArray
    """The true stems in the order of the configuration, `(n_stems, n_segments, n_frames, n_bins,
    n_channels)`."""


class Batches:
    """The batches of a training. Every part comes once before any comes again, in random order."""

    def __init__(
        self,
        parts: Sequence[Part],
        store: PartStore,
        network: SpleeterConfig,
        config: TrainingConfig,
        *,
        augment: bool = False,
    ) -> None:
        """Takes the parts; reads nothing yet."""
        self._parts = parts
        self._store = store
        self._n_frames = network.n_frames
        self._batch_size = config.batch_size
        self._seed = config.random_seed
        self._augment = augment

    def from_step(self, step: int) -> Generator[Batch]:
        """All batches from a step on, without an end. The next one is made while a step runs.

        Args:
            step: Steps that were made before.

        Raises:
            AudioError: A file cannot be read any more.
            TrainingWriteError: A part cannot be stored.
        """
        with ThreadPoolExecutor(1, "batches") as background:
            coming = background.submit(self.batch, step)
            while True:
                batch = coming.result()
                step += 1
                coming = background.submit(self.batch, step)
                yield batch

    def batch(self, step: int) -> Batch:
        """The batch of one step."""
        first = step * self._batch_size
        return _stacked([self._segment(first + number) for number in range(self._batch_size)])

    def _segment(self, number: int) -> FloatArray:
        """The segment of a number since the start of the training."""
        epoch, place = divmod(number, len(self._parts))
        order = np.random.default_rng([self._seed, _ORDER, epoch]).permutation(len(self._parts))
        random = np.random.default_rng([self._seed, _SEGMENT, number])
        magnitudes = self._store.magnitudes(self._parts[order[place]])
        first = int(random.integers(magnitudes.shape[1] - self._n_frames + 1))
        segment = magnitudes[:, first : first + self._n_frames]
        return augmented(segment, random) if self._augment else segment


def validation_batches(
    parts: Sequence[Part], store: PartStore, network: SpleeterConfig, config: TrainingConfig
) -> Iterator[Batch]:
    """The middle segment of each part, in order."""
    segments = []
    for part in parts:
        magnitudes = store.magnitudes(part)
        first = (magnitudes.shape[1] - network.n_frames) // 2
        segments.append(magnitudes[:, first : first + network.n_frames])
        if len(segments) == config.batch_size:
            yield _stacked(segments)
            segments = []
    if segments:
        yield _stacked(segments)


def _stacked(segments: Sequence[FloatArray]) -> Batch:
    mixture, *targets = np.stack(segments, axis=1)
    return Batch(mixture=mixture, targets=np.stack(targets))
