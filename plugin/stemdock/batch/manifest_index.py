"""Which entries of a manifest list an output, where the output has no entry under the expected name.

Finding that out means reading every entry, so it is done only when somebody asks.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from stemdock.batch.manifest_files import load_entry
from stemdock.lib.regular_files import is_real_folder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from stemdock.batch.manifest_files import ManifestEntry

_SUFFIX: Final = ".json"


class ManifestIndex:
    """Names of entries by output. Not for several threads at once.

    Other processes write and remove entries meanwhile, so an answer is a hint: read the entry itself.
    """

    def __init__(self, folder: Path) -> None:
        """Reads nothing yet.

        Args:
            folder: The manifest's folder, which need not exist.
        """
        self._folder = folder
        self._known: set[str] = set()
        self._names: dict[str, tuple[str, ...]] = {}
        self.is_read = False
        """Whether the entries have been read."""

    def refresh(self) -> None:
        """Reads the entries that are new since the last time; at first, all."""
        self.is_read = True
        # A folder that may not be read has no entries: writing to it will say what is wrong.
        with suppress(OSError):
            for file in os.listdir(self._folder) if is_real_folder(self._folder) else ():  # noqa: PTH208
                name, suffix = os.path.splitext(file)  # noqa: PTH122  a Path each takes as long as the rest
                if suffix == _SUFFIX and name not in self._known:
                    self._known.add(name)
                    entry = load_entry(self._folder / file)
                    if entry:
                        self._add(name, entry)

    def names(self, output: str) -> tuple[str, ...]:
        """Names of the entries that list an output, as far as they have been read."""
        return self._names.get(output, ())

    def names_of_any(self, outputs: Iterable[str]) -> set[str]:
        """Names of the entries that list one of these outputs, as far as they have been read."""
        return {name for output in outputs for name in self.names(output)}

    def note(self, name: str, entry: ManifestEntry) -> None:
        """Adds an entry that this process has written; only needed if the others have been read."""
        if self.is_read:
            self._known.add(name)
            self._add(name, entry)

    def _add(self, name: str, entry: ManifestEntry) -> None:
        for output in entry.outputs:
            if name not in self.names(output):
                self._names[output] = (*self.names(output), name)
