"""Offer the models of Spleeter's release for download wherever a model is chosen by name."""

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
    """The downloads of all models of a release."""
    return [
        ModelDownload(
            name=model.name,
            stems=model.config.stems,
            bandwidth=model.config.n_bins * model.config.sample_rate / model.config.frame_length,
            n_bytes=model.n_bytes,
            source=release.file_url(model.file_name),
            licence=model.licence,
            fetch=_Fetch(release=release, model=model),
        )
        for model in release.models.values()
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fetch:
    """Downloads one model of a release and installs it in the default store."""

    release: Release
    model: ReleasedModel

    def __call__(
        self, *, on_progress: Callable[[FetchProgress], None] | None = None, cancel: Event | None = None
    ) -> ModelEntry:
        # The import of requests takes a while, and only a download needs it.
        from stemdock_models.fetching import Fetcher  # noqa: PLC0415

        (entry,) = Fetcher(release=self.release).fetch([self.model], on_progress=on_progress, cancel=cancel)
        return entry
