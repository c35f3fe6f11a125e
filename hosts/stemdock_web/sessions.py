"""All open pages: opens, finds and ends their sessions."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex
from typing import TYPE_CHECKING, Final

from stemdock import make_private_folder, os_errors_as
from stemdock_web.errors import TooManyError, unwritable
from stemdock_web.session import Session
from stemdock_web.space import Space

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock_web.downloads import Download
    from stemdock_web.limits import Limits

_N_EXPORTS: Final = 2
"""Exports at the same time, of all pages."""


class Sessions:
    """All open pages."""

    def __init__(self, root: Path, limits: Limits) -> None:
        """Has no page yet.

        Args:
            root: A private folder for their files.
            limits: What they may use.
        """
        self.root = root
        self.limits = limits
        self.space = Space(root, limits)
        self._sessions: dict[str, Session] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._executor = ThreadPoolExecutor(limits.n_sessions, thread_name_prefix="following")
        self.exporter = ThreadPoolExecutor(_N_EXPORTS, thread_name_prefix="exporting")
        """For exports, which take minutes: they must not keep the threads that answer requests."""

    def __len__(self) -> int:
        """How many pages are open."""
        return len(self._sessions)

    @property
    def are_busy(self) -> bool:
        """Whether a song of any page is being separated or waits for that."""
        return any(not song.is_over for session in self._sessions.values() for song in session.songs.values())

    def open(self) -> Session:
        """Opens a session.

        Raises:
            TooManyError: There are too many.
        """
        if len(self._sessions) >= self.limits.n_sessions:
            raise TooManyError("open pages", self.limits.n_sessions)
        folder = self.root / token_hex(8)
        with os_errors_as(unwritable):
            make_private_folder(folder)
        session = Session(folder=folder, _ends_at=time.monotonic() + self.limits.away_time)
        self._sessions[session.key] = session
        self._tasks[session.key] = asyncio.create_task(session.work(self._executor, self.space))
        return session

    def find(self, key: str) -> Session | None:
        """The session with a key."""
        return self._sessions.get(key)

    def find_download(self, secret: str) -> Download | None:
        """A finished export by its secret."""
        for session in self._sessions.values():
            if download := session.downloads.get(secret):
                return download
        return None

    async def tend(self) -> None:
        """Ends the sessions whose pages were closed, for as long as the server runs."""
        every = min(1.0, self.limits.closed_time / 4)
        while True:
            for session in [each for each in self._sessions.values() if each.is_left]:
                await self.end(session)
            await asyncio.sleep(every)

    async def end(self, session: Session) -> None:
        """Stops the songs of a page, and removes its files."""
        self._sessions.pop(session.key, None)
        await session.end()
        self._tasks.pop(session.key, None)

    async def end_all(self) -> None:
        """Ends all sessions: the server stops."""
        await asyncio.gather(*map(self.end, list(self._sessions.values())))
        for executor in (self._executor, self.exporter):
            executor.shutdown(wait=False, cancel_futures=True)
