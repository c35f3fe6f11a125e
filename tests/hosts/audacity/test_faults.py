"""What goes wrong in real life, each for real: a clear message, an unharmed project, and life goes on."""

# ruff: noqa: RUF001  the names of the tracks have an en dash
from __future__ import annotations

import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from hosts.audacity.desktop import CLI, summary
from stemdock.errors import HostUnreachableError
from stemdock_audacity.errors import (
    BusyError,
    DialogOpenError,
    ModuleOffError,
    NotRunningError,
)
from stemdock_audacity.link import transport
from stemdock_audacity.link.pipe import connect
from support.display import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from hosts.audacity.desktop import Desktop


PREFERENCE = "FileFormats/ExternalProgramExportCommand"


def separates(desktop: Desktop) -> bool:
    """Whether the next request works."""
    n_before = len(desktop.tracks())
    desktop.select(1.0, 2.0, 0)
    done = desktop.cli("audacity", "separate")
    assert done.returncode == 0, done.stderr
    return len(desktop.tracks()) == n_before + 2


def begin(desktop: Desktop, long_song: Path) -> int:
    """Starts a long separation from the menu's command; returns the number of outcomes before."""
    n_outcomes = len(desktop.outcomes())
    desktop.slow_down()
    desktop.import_audio(long_song)
    desktop.select(0, 100, 0)
    desktop.run("SeparateStems")
    wait_until(lambda: "separating" in desktop.cli("audacity", "status").stdout, 20, "the start")
    return n_outcomes


def close_dialogs(desktop: Desktop) -> None:
    """Presses the only button of whatever message is open."""

    def close() -> bool:
        for window in sorted(desktop.audacity_windows(), key=desktop.size)[:-1]:
            desktop.xdotool("windowfocus", window, "key", "Return")
        return desktop.is_usable()

    wait_until(close, 30, "Audacity to answer again")


@pytest.mark.parametrize("selection", ["no track", "no time", "silence after the end"])
def test_nothing_selected(desktop: Desktop, song: Path, selection: str) -> None:
    desktop.import_audio(song)
    if selection == "no track":
        desktop.do("SelectTracks", Track=0, TrackCount=1, Mode="Remove")
        desktop.do("SelectTime", Start=1, End=2)
    elif selection == "no time":
        desktop.select(1.0, 1.0, 0)
    else:
        desktop.select(20.0, 30.0, 0)
    before = desktop.tracks()
    began = time.monotonic()
    done = desktop.cli("audacity", "separate")
    assert (done.returncode, done.stdout) == (4, "")
    assert "no audio is selected" in done.stderr
    assert time.monotonic() - began < 30
    if selection == "no time":
        close_dialogs(desktop)
    assert desktop.tracks() == before
    assert separates(desktop)


def test_dialog_open(desktop: Desktop, song: Path, tmp_path: Path) -> None:
    desktop.import_audio(song)
    with connect() as pipe, pytest.raises(DialogOpenError):
        pipe.run("Import2", Filename=str(tmp_path / "missing.wav"), seconds=3)
    began = time.monotonic()
    done = desktop.cli("audacity", "separate")
    assert done.returncode == 3
    assert "a dialog is probably open" in done.stderr
    assert time.monotonic() - began < 20
    close_dialogs(desktop)
    assert separates(desktop)


def test_second_client(desktop: Desktop, song: Path) -> None:
    desktop.import_audio(song)
    script = (
        "import sys, time; "
        f"a = open({str(transport.TO_AUDACITY)!r}, 'w'); b = open({str(transport.FROM_AUDACITY)!r}); "
        "print('in', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([CLI[0], "-c", script], stdout=subprocess.PIPE)
    assert other.stdout
    assert other.stdout.readline() == b"in\n"
    try:
        with pytest.raises(BusyError, match=str(other.pid)), connect():
            pass
        done = desktop.cli("audacity", "separate")
        assert done.returncode == 3
        assert "another program" in done.stderr
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
    assert separates(desktop)


def test_two_of_ours(desktop: Desktop) -> None:
    with connect(), pytest.raises(BusyError, match="another Stemdock program"), connect():
        pass
    assert desktop.is_usable()


def test_disk_full(desktop: Desktop, song: Path) -> None:
    desktop.import_audio(song)
    desktop.select(0, 10, 0)
    before = desktop.tracks()
    # A limit on the size of files is met like a full disk: writing fails half-way. The worker inherits it.
    desktop.kill("stemdock_hostkit.worker")
    done = subprocess.run(
        ["prlimit", "--fsize=1000000", *CLI, "audacity", "separate"],
        env=desktop.environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "free disk space" in done.stderr
    assert desktop.tracks() == before
    assert desktop.leftovers() == []
    desktop.kill("stemdock_hostkit.worker")
    assert separates(desktop)


def test_edits_meanwhile(desktop: Desktop, long_song: Path, song: Path) -> None:
    n_outcomes = begin(desktop, long_song)
    desktop.import_audio(song)
    desktop.select(0, 1, 0)
    desktop.do("RemoveTracks")
    desktop.import_audio(song)
    desktop.select(0.5, 0.75, 1)
    before = desktop.tracks()
    desktop.cli("audacity", "cancel")
    desktop.wait_for_outcome(n_outcomes)
    assert desktop.tracks() == before


def test_original_deleted_meanwhile(desktop: Desktop, long_song: Path, song: Path) -> None:
    desktop.import_audio(song)
    n_outcomes = len(desktop.outcomes())
    desktop.slow_down()
    desktop.import_audio(long_song)
    desktop.select(0, 40, 1)
    desktop.run("SeparateStems", chosenoriginal="Mute")
    wait_until(lambda: "separating, " in desktop.cli("audacity", "status").stdout, 20, "the start")
    time.sleep(1)
    desktop.select(0, 1, 1)
    desktop.do("RemoveTracks")
    before = desktop.tracks()
    outcome = desktop.wait_for_outcome(n_outcomes)
    assert ": done in" in outcome
    assert "not muted" in outcome
    after = desktop.tracks()
    assert summary(after[:1]) == summary(before)
    assert [track.name for track in after[1:]] == ["vocals – long", "accompaniment – long"]


def test_worker_killed(desktop: Desktop, long_song: Path) -> None:
    begin(desktop, long_song)
    before = desktop.tracks()
    desktop.kill("stemdock_hostkit.worker")
    assert "was interrupted" in desktop.wait_for_outcome(0)
    time.sleep(0.5)
    desktop.picture("interrupted")
    desktop.click_close(desktop.window("Stemdock"))
    desktop.select(0, 1.5, 0)
    desktop.run("SeparateStems")
    assert ": done in" in desktop.wait_for_outcome(1)
    assert len(desktop.tracks()) == len(before) + 2
    assert desktop.leftovers() == []
    desktop.cli("audacity", "cancel")
    assert desktop.cli("audacity", "status").stdout.endswith("Nothing is being separated.\n")


def test_audacity_killed(desktop: Desktop, long_song: Path, song: Path) -> None:
    n_outcomes = begin(desktop, long_song)
    desktop.kill("audacity --", "/usr/bin/audacity", "bin/audacity")
    outcome = desktop.wait_for_outcome(n_outcomes)
    assert "the stems are kept in" in outcome
    project = next(desktop.queue.glob("jobs/*/stems.aup"))
    assert str(project) in outcome

    with pytest.raises(NotRunningError), connect():
        pass
    done = desktop.cli("audacity", "separate")
    assert done.returncode == 3
    assert "Audacity is not running" in done.stderr

    desktop.stop()
    desktop.start()
    desktop.import_audio(song)
    desktop.answer_of_status(1)  # as the message says
    desktop.close_message()
    assert [track.name for track in desktop.tracks()] == ["song", "vocals – long", "accompaniment – long"]
    desktop.cli("audacity", "cancel")
    assert separates(desktop)


def test_audacity_killed_during_the_export(desktop: Desktop, long_song: Path, song: Path) -> None:
    """Its settings then name Stemdock's command; the next start gives the person's back."""
    desktop.import_audio(long_song)
    desktop.do("SetPreference", Name=PREFERENCE, Value='Lämmer/lame "x" - %f')
    desktop.select(0, 100, 0)
    script = next(desktop.home.rglob("stemdock-launch*"))
    content = script.read_text("utf-8")
    script.write_text("#!/bin/sh\nexec sleep 111\n")
    try:
        desktop.separate_by_menu()
        wait_until(lambda: desktop.processes("sleep 111"), 20, "the program")
        time.sleep(1)
        desktop.kill("bin/audacity", "sleep 111")
    finally:
        script.write_text(content, "utf-8")
    assert "stemdock-launch" in desktop.settings.read_text("utf-8")
    desktop.stop()
    desktop.start()
    assert desktop.do("GetPreference", Name=PREFERENCE) == 'Lämmer/lame "x" - %f'
    desktop.import_audio(song)
    desktop.select(0, 1.5, 0)
    n_outcomes = len(desktop.outcomes())
    desktop.run("SeparateStems")
    assert ": done in" in desktop.wait_for_outcome(n_outcomes)
    assert desktop.leftovers() == []


def test_module_off(home: Desktop, song: Path) -> None:
    home.stop()
    text = home.settings.read_text("utf-8")
    home.settings.write_text(text.replace("mod-script-pipe=1", "mod-script-pipe=0"), "utf-8")
    shutil.copy(song, home.home / "song.wav")
    audacity = subprocess.Popen(
        ["audacity", str(home.home / "song.wav")], env=home.environment, stderr=subprocess.DEVNULL
    )
    try:
        home.window("song", 30)
        time.sleep(1)
        with pytest.raises(ModuleOffError), connect():
            pass
        assert home.cli("audacity", "separate").returncode == 3
        home.xdotool("windowfocus", "--sync", home.main_window(), "key", "ctrl+a")
        n_outcomes = len(home.outcomes())
        home.separate_by_menu()
        home.wait_for_outcome(n_outcomes)
        home.click_close(home.window("Stemdock"))
        home.answer_of_status(1)
        home.close_message()
        # The plug-in's notes on a second request tell what tracks there are.
        home.xdotool("windowfocus", "--sync", home.main_window(), "key", "ctrl+a")
        home.separate_by_menu()
        notes = home.queue / "inbox/track-3.txt"
        wait_until(notes.exists, 20, "the second request")
        assert "name accompaniment – song" in notes.read_text("utf-8")
        assert "length 479832" in notes.read_text("utf-8")
    finally:
        try:
            home.stop()
            audacity.wait(20)
        finally:  # without its module, Audacity answers no further test
            home.settings.write_text(text, "utf-8")


def test_errors_say_what_to_do() -> None:
    for error in (NotRunningError(), ModuleOffError(), DialogOpenError(), BusyError("x")):
        assert isinstance(error, HostUnreachableError)
        assert error.remedy
