"""Looking up in the manifest how stems were made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from stemdock.batch.manifest import Manifest
from stemdock.batch.manifest_files import FOLDER
from stemdock.lib.paths import resolved

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

_NOT_SHOWN: Final = {"copy_tags", "mixes", "stems"}
"""Options that do not change the sound of a stem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """How stems were made; empty if that is not known."""

    facts: Mapping[str, str] = field(default_factory=dict)
    """Model and options by their names, in the order of the page."""
    mixes: Collection[str] = ()
    """Names of the files that are sums of stems."""


def find_history(files: Iterable[Path]) -> History:
    """Looks up how files were made.

    Args:
        files: Stems and mixes of one song. If one of them has changed since the separation, their history
            is not known.
    """
    real = [resolved(path) for path in files]
    for root in dict.fromkeys(parent for path in real for parent in path.parents):
        if _has_same_owner(root / FOLDER, real):
            provenance = Manifest(root).provenance_of(real)
            if provenance:
                options = provenance.options
                mixes = options.get("mixes")
                return History(
                    facts=_facts(provenance.model, options), mixes=mixes if isinstance(mixes, dict) else ()
                )
    return History()


def _has_same_owner(folder: Path, files: Iterable[Path]) -> bool:
    """Whether a manifest's folder exists and belongs to the files' owner: anyone can put one into /tmp."""
    try:
        return {folder.lstat().st_uid} == {path.stat().st_uid for path in files}
    except OSError:
        return False


def without_mixes(files: Mapping[str, Path], mixes: Collection[str]) -> Mapping[str, Path]:
    """The files without mixes, whose stems would sound twice; all files if there are only mixes."""
    return {name: path for name, path in files.items() if name not in mixes} or files


def _facts(model: str, options: Mapping[str, Any]) -> dict[str, str]:
    given = {
        name.replace("_", " "): value
        for name, value in options.items()
        if name not in _NOT_SHOWN and value not in (None, False, "auto")
    }
    return {"model": model} | {name: "yes" if value is True else str(value) for name, value in given.items()}
