"""The description of an installed model: the file model.json beside the model's own file."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from stemdock import ModelEntry, ModelError, card_from_values, parse_json

DESCRIPTION: Final = "model.json"
INVALID: Final = (ModelError, OSError, ValueError, LookupError, TypeError, AttributeError)
"""The exceptions that reading a damaged description may raise."""

_MODEL_FILE: Final = re.compile(r"[0-9a-f]{16}\.onnx")


def model_file_name(sha256: str) -> str:
    """Name of a model file in the store.

    Args:
        sha256: Its hash, hex.
    """
    return f"{sha256[:16]}.onnx"


def read_description(folder: Path) -> dict[str, Any]:
    """The values in a model's description.

    Raises:
        OSError: It is missing or cannot be read.
        ValueError: It is not JSON.
    """
    values: dict[str, Any] = parse_json((folder / DESCRIPTION).read_text("utf-8"))
    return values


def read_entry(folder: Path) -> ModelEntry:
    """The entry of the model in a folder.

    Raises:
        FileNotFoundError: There is no model in the folder.
        NotADirectoryError: It is not a folder.
        Exception: One of `INVALID`: the description is damaged.
    """
    values = read_description(folder)
    name = folder.name
    card = card_from_values(values["card"], name)
    if card.name != name or Path(values["file"]).name != values["file"]:
        raise ValueError(f"it describes {card.name} in {values['file']}")
    return ModelEntry.from_card(
        card,
        path=folder / values["file"],
        sha256=values["sha256"],
        source=values["source"],
        remedy=_remedy(name, values["source"]),
    )


def remove_leftovers(parent: Path) -> None:
    """Remove the model files that no description names.

    Args:
        parent: The store's folder. The caller holds the lock.

    Raises:
        OSError: The folder cannot be read.
    """
    for folder in parent.iterdir():
        if folder.name.startswith(".") or folder.is_symlink() or not folder.is_dir():
            continue
        try:
            kept = read_description(folder)["file"]
        except FileNotFoundError:
            kept = None
        except INVALID:
            # A later version of Stemdock may be able to read it. Only the user removes it.
            continue
        # Windows cannot remove a file that another process has open. A later task removes it.
        with suppress(OSError):
            for path in folder.iterdir():
                if path.name != kept and _MODEL_FILE.fullmatch(path.name):
                    path.unlink()
            if kept is None:
                folder.rmdir()


def _remedy(name: str, source: str) -> str:
    if source.startswith(("http:", "https:")):
        return f"Download it again with: plugin-cli models pull {name}"
    return f"Add it again with: plugin-cli models add {source} --name {name} --overwrite"
