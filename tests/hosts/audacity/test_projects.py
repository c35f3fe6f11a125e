"""Projects as people have them: other kinds of tracks, gaps, a saved file, and a queue that changes."""

# ruff: noqa: RUF001  the names of the tracks have an en dash
from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from hosts.audacity.desktop import headless, summary
from hosts.audacity.test_variants import excerpt, separate
from stemdock_audacity.jobs.queue import JobQueue
from support.display import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from hosts.audacity.desktop import Desktop


def test_label_and_time_tracks_with_sync_lock(desktop: Desktop, song: Path) -> None:
    desktop.do("NewTimeTrack")
    desktop.import_audio(song)
    desktop.do("NewLabelTrack")
    desktop.do("SyncLock")
    try:
        desktop.select(2.0, 4.0, 1)
        before = desktop.tracks()
        assert [track.kind for track in before] == ["time", "wave", "label"]
        assert ": done" in separate(desktop, original="Mute")
        after = desktop.tracks()
        assert [track.kind for track in after] == ["time", "wave", "label", "wave", "wave"]
        assert [(track.start, track.end) for track in after[:3]] == [
            (each.start, each.end) for each in before
        ]
        assert [(track.name, track.start, track.end) for track in after[3:]] == [
            ("vocals – song", 2.0, 4.0), ("accompaniment – song", 2.0, 4.0),
        ]  # fmt: skip
        assert [track.mute for track in after] == [False, True, False, False, False]
        desktop.do("Undo")
        assert summary(desktop.tracks()) == summary(before)
        desktop.do("Redo")
        assert summary(desktop.tracks()) == summary(after)
    finally:
        desktop.do("SyncLock")


def test_a_gap_between_clips_is_silence_in_the_stems(desktop: Desktop, song: Path, tmp_path: Path) -> None:
    desktop.import_audio(song)
    desktop.select(4.0, 5.0, 0)
    desktop.do("SplitDelete")
    desktop.select(3.0, 6.0, 0)
    before = desktop.tracks()
    assert ": done" in separate(desktop)
    after = desktop.tracks()
    assert after[:1] == before
    assert [(track.start, track.end) for track in after[1:]] == [(3.0, 6.0)] * 2

    samples, rate = soundfile.read(excerpt(song, 3.0, 6.0, tmp_path / "part.wav"), dtype="float32")
    samples[rate : 2 * rate] = 0
    soundfile.write(tmp_path / "part.wav", samples, rate, subtype="FLOAT")
    wanted = headless(desktop, tmp_path / "part.wav", tmp_path / "headless")["vocals"]
    found, _ = soundfile.read(desktop.export(tmp_path / "vocals.wav", 3.0, 6.0, 1), dtype="float32")
    assert np.array_equal(found, wanted)


def test_a_saved_project_holds_the_stems(desktop: Desktop, song: Path, tmp_path: Path) -> None:
    project = tmp_path / "saved.aup3"
    desktop.import_audio(song)
    desktop.select(2.0, 4.0, 0)
    desktop.do("SaveProject2", Filename=str(project))
    assert ": done" in separate(desktop)
    assert desktop.leftovers() == []
    desktop.do("SaveProject2", Filename=str(project))
    # Audacity keeps the file locked.
    copy = tmp_path / "copy.aup3"
    for suffix in ("", "-wal"):
        if (path := project.with_name(f"{project.name}{suffix}")).exists():
            shutil.copy(path, copy.with_name(f"{copy.name}{suffix}"))
    with closing(sqlite3.connect(copy)) as content:
        (n_bytes,) = content.execute("select sum(length(samples)) from sampleblocks").fetchone()
    # Two stems of two seconds in stereo, beside the song.
    stems = 2 * 2 * 2 * 44100 * 4
    assert n_bytes >= stems + 2 * soundfile.info(song).frames * 4


def test_the_second_of_three_is_cancelled(desktop: Desktop, long_song: Path) -> None:
    desktop.slow_down()
    desktop.import_audio(long_song)
    n_outcomes = len(desktop.outcomes())
    ids = []
    for start in (0.0, 30.0, 60.0):
        desktop.select(start, start + 25.0, 0)
        desktop.run("SeparateStems", chosenoriginal="Leave as it is")
        ids.append(JobQueue(folder=desktop.queue).jobs()[-1].id)
    wait_until(lambda: len(desktop.windows("Stemdock")) == 3, 20, "three windows")
    time.sleep(0.5)
    desktop.picture("three-requests")
    assert desktop.cli("audacity", "cancel", ids[1]).returncode == 0
    desktop.wait_for_outcome(n_outcomes + 2)
    outcomes = [outcome.split("long: ")[1].split(" in ")[0] for outcome in desktop.outcomes()[n_outcomes:]]
    assert sorted(outcomes) == ["cancelled", "done", "done"]
    starts = [track.start for track in desktop.tracks()[1:]]
    assert starts == [0.0, 0.0, 60.0, 60.0]
    assert desktop.leftovers() == []


def test_audacity_closed_meanwhile(desktop: Desktop, long_song: Path) -> None:
    desktop.slow_down()
    desktop.import_audio(long_song)
    desktop.select(0, 30, 0)
    n_outcomes = len(desktop.outcomes())
    desktop.run("SeparateStems", chosenoriginal="Leave as it is")
    wait_until(lambda: "separating" in desktop.cli("audacity", "status").stdout, 20, "the start")
    desktop.kill("bin/audacity")
    assert "the stems are kept" in desktop.wait_for_outcome(n_outcomes)
    time.sleep(0.5)
    desktop.picture("closed")
    desktop.stop()
    started = desktop.cli("audacity", "launch")
    assert "Finished stems are waiting: long" in started.stderr
    done = desktop.cli("audacity", "bring-in")
    assert (done.returncode, done.stdout.splitlines()) == (0, ["vocals – long", "accompaniment – long"])
    assert [track.name for track in desktop.tracks()] == done.stdout.splitlines()
