"""List the models that are ready to use: from the store and from Stemdock's own package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from stemdock import ModelEntry, card_from_values, parse_json_as

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stemdock_models.store import Store

_DATA: Final = Path(__file__).with_name("data")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Description:
    """The content of NAME.json."""

    sha256: str
    card: Mapping[str, Any]


def installed_models(store: Store | None) -> list[ModelEntry]:
    """All models; without a store, those of the package.

    Of two with the same name, the first counts: an installed one before an embedded one.
    """
    installed = store.scan()[0] if store else []
    return [*installed, *_variants(installed), *embedded_models()]


def _variants(installed: list[ModelEntry]) -> list[ModelEntry]:
    if not installed:
        return []
    # Without installed models, no separation needs the catalogue.
    from stemdock_models.catalogue import load_release  # noqa: PLC0415
    from stemdock_models.variants import variants  # noqa: PLC0415

    return variants(installed, load_release())


def embedded_models() -> list[ModelEntry]:
    """The models in the package's data folder: NAME.onnx with its description NAME.json."""
    entries = []
    for path in sorted(_DATA.glob("*.json")):
        description = parse_json_as(_Description, path.read_bytes())
        entries.append(
            ModelEntry.from_card(
                card_from_values(description.card, path.stem),
                path=path.with_suffix(".onnx"),
                sha256=description.sha256,
                source="comes with Stemdock",
                remedy=f"Install Stemdock again, or download it with: plugin-cli models pull {path.stem}",
            )
        )
    return entries
