"""The description of an installed model: the file model.json beside the model's own file."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from stemdock import ModelEntry, ModelError, card_from_values, parse_json_as

if TYPE_CHECKING:
    from collections.abc import Mapping

DESCRIPTION: Final = "model.json"
INVALID: Final = (ModelError, OSError, ValueError)
"""The exceptions that reading a damaged description may raise."""

_MODEL_FILE: Final = re.compile(r"[0-9a-f]{16}\.onnx")


def model_file_name(sha256: str) -> str:
    """Name of a model file in the store.

    Args:
        sha256: Its hash, hex.
    """
    return f"{sha256[:16]}.onnx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """The content of a description that this version of Stemdock uses."""

    file: str
    """Name of the model's own file."""
    sha256: str
    source: str
    card: Mapping[str, Any]
    archive_sha256: str = ""
    """Of the archive that the weights came in, hex; empty if it is not known."""

    def __post_init__(self) -> None:
        """Checks the name of the file.

        Raises:
            ValueError: It leads out of the folder.
        """
        if not self.file or Path(self.file).name != self.file:
            raise ValueError(f"file is {self.file!r}, which is not a name")


def read_description(folder: Path) -> Description:
    """The description of the model in a folder.

    Raises:
        OSError: It is missing or cannot be read.
        ValueError: It is damaged.
    """
    return parse_json_as(Description, (folder / DESCRIPTION).read_bytes(), ignore_unknown=True)


def read_entry(folder: Path) -> ModelEntry:
    """The entry of the model in a folder.

    Raises:
        FileNotFoundError: There is no model in the folder.
        NotADirectoryError: It is not a folder.
        Exception: One of `INVALID`: the description is damaged.
    """
    description = read_description(folder)
    name = folder.name
    card = card_from_values(description.card, name)
    if card.name != name:
        raise ValueError(f"it describes {card.name}")
    return ModelEntry.from_card(
        card,
        path=folder / description.file,
        sha256=description.sha256,
        source=description.source,
        remedy=_remedy(name, description.source),
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
            kept = read_description(folder).file
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


def installed_archives(parent: Path) -> frozenset[str]:
    """The hashes of the archives, hex, that the installed models came in.

    Args:
        parent: The store's folder.

    Raises:
        OSError: The folder cannot be read.
    """
    found = set()
    for folder in parent.iterdir():
        with suppress(*INVALID):
            found.add(read_description(folder).archive_sha256)
    return frozenset(found)


def _remedy(name: str, source: str) -> str:
    if source.startswith(("http:", "https:")):
        return f"Download it again with: plugin-cli models pull {name}"
    return f"Add it again with: plugin-cli models add {source} --name {name} --overwrite"
