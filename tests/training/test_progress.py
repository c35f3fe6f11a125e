"""Lines about progress: as many as a person wants to read."""

from __future__ import annotations

from stemdock_training.report.progress import SongProgress


def test_the_check_of_the_songs_shows_that_it_goes_on() -> None:
    lines: list[str] = []
    now = 0.0
    progress = SongProgress(lines.append, clock=lambda: now)
    for number in range(1, 31):
        progress(number, 30)
        now += 2.0
    assert lines == [f"checking song {number}/30" for number in (1, 6, 11, 16, 21, 26, 30)]
