"""The files of a manifest: one JSON file for each song.

An entry contains no times, no absolute paths and no measurements, so equal separations write equal bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, get_args

from stemdock.batch.contents import Content
from stemdock.errors import OutputError
from stemdock.lib.atomic import write_atomically
from stemdock.lib.durable import make_folder
from stemdock.lib.os_errors import os_errors_as
from stemdock.lib.untrusted_json import parse_json
from stemdock.types import Damage, DamageKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

FOLDER: Final = ".stemdock"
"""Folder of the manifest, inside the output folder."""
ALGORITHM: Final = 2
"""Raise it whenever the same mixture, model and options give other samples than before."""
_FORMAT: Final = 1
"""Version of the JSON files. Files of another version count as missing."""
_LONGEST: Final = 1e9
"""Seconds; no song is as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Everything that determines a song's stems."""

    mixture: Content
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
    damage: tuple[Damage, ...] = ()
    """Damaged places of the mixture."""
    replaced: Mapping[str, Content] = field(default_factory=dict)
    """Until the entry is complete: files of earlier runs that still may be in the places of outputs."""

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


def load_entry(path: Path) -> ManifestEntry | None:
    """Reads an entry; None if the file is damaged or of another version."""
    try:
        value = parse_json(path.read_bytes())
        if value["format"] != _FORMAT:
            return None
        entry = ManifestEntry(
            provenance=_provenance(value["work"]),
            outputs=_contents(value["outputs"]),
            complete=value["complete"] is True,
            damage=tuple(_damage(place) for place in value.get("damage", ())),
            replaced=_contents(value.get("replaced", {})),
        )
        _check(bool(entry.outputs))
        entry_name(entry.outputs)  # fails if no file can have such a path
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return entry


def _provenance(value: Mapping[str, Any]) -> Provenance:
    provenance = Provenance(**{**value, "mixture": _content(value["mixture"])})
    _check(all(isinstance(text, str) for text in (provenance.model, provenance.model_sha256)))
    _check(isinstance(provenance.options, dict) and type(provenance.algorithm) is int)
    return provenance


def _contents(value: Mapping[str, Any]) -> dict[str, Content]:
    return {output: _content(content) for output, content in value.items()}


def _content(value: Mapping[str, Any]) -> Content:
    content = Content(**value)
    _check(type(content.size) is int and isinstance(content.sha256, str))
    return content


def _damage(value: Mapping[str, Any]) -> Damage:
    damage = Damage(**value)
    _check(damage.kind in get_args(DamageKind))
    _check(
        all(
            type(number) in {int, float} and 0 <= number < _LONGEST
            for number in (damage.start, damage.duration)
        )
    )
    return damage


def _check(is_valid: bool) -> None:
    if not is_valid:
        raise ValueError("an entry has a value of the wrong type")


def write_entry(entry: ManifestEntry, path: Path) -> None:
    """Writes an entry, completely or not at all; it survives a power failure.

    Raises:
        OutputError: It cannot be written.
    """
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

    def unwritable(reason: str) -> OutputError:
        return OutputError(
            path,
            f"the manifest cannot be written ({reason})",
            remedy="Check permissions and free disk space.",
        )

    with os_errors_as(unwritable):
        make_folder(path.parent)
        # The next run writes to the same temporary file, and so leaves none of a killed run.
        write_atomically(
            path, json.dumps(value, indent=1).encode(), durable=True, part=path.with_suffix(".part")
        )
