"""The models of Spleeter's release: archive, configuration and hash of each."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock import parse_json_as

if TYPE_CHECKING:
    from stemdock_export.config import SpleeterConfig

URL_VARIABLE: Final = "STEMDOCK_RELEASE_URL"
"""Environment variable: the address of a folder with the release's archives, instead of Deezer's."""

_CARD: Final = Path(__file__).with_name("releases") / "spleeter-1.4.0.json"
_STEM_BYTES: Final = 39_307_036
"""Size of one stem's network: float32 weights, layers as wide as Spleeter's."""


@dataclass(frozen=True, kw_only=True)
class ReleasedModel:
    """One model of the release, and how it is made."""

    name: str
    archive: str
    """Name of the archive without ".tar.gz". "4stems-16kHz" is made from the same archive as "4stems"."""
    sha256: str | None
    """Hash of the archive, hex; None if it is not pinned here, but only listed in the release."""
    config_name: str
    licence: str

    @cached_property
    def config(self) -> SpleeterConfig:
        """The configuration of the checkpoint."""
        from stemdock_export.config import load_config  # noqa: PLC0415  slow, and a separation needs none

        return load_config(self.config_name)

    @property
    def file_name(self) -> str:
        """Name of the archive in the release."""
        return f"{self.archive}.tar.gz"

    @property
    def n_bytes(self) -> int:
        """Approximate size of the installed model."""
        return len(self.config.stems) * _STEM_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Spleeter's release."""

    url: str
    """Address of the folder with its files, without a slash at the end."""
    checksums: str
    """Name of the file that lists the sha256 of every archive."""
    models: dict[str, ReleasedModel]

    def file_url(self, file_name: str) -> str:
        """Address of a file of the release."""
        return f"{self.url}/{file_name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _CardModel:
    """A model in the release's card."""

    name: str
    archive: str
    config: str
    sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Card:
    """The card of a release, a file of this package."""

    url: str
    checksums: str
    licence: str
    models: tuple[_CardModel, ...]


def load_release(url: str | None = None) -> Release:
    """Read the description of the release.

    Args:
        url: Address of the folder with its files. If not given, the environment variable
            `STEMDOCK_RELEASE_URL` or else Deezer's own address.
    """
    card = parse_json_as(_Card, _CARD.read_bytes())
    if url is None:
        url = os.environ.get(URL_VARIABLE) or card.url
    return Release(
        url=url.rstrip("/"),
        checksums=card.checksums,
        models={
            each.name: ReleasedModel(
                name=each.name,
                archive=each.archive,
                sha256=each.sha256,
                config_name=each.config,
                licence=card.licence,
            )
            for each in card.models
        },
    )
