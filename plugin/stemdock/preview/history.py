"""How stems were made, by the record that was kept beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from stemdock.batch.manifest import FOLDER, Records

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

_NOT_SHOWN: Final = {"copy_tags", "mixes", "stems"}
"""Options that say nothing about the sound of a stem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is known; nothing, if there is no record."""

    facts: Mapping[str, str] = field(default_factory=dict)
    """Model and options for people, by what they are, in the order to show them."""
    mixes: Collection[str] = ()
    """Names of the files that are sums of stems."""


def recorded(files: Iterable[Path]) -> History:
    """Looks for the record of results.

    Args:
        files: All of them have to be byte for byte what the record was made of.
    """
    resolved = [path.resolve() for path in files]
    for root in dict.fromkeys(parent for path in resolved for parent in path.parents):
        if (root / FOLDER).is_dir():
            work = Records(root).work_behind(resolved)
            if work:
                return History(facts=_facts(work.model, work.options), mixes=work.options.get("mixes", ()))
    return History()


def without_mixes(files: Mapping[str, Path], mixes: Collection[str]) -> Mapping[str, Path]:
    """The files that are no sums of the others, which would be heard twice; all, if there are no others."""
    return {name: path for name, path in files.items() if name not in mixes} or files


def _facts(model: str, options: Mapping[str, Any]) -> dict[str, str]:
    given = {
        name.replace("_", " "): value
        for name, value in options.items()
        if name not in _NOT_SHOWN and value not in (None, False, "auto")
    }
    return {"model": model} | {name: "yes" if value is True else str(value) for name, value in given.items()}
