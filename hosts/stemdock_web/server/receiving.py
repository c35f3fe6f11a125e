"""Receiving the file of a song, within the limits."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from stemdock import StemdockError, os_errors_as
from stemdock_web.errors import RefusedError, TooLargeError, unwritable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from typing import BinaryIO

    from stemdock_web.limits import Limits
    from stemdock_web.space import Promise, Space

_WRITE_SIZE: Final = 1 << 20
"""Bytes written at a time: a browser sends them in small pieces."""


async def receive(
    pieces: AsyncIterator[bytes], path: Path, space: Space, limits: Limits, *, n_announced: int
) -> None:
    """Writes an upload to a file.

    Args:
        pieces: The upload.
        path: A file that does not exist yet.
        space: What is left for it.
        limits: What it may use.
        n_announced: Bytes that the upload says it has; 0 if it does not say so.

    Raises:
        TooLargeError: It exceeds the limit.
        NoSpaceError: There is no space.
        RefusedError: It does not go on, or cannot be written.
    """
    if n_announced > limits.n_song_bytes:
        raise TooLargeError(limits.n_song_bytes)
    n_bytes = 0
    waiting = bytearray()
    with ExitStack() as opened:
        promise = await asyncio.to_thread(opened.enter_context, space.promised(n_announced))
        opened.enter_context(os_errors_as(unwritable, keep=StemdockError))
        file = opened.enter_context(path.open("xb"))
        async for piece in _in_time(pieces, limits.upload_wait):
            n_bytes += len(piece)
            if n_bytes > limits.n_song_bytes:
                raise TooLargeError(limits.n_song_bytes)
            waiting += piece
            if len(waiting) >= _WRITE_SIZE:
                await asyncio.to_thread(_write, file, bytes(waiting), promise)
                waiting.clear()
        await asyncio.to_thread(_write, file, bytes(waiting), promise)


def _write(file: BinaryIO, content: bytes, promise: Promise) -> None:
    if promise.n_left < len(content):
        promise.extend(len(content) - promise.n_left)  # the upload did not say its size
    file.write(content)
    file.flush()
    promise.fulfil(len(content))


async def _in_time(pieces: AsyncIterator[bytes], seconds: float) -> AsyncIterator[bytes]:
    """The pieces, as long as none of them takes too long."""
    while True:
        try:
            yield await asyncio.wait_for(anext(pieces), seconds)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise RefusedError(408, "the upload stopped", remedy="Add the song again.") from error
