"""Checks what an engine returns, because engines come from other packages."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from stemdock.dsp.levels import peak_of
from stemdock.errors import ModelContractError, ModelError, StemdockError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from threading import Event

    from stemdock.types import Engine, FloatArray

_REPORT: Final = "Report this to the authors of the plug-in that offers the model."


def supervised(
    engine: Engine,
    model: str,
    mixture: Iterable[FloatArray],
    on_analysed: Callable[[int], None],
    cancel: Event | None = None,
) -> Iterator[FloatArray]:
    """Separates a mixture, and checks what the engine returns.

    Args:
        engine: The engine.
        model: Name of the model, for errors.
        mixture: As for `Engine.separate`.
        on_analysed: As for `Engine.separate`.
        cancel: For engines that can stop between two blocks of stems: see `Engine.separate`.

    Yields:
        The engine's blocks.

    Raises:
        ModelContractError: The blocks have the wrong shape, contain NaN or infinity, or together are not as
            long as the mixture.
        ModelError: The engine raised an exception that is not a `StemdockError`.
    """
    caller = _Caller(mixture, on_analysed)
    given = 0
    try:
        for stems in engine.separate(caller.blocks(), caller.analysed, **_stopping(engine, cancel)):
            _check(stems, engine, model)
            given += stems.shape[1]
            yield stems
    except (StemdockError, MemoryError):
        raise
    except Exception as error:
        if error is caller.error:
            raise
        raise ModelError(
            model, f"its engine failed ({type(error).__name__}: {error})", remedy=_REPORT
        ) from error
    if given != caller.taken:
        raise ModelContractError(
            model, f"its engine returned {given} samples for a mixture of {caller.taken}", remedy=_REPORT
        )


def _stopping(engine: Engine, cancel: Event | None) -> dict[str, Any]:
    """The argument `cancel`, if the engine takes it."""
    return {"cancel": cancel} if "cancel" in inspect.signature(engine.separate).parameters else {}


class _Caller:
    """The caller's side of a separation, whose exceptions pass through the engine.

    Attributes:
        taken: Samples that the engine took in.
        error: The exception that the mixture or the callback raised.
    """

    def __init__(self, mixture: Iterable[FloatArray], on_analysed: Callable[[int], None]) -> None:
        self.taken = 0
        self.error: Exception | None = None
        self._mixture = mixture
        self._on_analysed = on_analysed

    def blocks(self) -> Iterator[FloatArray]:
        try:
            for block in self._mixture:
                self.taken += len(block)
                yield block
        except Exception as error:
            self.error = error
            raise

    def analysed(self, length: int) -> None:
        try:
            self._on_analysed(length)
        except Exception as error:
            self.error = error
            raise


def _check(stems: object, engine: Engine, model: str) -> None:
    expected = (len(engine.stems), engine.n_channels)
    if not isinstance(stems, np.ndarray) or stems.ndim != 3 or stems.shape[::2] != expected:  # noqa: PLR2004
        raise ModelContractError(
            model,
            f"its engine returned an array of shape {getattr(stems, 'shape', None)} instead of "
            f"({expected[0]}, n_samples, {expected[1]})",
            remedy=_REPORT,
        )
    if not np.isfinite(peak_of(stems)):
        raise ModelContractError(model, "its engine returned samples that are not finite", remedy=_REPORT)
