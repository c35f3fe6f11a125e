"""The wish for a model: the worker loads it while it has nothing else to do.

There is one file for it, so the latest wish replaces those before. Jobs come first: a wish that finds the
worker at work is dropped, because its model would take the place of the one that the next job needs.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from stemdock import parse_json, read_regular_file, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

_NAME: Final = "wish.json"


def wish_for(folder: Path, model: str) -> None:
    """Wishes for a model.

    Args:
        folder: The folder of the worker.
        model: The name of the model.

    Raises:
        OSError: The wish cannot be written.
    """
    write_atomically(folder / _NAME, json.dumps({"model": model}).encode("ascii"))


def take_wish(folder: Path) -> str | None:
    """Takes the wish away; returns the name of its model, or None if there is no wish or it is damaged."""
    path = folder / _NAME
    try:
        content: Any = parse_json(read_regular_file(path))
        model = content["model"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, LookupError):
        model = None
    with suppress(OSError):
        path.unlink()
    return model if isinstance(model, str) else None
