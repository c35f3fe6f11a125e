"""The files of a manifest: one JSON file for each song.

An entry contains no times, no absolute paths and no measurements, so equal separations write equal bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from stemdock.batch.contents import Content  # noqa: TC001  parse_json_as reads the annotations
from stemdock.batch.object_store import ObjectVersion  # noqa: TC001
from stemdock.errors import OutputError
from stemdock.lib.atomic import write_atomically
from stemdock.lib.durable import make_folder
from stemdock.lib.os_errors import os_errors_as
from stemdock.lib.regular_files import is_real_folder, read_regular_file
from stemdock.lib.untrusted_json import parse_json_as
from stemdock.types import Damage  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

FOLDER: Final = ".stemdock"
"""Folder of the manifest, inside the output folder."""
ALGORITHM: Final = 2
"""Raise it whenever the same mixture, model and options give other samples than before."""
_FORMAT: Final = 1
"""Version of the JSON files. Files of another version count as missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Everything that determines a song's stems."""

    mixture: Content | ObjectVersion
    """An object is known by what its store says, so that it need not be read."""
    model: str
    """Name of the model, for display. `model_sha256` identifies it."""
    model_sha256: str
    """`ModelEntry.identity`: the hash of a Spleeter model's file, which gave the field its name."""
    options: Mapping[str, Any]
    """Options that change the stems, as JSON values."""
    algorithm: int = ALGORITHM


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestEntry:
    """The stems of one song and what they were made from."""

    provenance: Provenance
    outputs: Mapping[str, Content]
    """By path relative to the output folder, with forward slashes."""
    complete: bool
    """Whether all outputs have reached their final paths."""
    damage: tuple[Damage, ...]
    """Damaged places of the mixture."""
    replaced: Mapping[str, Content]
    """Until the entry is complete: files of earlier runs that still may be in the places of outputs."""
    etags: Mapping[str, str] = field(default_factory=dict)
    """Of outputs in an object store, once the entry is complete."""
    place: str = ""
    """Where the mixture was (`stemdock.batch.song_places`); empty if unknown."""

    @property
    def is_short(self) -> bool:
        """Whether sound at the end of the mixture is known to be missing."""
        return any(place.kind == "end" and place.duration for place in self.damage)


def entry_name(outputs: Iterable[str]) -> str:
    """The name of an entry's file without its extension: a hash of the paths of the outputs.

    Raises:
        UnicodeEncodeError: No file can have such a path.
    """
    return hashlib.sha256(os.fsencode("\0".join(sorted(outputs)))).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """The content of an entry's file."""

    format: int
    work: Provenance
    outputs: Mapping[str, Content]
    complete: bool
    damage: tuple[Damage, ...] = ()
    replaced: Mapping[str, Content] = field(default_factory=dict)
    etags: Mapping[str, str] = field(default_factory=dict)
    place: str = ""


def check_folder(folder: Path) -> None:
    """Checks that a manifest's folder, if there is one, is a folder: others may have put a link there.

    Raises:
        OutputError: It is a link, a file or a pipe.
    """
    if os.path.lexists(folder) and not is_real_folder(folder):
        raise OutputError(
            folder,
            "the manifest cannot be written (this is not a folder)",
            remedy="Remove it, or choose another output folder.",
        )


def load_entry(path: Path) -> ManifestEntry | None:
    """Reads an entry; None if the file is damaged or of another version."""
    try:
        return entry_from(read_regular_file(path))
    except OSError:
        return None


def entry_from(content: bytes) -> ManifestEntry | None:
    """The entry in the content of a file; None if it is damaged or of another version."""
    try:
        file = parse_json_as(_File, content)
        if file.format != _FORMAT or not file.outputs:
            return None
        entry_name(file.outputs)  # fails if no file can have such a path
    except ValueError:
        return None
    return ManifestEntry(
        provenance=file.work,
        outputs=file.outputs,
        complete=file.complete,
        damage=file.damage,
        replaced=file.replaced,
        etags=file.etags,
        place=file.place,
    )


def entry_content(entry: ManifestEntry) -> bytes:
    """The content of an entry's file."""
    value: dict[str, Any] = {
        "format": _FORMAT,
        "work": asdict(entry.provenance),
        "outputs": {output: asdict(content) for output, content in entry.outputs.items()},
        "complete": entry.complete,
    }
    if entry.damage:
        value["damage"] = [asdict(place) for place in entry.damage]
    if entry.replaced:
        value["replaced"] = {output: asdict(content) for output, content in entry.replaced.items()}
    if entry.etags:
        value["etags"] = dict(entry.etags)
    if entry.place:
        value["place"] = entry.place
    return json.dumps(value, indent=1).encode()


def write_entry(entry: ManifestEntry, path: Path) -> None:
    """Writes an entry, completely or not at all; it survives a power failure.

    Raises:
        OutputError: It cannot be written.
    """

    def unwritable(reason: str) -> OutputError:
        return OutputError(
            path,
            f"the manifest cannot be written ({reason})",
            remedy="Check permissions and free disk space.",
        )

    check_folder(path.parent)
    with os_errors_as(unwritable):
        make_folder(path.parent)
        # The next run writes to the same temporary file, and so leaves none of a killed run.
        write_atomically(path, entry_content(entry), durable=True, part=path.with_suffix(".part"))
