"""Where songs are, as manifests remember it: to tell a song that was edited from another of the same name."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from stemdock.lib.locations import Location
from stemdock.lib.paths import resolved

if TYPE_CHECKING:
    from stemdock.lib.locations import Place


def place_key(song: Place, root: Place) -> str:
    """A hash of a song's place, 32 hex digits: names of other folders are nobody's business.

    A path is taken as seen from an output folder on this machine, so both can be moved together, or be
    mounted elsewhere. An address is taken without user and query, which can change with each run.

    Args:
        song: The song.
        root: Output folder of its stems.
    """
    if isinstance(song, Location):
        text = str(song)
    else:
        path = resolved(song)
        text = path.as_posix()
        if not isinstance(root, Location):
            with suppress(ValueError):  # on another drive of Windows
                text = os.path.relpath(path, resolved(root)).replace(os.sep, "/")
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]
