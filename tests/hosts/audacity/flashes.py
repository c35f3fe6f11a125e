"""Counts the windows that appear on a display, however shortly."""

from __future__ import annotations

import select
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING

from Xlib import X
from Xlib.display import Display as Connection

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class Flashes:
    """Windows that appeared."""

    count: int = 0


@contextmanager
def counted_windows(display: str) -> Iterator[Flashes]:
    """Counts the windows that the window manager shows meanwhile; menus and tooltips do not count."""
    connection = Connection(display)
    connection.screen().root.change_attributes(event_mask=X.SubstructureNotifyMask)
    connection.sync()
    flashes, over = Flashes(), Event()

    def watch() -> None:
        while not over.is_set():
            select.select([connection], [], [], 0.1)
            while connection.pending_events():
                event = connection.next_event()
                if event.type == X.MapNotify and not event.override:
                    flashes.count += 1

    thread = Thread(target=watch)
    thread.start()
    try:
        yield flashes
    finally:
        over.set()
        thread.join()
        connection.close()
