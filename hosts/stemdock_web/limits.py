"""What pages may use of this machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of the server."""

    n_song_bytes: int = 2_000_000_000
    """Of one upload."""
    n_disk_bytes: int = 20_000_000_000
    """Of all songs and stems together."""
    n_free_bytes: int = 1_000_000_000
    """That stay free on the disk."""
    n_sessions: int = 20
    n_songs: int = 100
    """Of one session."""
    away_time: float = 300.0
    """Seconds after which a session ends whose page is not connected: long enough for a computer that sleeps
    for a moment, or a phone that shows another program."""
    closed_time: float = 15.0
    """Seconds after which a session ends whose page said that it is closed: long enough to reload it."""
    upload_wait: float = 60.0
    """Seconds to wait for the next bytes of an upload."""
    request_wait: float = 10.0
    """Seconds to wait for the first lines of a request."""
    n_connections: int = 500
    """At the same time. Systems let a program open about 1000 files."""
