"""Spleeter's release as downloads for everybody who chooses a model by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stemdock import ModelDownload

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from stemdock import FetchProgress, ModelEntry
    from stemdock_models.catalogue import Release, ReleasedModel


def downloads(release: Release) -> list[ModelDownload]:
    """Every model of a release."""
    return [
        ModelDownload(
            name=model.name,
            stems=model.config.stems,
            bandwidth=model.config.n_bins * model.config.sample_rate / model.config.frame_length,
            n_bytes=model.n_bytes,
            source=release.file_url(model.file_name),
            licence=model.licence,
            fetch=_Fetch(release, model),
        )
        for model in release.models.values()
    ]


@dataclass(frozen=True, slots=True)
class _Fetch:
    """Fetches one model of a release into the default store."""

    release: Release
    model: ReleasedModel

    def __call__(
        self, *, on_progress: Callable[[FetchProgress], None] | None = None, cancel: Event | None = None
    ) -> ModelEntry:
        # Only those who fetch wait for the import of requests.
        from stemdock_models.hub import Hub  # noqa: PLC0415

        (entry,) = Hub(release=self.release).fetch([self.model], on_progress=on_progress, cancel=cancel)
        return entry
