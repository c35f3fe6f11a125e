"""Adds the model that lies beside this file as example.onnx, and one that it can fetch."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import stemdock

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

_FOLDER = Path(__file__).parent


def _entry(path: Path) -> stemdock.ModelEntry:
    card = json.loads(path.with_suffix(".json").read_text("utf-8"))
    return stemdock.ModelEntry.from_card(
        stemdock.ModelCard(**{**card, "stems": tuple(card["stems"])}),
        path=path,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        source="stemdock-example",
    )


def _fetch(
    *,
    on_progress: Callable[[stemdock.FetchProgress], None] | None = None,
    cancel: Event | None = None,  # noqa: ARG001  too quick to be cancelled
) -> stemdock.ModelEntry:
    if on_progress:
        on_progress(stemdock.FetchProgress(step="copying"))
    for suffix in (".onnx", ".json"):
        shutil.copy(_FOLDER / "remote" / f"second{suffix}", _FOLDER)
    return _entry(_FOLDER / "second.onnx")


@stemdock.hookimpl
def stemdock_models() -> list[stemdock.ModelEntry]:
    return [_entry(path) for path in sorted(_FOLDER.glob("*.onnx"))]


@stemdock.hookimpl
def stemdock_downloads() -> list[stemdock.ModelDownload]:
    return [
        stemdock.ModelDownload(
            name="second",
            stems=("low", "high"),
            bandwidth=2000,
            n_bytes=1000,
            source="https://example.org/second",
            licence="MIT",
            fetch=_fetch,
        )
    ]
