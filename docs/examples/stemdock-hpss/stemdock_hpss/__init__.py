"""Adds harmonic/percussive separation to Stemdock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import stemdock

if TYPE_CHECKING:
    from collections.abc import Sequence

__version__ = "1.0"
"""Increase it whenever the same song gives other stems."""

_NAME = "hpss"


@stemdock.hookimpl
def stemdock_models() -> Sequence[stemdock.ModelEntry]:
    """Describes the model."""
    return [
        stemdock.ModelEntry(
            name=_NAME,
            stems=("harmonic", "percussive"),
            sample_rate=44100,
            licence="MIT",
            version=__version__,
            source="stemdock-hpss",
        )
    ]


@stemdock.hookimpl
def stemdock_engine(entry: stemdock.ModelEntry) -> stemdock.Engine | None:
    """Loads the model. Other models are left to other plug-ins."""
    if entry.name != _NAME:
        return None
    # Imported here, since listing models must stay fast.
    from stemdock_hpss.engine import HpssEngine  # noqa: PLC0415

    return HpssEngine()
