"""Offers the embedded models through the same hook as anybody's."""

from __future__ import annotations

import json
from pathlib import Path

from stemdock.card import card_from_values
from stemdock.hookspecs import hookimpl
from stemdock.types import ModelEntry

_DATA = Path(__file__).with_name("data")


@hookimpl
def stemdock_models() -> list[ModelEntry]:
    """Every model in the package's data folder: NAME.onnx, described by NAME.json."""
    entries = []
    for path in sorted(_DATA.glob("*.json")):
        description = json.loads(path.read_text("utf-8"))
        entries.append(
            ModelEntry(
                card=card_from_values(description["card"], path.stem),
                path=path.with_suffix(".onnx"),
                sha256=description["sha256"],
            )
        )
    return entries
