"""A model file as a session: checked, loaded, and held to what its card says."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

from stemdock.card import INPUT_NAME, card_from_metadata
from stemdock.errors import ModelContractError, ModelDamagedError, ModelNotFoundError
from stemdock.inference.runtime import load_network, reason_of
from stemdock.inference.vetting import check_graph
from stemdock.types import DEFAULT_EXECUTION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from stemdock.types import Execution, FloatArray

_LOUDEST: Final = 1e9
"""Largest magnitude that an estimate can have: its powers must stay finite."""
_EXPORT_AGAIN: Final = "Export the model again."


class OnnxSession:
    """A model file, checked and loaded.

    Attributes:
        card: The card found in the file.
        provider: Name of the execution provider that runs it, as in `stemdock.inference.providers`.

    Raises:
        ModelNotFoundError: There is no such file.
        ProviderUnavailableError: The provider is missing or does not work here.
        ModelDamagedError: It is no ONNX model, or not a whole one.
        ModelContractError: It has no card, or graph and card disagree.
    """

    def __init__(
        self, path: Path, execution: Execution = DEFAULT_EXECUTION, *, keep_prepared: bool = False
    ) -> None:
        """Loads a model.

        Args:
            path: An ONNX file with a Stemdock card.
            execution: How to run it.
            keep_prepared: Whether to use what an earlier session prepared, and leave it for a later one:
                for models that are there to stay.
        """
        _check_file(path)
        self._network = load_network(path, execution, keep_prepared=keep_prepared)
        self.provider = self._network.provider
        self._path = str(path)
        self._lock = Lock()
        self.card = card_from_metadata(self._metadata(), self._path)
        self._check_contract(str(path))

    def run(self, magnitude: FloatArray) -> Sequence[FloatArray]:
        """Estimates the magnitude of every stem: see `stemdock.types.MaskSession`.

        Threads take turns: one run uses all cores, and two at once would need twice the memory.

        Raises:
            ModelDamagedError: The network fails, or makes something else than magnitudes.
        """
        try:
            with self._lock:
                made = self._network.run({INPUT_NAME: magnitude})
        except Exception as error:
            raise ModelDamagedError(
                self._path, f"fails when it is run ({reason_of(error)})", remedy=_EXPORT_AGAIN
            ) from error
        estimates = [made[stem] for stem in self.card.stems]
        for stem, estimate in zip(self.card.stems, estimates, strict=True):
            # In these words, since a comparison with NaN is never true.
            if not (estimate.shape == magnitude.shape and 0 <= estimate.min() <= estimate.max() <= _LOUDEST):
                raise ModelDamagedError(
                    self._path, f"makes estimates of {stem} that are none", remedy=_EXPORT_AGAIN
                )
        return estimates

    def _metadata(self) -> Mapping[str, str]:
        try:
            return self._network.metadata
        except UnicodeDecodeError as error:
            raise ModelDamagedError(
                self._path, f"its metadata are no text ({error})", remedy=_EXPORT_AGAIN
            ) from error

    def _check_contract(self, model: str) -> None:
        card = self.card
        segment = [card.n_frames, card.n_bins, card.n_channels]
        inputs = {name: list(shape[1:]) for name, shape in self._network.inputs.items()}
        outputs = {name: list(shape[1:]) for name, shape in self._network.outputs.items()}
        for found, wanted in (
            (inputs, {INPUT_NAME: segment}),
            (outputs, dict.fromkeys(card.stems, segment)),
        ):
            if found != wanted:
                raise ModelContractError(
                    model,
                    f"its graph has {found} where its card says {wanted}",
                    remedy=_EXPORT_AGAIN,
                )


def _check_file(path: Path) -> None:
    """Refuses what is no file, or a model that no runtime should get."""
    if not path.is_file():
        raise ModelNotFoundError(str(path), known=())
    try:
        check_graph(path)
    except OSError as error:
        raise ModelDamagedError(
            str(path), f"cannot be read ({error.strerror})", remedy="Name a model that you may read."
        ) from error
