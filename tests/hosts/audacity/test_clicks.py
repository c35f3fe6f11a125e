"""What a person does, with the genuine model: menu, dialog, Apply; and what is in the project then."""

# ruff: noqa: RUF001  the names of the tracks have an en dash
from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from hosts.audacity.desktop import headless, summary
from support.display import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from hosts.audacity.desktop import Desktop

START, END = 3.25, 9.5
BRING_IN = 1
"""Its place in the choice of Stem Status."""
PREFERENCE = "FileFormats/ExternalProgramExportCommand"


def test_menu_to_tracks(desktop: Desktop, song: Path, mono_song: Path, tmp_path: Path) -> None:
    desktop.import_audio(song, mono_song, song)
    names = ["first", "voice", "third"]
    desktop.rename(*names)
    former = desktop.tracks()
    desktop.select(START, END, 2)
    before = desktop.tracks()
    outcomes = desktop.outcomes()

    desktop.do("SetPreference", Name=PREFERENCE, Value="Lämmer/lame - %f")
    desktop.separate_by_menu(menu_picture="menu", dialog_picture="dialog")
    desktop.window("Stemdock")
    desktop.picture("progress")
    outcome = desktop.wait_for_outcome(len(outcomes))

    assert ": done in" in outcome, outcome
    wait_until(lambda: not desktop.windows("Stemdock"), 10, "the window to close")
    desktop.run("FitV")
    time.sleep(1)
    desktop.picture("result")
    after = desktop.tracks()
    assert [track.name for track in after] == [*names, "vocals – third", "accompaniment – third"]
    assert after[:3] == before  # selection, mute and solo included
    assert desktop.do("GetPreference", Name=PREFERENCE) == "Lämmer/lame - %f"
    assert [(track.start, track.end) for track in after[3:]] == [(START, END)] * 2

    excerpt = soundfile.read(song, dtype="float32")[0][round(START * 44100) : round(END * 44100)]
    soundfile.write(tmp_path / "excerpt.wav", excerpt, 44100, subtype="FLOAT")
    wanted = headless(desktop, tmp_path / "excerpt.wav", tmp_path / "headless")
    for place, stem in enumerate(("vocals", "accompaniment"), 3):
        # A margin of silence on both sides shows any shift.
        path = desktop.export(tmp_path / f"{stem}.wav", START - 0.25, END + 0.25, place)
        found, sample_rate = soundfile.read(path, dtype="float32")
        margin = round(0.25 * sample_rate)
        difference = np.abs(found[margin : margin + len(excerpt)] - wanted[stem]).max()
        print(f"{stem}: greatest difference from the headless command {difference:g}")  # noqa: T201  the figure is wanted
        assert difference == 0
        assert not found[:margin].any()
        assert not found[margin + len(excerpt) :].any()

    desktop.do("Undo")
    assert summary(desktop.tracks()) == summary(former)
    assert desktop.leftovers() == []


def test_without_pipe_the_stems_are_brought_in(desktop: Desktop, song: Path, tmp_path: Path) -> None:
    desktop.import_audio(song)
    desktop.do("SetPreference", Name=PREFERENCE, Value='my "own" \\ %f')
    desktop.select(START, END, 0)
    before = desktop.tracks()
    outcomes = desktop.outcomes()

    with desktop.hidden_pipe():
        desktop.separate_by_menu(mute=True)
        outcome = desktop.wait_for_outcome(len(outcomes))
        assert "the stems are not in the project yet" in outcome
        time.sleep(0.5)
        desktop.picture("ready")
        desktop.click_close(desktop.window("Stemdock"))
        assert "song: ready to be brought in" in desktop.cli("audacity", "status").stdout
        desktop.answer_of_status(BRING_IN)
        desktop.picture("brought-in")
        desktop.close_message()
        desktop.answer_of_status(BRING_IN)  # nothing is brought in twice
        desktop.close_message()

    after = desktop.tracks()
    assert [track.name for track in after[1:]] == ["vocals – song", "accompaniment – song"]
    assert after[:1] == before  # muting is left to the person
    assert desktop.do("GetPreference", Name=PREFERENCE) == 'my "own" \\ %f'
    found, _ = soundfile.read(desktop.export(tmp_path / "vocals.wav", START, END, 1), dtype="float32")
    excerpt = desktop.export(tmp_path / "excerpt.wav", START, END, 0)
    wanted = headless(desktop, excerpt, tmp_path / "headless")["vocals"]
    assert np.array_equal(found, wanted)
    desktop.do("Undo")
    assert summary(desktop.tracks()) == summary(before)
    desktop.cli("audacity", "cancel")
    assert desktop.leftovers() == []
    wait_until(lambda: not desktop.processes("launcher", "os.read"), 10, "the processes to end")


def test_cancel_in_the_window(desktop: Desktop, long_song: Path) -> None:
    desktop.slow_down()
    desktop.import_audio(long_song)
    desktop.select(0, 120, 0)
    before = desktop.tracks()
    outcomes = desktop.outcomes()
    desktop.separate_by_menu()
    window = desktop.window("Stemdock")
    time.sleep(2)
    desktop.picture("half-way")
    status = desktop.cli("audacity", "status").stdout
    assert "long: separating" in status
    desktop.click_close(window)
    assert desktop.wait_for_outcome(len(outcomes), 20).endswith("long: cancelled")
    wait_until(lambda: not desktop.windows("Stemdock"), 10, "the window to close")
    assert desktop.tracks() == before
    assert desktop.leftovers() == []


def test_stem_status_shows_and_cancels(desktop: Desktop, long_song: Path) -> None:
    desktop.slow_down()
    desktop.import_audio(long_song)
    desktop.select(0, 120, 0)
    outcomes = desktop.outcomes()
    desktop.separate_by_menu()
    desktop.window("Stemdock")
    desktop.answer_of_status(0)
    desktop.picture("status")
    desktop.close_message()
    desktop.run("StemStatus", chosenaction="Cancel all separations")
    assert desktop.wait_for_outcome(len(outcomes), 20).endswith("long: cancelled")
