"""List the models that are ready to use: from the store and from Stemdock's own package."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock import ModelEntry, card_from_values
from stemdock_models.catalogue import load_release
from stemdock_models.variants import variants

if TYPE_CHECKING:
    from stemdock_models.store import Store

_DATA: Final = Path(__file__).with_name("data")


def installed_models(store: Store | None) -> list[ModelEntry]:
    """All models; without a store, those of the package.

    Of two with the same name, the first counts: an installed one before an embedded one.
    """
    installed = store.scan()[0] if store else []
    return [*installed, *variants(installed, load_release()), *embedded_models()]


def embedded_models() -> list[ModelEntry]:
    """The models in the package's data folder: NAME.onnx with its description NAME.json."""
    entries = []
    for path in sorted(_DATA.glob("*.json")):
        description = json.loads(path.read_text("utf-8"))
        entries.append(
            ModelEntry.from_card(
                card_from_values(description["card"], path.stem),
                path=path.with_suffix(".onnx"),
                sha256=description["sha256"],
                source="comes with Stemdock",
                remedy=f"Install Stemdock again, or download it with: plugin-cli models pull {path.stem}",
            )
        )
    return entries
