"""What a page says about how its stems were made, as far as it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stemdock.records import FOLDER, Records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def recorded_facts(files: Iterable[Path]) -> dict[str, str]:
    """Model and options by the record that was kept beside the results.

    Args:
        files: The stems. The record holds only for files that are byte for byte what it was made of.

    Returns:
        What is known by what it is, in the order to show it; nothing if there is no record of all the files.
    """
    resolved = [path.resolve() for path in files]
    for root in dict.fromkeys(parent for path in resolved for parent in path.parents):
        if (root / FOLDER).is_dir():
            work = Records(root).work_behind(resolved)
            if work:
                return made_by(work.model, work.options)
    return {}


def made_by(model: str, options: Mapping[str, Any]) -> dict[str, str]:
    """A model and the options that change a result, for people."""
    given = {name.replace("_", " "): value for name, value in options.items() if value not in (None, False)}
    return {"model": model} | {name: "yes" if value is True else str(value) for name, value in given.items()}
