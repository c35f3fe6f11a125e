"""Receiving the file of a song, within the limits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from stemdock import StemdockError, os_errors_as
from stemdock_web.errors import RefusedError, TooLargeError
from stemdock_web.limits import check_space

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from stemdock_web.limits import Limits

_WRITE_SIZE: Final = 1 << 20
"""Bytes written at a time: a browser sends them in small pieces."""


async def receive(
    pieces: AsyncIterator[bytes], path: Path, root: Path, limits: Limits, *, n_announced: int
) -> None:
    """Writes an upload to a file.

    Args:
        pieces: The upload.
        path: A file that does not exist yet.
        root: Where all songs are.
        limits: What they may use.
        n_announced: Bytes that the upload says it has; 0 if it does not say so.

    Raises:
        TooLargeError: It exceeds the limit.
        DiskFullError: There is no space.
        RefusedError: It does not go on, or cannot be written.
    """
    if n_announced > limits.n_song_bytes:
        raise TooLargeError(limits.n_song_bytes)
    await asyncio.to_thread(check_space, root, limits, n_announced)
    n_bytes = 0
    waiting = bytearray()
    with os_errors_as(_unwritable, keep=StemdockError), path.open("xb") as file:
        async for piece in _in_time(pieces, limits.upload_wait):
            n_bytes += len(piece)
            if n_bytes > limits.n_song_bytes:
                raise TooLargeError(limits.n_song_bytes)
            waiting += piece
            if len(waiting) >= _WRITE_SIZE:
                await asyncio.to_thread(file.write, bytes(waiting))
                waiting.clear()
        await asyncio.to_thread(file.write, bytes(waiting))
    await asyncio.to_thread(check_space, root, limits)


async def _in_time(pieces: AsyncIterator[bytes], seconds: float) -> AsyncIterator[bytes]:
    """The pieces, as long as none of them takes too long."""
    while True:
        try:
            yield await asyncio.wait_for(anext(pieces), seconds)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise RefusedError(408, "the upload stopped", remedy="Add the song again.") from error


def _unwritable(reason: str) -> RefusedError:
    return RefusedError(507, f"the song cannot be written ({reason})", remedy="Free some disk space.")
