"""A session: what one open page owns. A page in another tab or browser has another session.

A session lasts as long as its page listens for news. When the page is closed, or the computer has been away
for a while, its songs are stopped and its files removed.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from secrets import token_hex
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from stemdock import make_private_folder, os_errors_as, printable
from stemdock_hostkit.worker.naming import file_name
from stemdock_web.downloads import Download
from stemdock_web.errors import RefusedError, TooManyError, UnknownSongError, unwritable
from stemdock_web.keys import new_secret
from stemdock_web.songs import Song

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path

    from stemdock_web.limits import Limits
    from stemdock_web.orders import SongOrder
    from stemdock_web.running_exports import RunningExport
    from stemdock_web.space import Space

_LONGEST_NAME: Final = 120
"""Characters of the name on the page."""
_SUFFIX: Final = re.compile(r"(?<=[^ ])\.[A-Za-z0-9]{1,8}$")
"""Titles contain dots, too."""
_N_DOWNLOADS: Final = 4
"""Exports that a page keeps: the newest."""


@dataclass(slots=True, kw_only=True, eq=False)
class Session:
    """One open page. All fields change in the server's loop only."""

    folder: Path
    key: str = field(default_factory=new_secret)
    songs: dict[str, Song] = field(default_factory=dict)
    downloads: dict[str, Download] = field(default_factory=dict)
    """Finished exports by their secret."""
    exports: dict[str, RunningExport] = field(default_factory=dict)
    """Those that the page waits for."""
    exporting: asyncio.Lock = field(default_factory=asyncio.Lock)
    ended: Event = field(default_factory=Event)
    _n_coming: int = 0
    _n_listeners: int = 0
    _is_closed: bool = False
    _ends_at: float = 0.0
    _version: int = 0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _pending: asyncio.Queue[Song | None] = field(default_factory=asyncio.Queue)

    def song(self, identifier: str) -> Song:
        """A song of this page.

        Raises:
            UnknownSongError: It has no such song.
        """
        try:
            return self.songs[identifier]
        except KeyError:
            raise UnknownSongError from None

    def new_song(self, order: SongOrder, limits: Limits) -> Song:
        """Prepares a song with an empty folder for its file.

        Raises:
            TooManyError: The page has too many.
        """
        if len(self.songs) + self._n_coming >= limits.n_songs:
            raise TooManyError("songs on this page", limits.n_songs)
        identifier = token_hex(8)
        folder = self.folder / identifier
        with os_errors_as(unwritable):
            make_private_folder(folder / "source")
        # The name of a file from anywhere: only its last part.
        name = order.name.replace("\\", "/").rpartition("/")[2]
        title, suffix = _title_and_suffix(name)
        return Song(
            identifier=identifier,
            name=_shown(name, suffix),
            folder=folder,
            title=title,
            source=folder / "source" / f"{title}{suffix}",
            order=order,
            on_change=self.changed,
        )

    @contextmanager
    def coming(self) -> Iterator[None]:
        """Counts a song that is being sent."""
        self._n_coming += 1
        try:
            yield
        finally:
            self._n_coming -= 1

    def add(self, song: Song) -> None:
        """Puts a song whose file is complete into the queue."""
        self.songs[song.identifier] = song
        self._pending.put_nowait(song)
        self.changed()

    async def retry(self, song: Song) -> None:
        """Separates a song again that has failed.

        Raises:
            RefusedError: It has not.
        """
        if song.state != "failed":
            raise RefusedError(409, "the song has not failed", remedy="Reload the page.")
        await song.reset()
        self._pending.put_nowait(song)
        self.changed()

    async def remove(self, song: Song) -> None:
        """Stops a song, and removes its files."""
        self.songs.pop(song.identifier, None)
        self.changed()
        await song.remove()

    async def work(self, executor: ThreadPoolExecutor, space: Space) -> None:
        """Separates the songs one after the other, so that pages take turns."""
        while song := await self._pending.get():
            await song.separate(executor, space)

    def changed(self) -> None:
        """Makes all listeners look again."""
        self._version += 1
        asyncio.ensure_future(self._notify())  # noqa: RUF006  it only wakes the listeners

    async def wait(self, version: int, timeout: float) -> int:  # noqa: ASYNC109  it returns then
        """Waits for a change since a version, but not for ever; returns the version now."""
        async with self._changed:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait_for(lambda: self._version != version), timeout)
        return self._version

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def to_values(self) -> list[dict[str, Any]]:
        """What the page shows."""
        return [song.to_values() for song in self.songs.values()]

    @contextmanager
    def listening(self, limits: Limits) -> Iterator[None]:
        """Keeps the session while a page listens."""
        self._n_listeners += 1
        self._is_closed = False
        try:
            yield
        finally:
            self._n_listeners -= 1
            self._wait(limits.closed_time if self._is_closed else limits.away_time)
            # Another tab with the same key was not closed.
            self._is_closed = False

    def leave(self, limits: Limits) -> None:
        """The page says that it is closed, shortly before or after its connection ends."""
        self._is_closed = self._n_listeners > 0
        self._wait(limits.closed_time)

    def _wait(self, seconds: float) -> None:
        """Ends the session after some seconds unless its page listens then."""
        self._ends_at = time.monotonic() + seconds

    @property
    def is_left(self) -> bool:
        """Whether the page has been away for too long."""
        return not self._n_listeners and time.monotonic() > self._ends_at

    async def end(self) -> None:
        """Stops all songs, and removes all files but those that are being downloaded: they go then."""
        self.ended.set()
        self.changed()
        self._pending.put_nowait(None)
        for song in self.songs.values():
            song.stop()
        ends = (running.end() for running in self.exports.values())
        await asyncio.gather(*ends, *(song.remove() for song in self.songs.values()))
        kept = {download.folder for download in self.downloads.values() if not download.end()}
        await asyncio.to_thread(_clear, self.folder, kept)

    def keep(self, path: Path) -> str:
        """Offers a finished export for download; returns its secret."""
        secret = new_secret()
        self.downloads[secret] = Download(path)
        while len(self.downloads) > _N_DOWNLOADS:
            oldest = next(iter(self.downloads))
            self.downloads.pop(oldest).end()
        return secret


def _clear(folder: Path, kept: set[Path]) -> None:
    """Removes a folder, or all in it but the folders that are kept."""
    with suppress(OSError):
        for path in set(folder.iterdir()) - kept:
            shutil.rmtree(path, ignore_errors=True)
        folder.rmdir()


def _shown(name: str, suffix: str) -> str:
    """The name on the page: not too long, but with the suffix, and without characters that do not display."""
    stem = printable(name.removesuffix(suffix))
    return f"{stem[: _LONGEST_NAME - len(suffix)]}{suffix}" or "song"


def _title_and_suffix(name: str) -> tuple[str, str]:
    """A name that every system allows, and the suffix of the file, which says its format."""
    found = _SUFFIX.search(name)
    suffix = found[0] if found else ""
    return file_name(name.removesuffix(suffix), "song"), suffix
