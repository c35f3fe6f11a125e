"""The models of Spleeter's release: which archive, which configuration, which hash."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from stemdock_export.config import SpleeterConfig, load_config

URL_VARIABLE: Final = "STEMDOCK_RELEASE_URL"
"""Environment variable: the folder on a server that holds the release's archives, in place of Deezer's."""

_CARD: Final = Path(__file__).with_name("releases") / "spleeter-1.4.0.json"
_STEM_BYTES: Final = 39_307_036
"""Of the float32 weights of one stem's network at Spleeter's own widths."""


@dataclass(frozen=True, kw_only=True)
class ReleasedModel:
    """How one model is made of the release."""

    name: str
    archive: str
    """Name of the archive without ".tar.gz"; the 16 kHz models share that of their namesakes."""
    sha256: str | None
    """Of the archive, hex; None if only the release itself tells it."""
    config_name: str
    licence: str

    @cached_property
    def config(self) -> SpleeterConfig:
        """The configuration that the checkpoint is used with."""
        return load_config(self.config_name)

    @property
    def file_name(self) -> str:
        """Name of the archive in the release."""
        return f"{self.archive}.tar.gz"

    @property
    def n_bytes(self) -> int:
        """Size of the model, roughly."""
        return len(self.config.stems) * _STEM_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Spleeter's release, as our own card of it says."""

    url: str
    """The folder that holds its files, without a slash at the end."""
    checksums: str
    """Name of the file that has the sha256 of every archive by its name."""
    models: dict[str, ReleasedModel]

    def file_url(self, file_name: str) -> str:
        """Address of a file."""
        return f"{self.url}/{file_name}"


def load_release(url: str | None = None) -> Release:
    """The release that models are fetched from.

    Args:
        url: Folder that holds it; that of the environment variable `STEMDOCK_RELEASE_URL`, or else
            Deezer's, if not given.
    """
    card = json.loads(_CARD.read_text("utf-8"))
    return Release(
        url=(url or os.environ.get(URL_VARIABLE) or card["url"]).rstrip("/"),
        checksums=card["checksums"],
        models={
            each["name"]: ReleasedModel(
                name=each["name"],
                archive=each["archive"],
                sha256=each["sha256"],
                config_name=each["config"],
                licence=card["licence"],
            )
            for each in card["models"]
        },
    )
