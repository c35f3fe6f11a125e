"""A place for stems that are only measured: beside the real ones, and removed at the end."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING

from stemdock.batch import object_store
from stemdock.batch.store_errors import StoreError
from stemdock.files.staging import staging

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stemdock.output.naming import Destination


@contextmanager
def passing(destination: Destination) -> Iterator[Destination]:
    """A hidden folder in the output folder, with the same template.

    Raises:
        OutputError: It cannot be made.
    """
    if destination.location is None:
        with staging(destination.folder) as folder:
            yield replace(destination, folder=folder)
        return
    location = destination.location / f".stemdock-trial-{token_hex(8)}"
    try:
        yield replace(destination, location=location)
    finally:
        with suppress(StoreError):
            for found in object_store.find(location):
                with suppress(StoreError):  # the others go all the same
                    object_store.remove(found)
