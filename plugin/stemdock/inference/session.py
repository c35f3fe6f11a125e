"""A model file as a network: checked, loaded, and compared with its card."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Semaphore
from typing import TYPE_CHECKING, Final

from stemdock.card import INPUT_NAME
from stemdock.errors import (
    CancelledError,
    ForkedError,
    ModelContractError,
    ModelDamagedError,
)
from stemdock.inference.bandwidth import card_with_bins, model_with_bins
from stemdock.inference.onnx_file import read_model
from stemdock.inference.runtime import load_network, reason_of
from stemdock.inference.shortages import memory_shortage
from stemdock.lib.memory import is_memory_shortage
from stemdock.types import DEFAULT_EXECUTION

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from stemdock.lib.arguments import StrPath
    from stemdock.types import Execution, FloatArray

_LOUDEST: Final = 1e9
"""Largest valid magnitude of an estimate: its powers must stay finite."""
_EXPORT_AGAIN: Final = "Export the model again."


class OnnxSession:
    """A model file, checked and loaded.

    Attributes:
        card: The card of the network: that in the file, or with another number of bins.
        provider: Name of the execution provider that runs it, as in `stemdock.inference.providers`.
        n_at_once: As of `stemdock.engine.masking.MaskSession`.
    """

    def __init__(
        self,
        path: StrPath,
        execution: Execution = DEFAULT_EXECUTION,
        *,
        n_bins: int | None = None,
        sha256: str = "",
        confirm: Callable[[], object] | None = None,
    ) -> None:
        """Loads a model.

        Args:
            path: An ONNX file with a Stemdock card.
            execution: How to run it.
            n_bins: Bins that the network shall have; those of the file if None.
            sha256: Of the file, hex. If given, the prepared form is used that an earlier session kept, and is
                kept for later ones. Meant for installed models, whose content is checked.
            confirm: Called before onnxruntime reads the file itself; raises an error if its content is wrong.

        Raises:
            ModelNotFoundError: The file does not exist.
            ProviderUnavailableError: The provider is missing or does not work here.
            ModelDamagedError: The file is not an ONNX model, or incomplete.
            ModelContractError: The card is missing, graph and card disagree, or the network works with the
                number of bins in the file only.
        """
        model = read_model(Path(path))
        self.card = model.card()
        own_bins = self.card.n_bins
        if n_bins not in {None, own_bins}:
            self.card = card_with_bins(self.card, n_bins)
            model = model_with_bins(model, n_bins)
        self._path = str(path)
        self._pid = os.getpid()
        try:
            self._network = load_network(model, execution, sha256=sha256, confirm=confirm)
        except ModelDamagedError as error:
            if not model.variant:
                raise
            raise ModelContractError(
                self._path,
                f"its network does not work with {n_bins} bins instead of {own_bins}",
                remedy="Leave the bandwidth out, or export the model with it.",
            ) from error
        self.provider = self._network.provider
        self.n_at_once = self._network.n_at_once
        self._turns = Semaphore(self.n_at_once)
        self._check_contract()

    def run(self, magnitude: FloatArray, cancel: Event | None = None) -> Sequence[FloatArray]:
        """Estimates the magnitude of every stem: see `stemdock.engine.masking.MaskSession`.

        More threads than `n_at_once` take turns: so many use all cores, and each run needs memory.

        Raises:
            ForkedError: The model was loaded before this process was forked.
            MemoryShortageError: There is too little memory.
            ModelDamagedError: The network fails, or its output is not a magnitude.
            CancelledError: `cancel` was set.
        """
        # The threads of the network do not exist in a forked process: it would wait for them forever.
        if os.getpid() != self._pid:
            raise ForkedError
        try:
            with self._turns:
                made = self._network.run({INPUT_NAME: magnitude}, cancel)
        except CancelledError:
            raise
        except Exception as error:
            if is_memory_shortage(error):
                raise memory_shortage(self._path) from error
            raise ModelDamagedError(
                self._path, f"its network failed ({reason_of(error)})", remedy=_EXPORT_AGAIN
            ) from error
        estimates = [made[stem] for stem in self.card.stems]
        for stem, estimate in zip(self.card.stems, estimates, strict=True):
            # Written so that NaN fails the test: comparisons with NaN are false.
            if not (estimate.shape == magnitude.shape and 0 <= estimate.min() <= estimate.max() <= _LOUDEST):
                raise ModelDamagedError(
                    self._path, f"its network returned invalid values for {stem}", remedy=_EXPORT_AGAIN
                )
        return estimates

    def _check_contract(self) -> None:
        card = self.card
        segment = [card.n_frames, card.n_bins, card.n_channels]
        inputs = {name: list(shape[1:]) for name, shape in self._network.inputs.items()}
        outputs = {name: list(shape[1:]) for name, shape in self._network.outputs.items()}
        for found, expected in (
            (inputs, {INPUT_NAME: segment}),
            (outputs, dict.fromkeys(card.stems, segment)),
        ):
            if found != expected:
                raise ModelContractError(
                    self._path,
                    f"its graph has {found}, but its card requires {expected}",
                    remedy=_EXPORT_AGAIN,
                )
