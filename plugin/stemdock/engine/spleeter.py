"""The engine of Spleeter's models: by masks, or by the Wiener filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock.engine.masking import MaskingEngine

if TYPE_CHECKING:
    from stemdock.card import ModelCard
    from stemdock.engine.masking import MaskSession
    from stemdock.types import Engine


def make_engine(card: ModelCard, session: MaskSession, *, mwf: bool, n_threads: int = 1) -> Engine:
    """The engine for a loaded network.

    Args:
        card: The network's card.
        session: The network.
        mwf: Whether the Wiener filter makes the stems.
        n_threads: Threads for everything but the network.

    Raises:
        ModelContractError: The Wiener filter does not support the model.
    """
    if mwf:
        from stemdock.engine.two_pass import WienerEngine  # noqa: PLC0415  few runs use it

        return WienerEngine(card, session, n_threads)
    return MaskingEngine(card, session, n_threads)
