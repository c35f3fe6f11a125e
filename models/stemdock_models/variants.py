"""Models of the release that share the weights of another: Spleeter's "-16kHz" models.

Their archive holds the same checkpoint as that of their namesakes. So it is converted once, and both models
use one file with different numbers of bins.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stemdock import with_bins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock import ModelEntry
    from stemdock_models.catalogue import Release, ReleasedModel


def variants(installed: Sequence[ModelEntry], release: Release) -> list[ModelEntry]:
    """Models that need no file of their own, since an installed one has their weights.

    Args:
        installed: The models of the store.
        release: The models that can be fetched.
    """
    entries = {entry.name: entry for entry in installed}
    found: dict[str, ModelEntry] = {}
    for model in release.models.values():
        for other in release.models.values():
            entry = entries.get(other.name)
            if entry and model.name not in entries and _share_weights(model, other) and _fits(entry, other):
                made = with_bins(entry, model.config.n_bins)
                if made.name == model.name:
                    found.setdefault(made.name, made)
    return list(found.values())


def weights_of(model: ReleasedModel, release: Release) -> ReleasedModel:
    """The model of the release whose file holds the weights of a model: itself, or its namesake."""
    return next(other for other in release.models.values() if _share_weights(model, other))


def _share_weights(model: ReleasedModel, other: ReleasedModel) -> bool:
    return model.archive == other.archive and model.config == replace(
        other.config, source=model.config.source, n_bins=model.config.n_bins
    )


def _fits(entry: ModelEntry, released: ReleasedModel) -> bool:
    """Whether an installed model has the shape of the released one: another may have been added."""
    card, config = entry.card, released.config
    return card is not None and (card.sample_rate, card.frame_length, card.n_frames, card.n_bins) == (
        config.sample_rate,
        config.frame_length,
        config.n_frames,
        config.n_bins,
    )
