"""The models that a page can choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stemdock import DEFAULT_MODEL
from stemdock_hostkit.worker.models import download_question

if TYPE_CHECKING:
    from stemdock import Plugins


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A model, installed or to be downloaded."""

    name: str
    stems: tuple[str, ...]
    bandwidth: float | None
    """Highest frequency of the stems, in Hz; None for that of the song."""
    licence: str
    n_download_bytes: int
    """0 if it is installed."""
    question: str = ""
    """Whether it may be downloaded; empty if it is installed."""

    def to_values(self) -> dict[str, Any]:
        """What the page shows."""
        return {
            "name": self.name,
            "stems": list(self.stems),
            "bandwidth": self.bandwidth,
            "licence": self.licence,
            "nDownloadBytes": self.n_download_bytes,
        }


class Catalogue:
    """The models as they are now: a download makes another one an installed one."""

    def __init__(self, plugins: Plugins) -> None:
        """Looks at the models of plug-ins."""
        self._plugins = plugins

    def offers(self) -> dict[str, Offer]:
        """All models by name: the default one first, then those that are installed."""
        found = {
            entry.name: Offer(
                name=entry.name,
                stems=entry.stems,
                bandwidth=entry.bandwidth,
                licence=entry.licence,
                n_download_bytes=0,
            )
            for entry in self._plugins.models()
        }
        for download in self._plugins.downloads():
            offer = Offer(
                name=download.name,
                stems=download.stems,
                bandwidth=download.bandwidth,
                licence=download.licence,
                n_download_bytes=download.n_bytes,
                question=download_question(download),
            )
            found.setdefault(download.name, offer)
        first = {DEFAULT_MODEL: found[DEFAULT_MODEL]} if DEFAULT_MODEL in found else {}
        return first | found

    def question(self, name: str) -> str:
        """What to ask before a model is downloaded; empty if it is installed."""
        offer = self.offers().get(name)
        return offer.question if offer else ""
