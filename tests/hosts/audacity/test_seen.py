"""What the person sees, or is spared, while stems arrive in a project with many tracks."""

# ruff: noqa: RUF001  the names of the tracks have an en dash
from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

import pexpect
import pytest

from hosts.audacity.desktop import CLI, Desktop
from hosts.audacity.flashes import counted_windows
from support.display import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from support.display import Display

N_WINDOWS = 13
"""At a request that mutes the original: Audacity shows one for each command, and Stemdock its own.
3.7 adds one.
"""


def has_terminals() -> bool:
    try:
        for descriptor in os.openpty():
            os.close(descriptor)
    except OSError:
        return False
    return True


def focused(desktop: Desktop) -> list[int]:
    return [place for place, track in enumerate(desktop.tracks()) if track.focused]


def test_twelve_tracks(desktop: Desktop, song: Path, mono_song: Path) -> None:
    desktop.import_audio(*[mono_song] * 9, song)
    desktop.do("NewLabelTrack")
    desktop.rename(*[f"Track {place}" for place in range(1, 11)], "Words")
    desktop.do("FirstTrack")
    desktop.select(2.0, 6.0, 2)
    # Other characters than ASCII in the export command cost three more windows.
    desktop.do("SetPreference", Name="FileFormats/ExternalProgramExportCommand", Value="lame - %f")
    before, place = desktop.tracks(), focused(desktop)
    n_outcomes = len(desktop.outcomes())
    desktop.picture("many-before")

    with counted_windows(desktop.display.name) as flashes:
        desktop.run("SeparateStems", chosenoriginal="Mute")
        assert ": done" in desktop.wait_for_outcome(n_outcomes)
        time.sleep(0.5)
        desktop.picture("many-after")
        wait_until(lambda: not desktop.windows("Stemdock"), 20, "the window to close")

    after = desktop.tracks()
    assert [track.name for track in after[11:]] == ["vocals – Track 3", "accompaniment – Track 3"]
    assert [track.selected for track in after] == [*[track.selected for track in before], False, False]
    assert focused(desktop) == place
    print(f"windows: {flashes.count}")  # noqa: T201  the figure is wanted
    assert flashes.count <= N_WINDOWS + (desktop.version >= (3, 7))


def test_the_choice_about_the_original_is_remembered(desktop: Desktop, song: Path) -> None:
    desktop.import_audio(song)
    for mute in (False, True):
        desktop.select(2.0, 3.5, 0)
        n_outcomes = len(desktop.outcomes())
        desktop.separate_by_menu(mute=mute)
        desktop.wait_for_outcome(n_outcomes)
        if not mute:
            assert not desktop.tracks()[0].mute
        desktop.select(4.0, 5.5, 0)
        desktop.run("SeparateStems")
        desktop.wait_for_outcome(n_outcomes + 1)
        assert desktop.tracks()[0].mute == mute


def test_the_button_brings_stems_in(desktop: Desktop, song: Path) -> None:
    desktop.import_audio(song)
    desktop.select(2.0, 4.0, 0)
    n_outcomes = len(desktop.outcomes())
    with desktop.hidden_pipe():
        desktop.separate_by_menu(mute=True)
        desktop.wait_for_outcome(n_outcomes)
        assert len(desktop.cli("audacity", "status").stdout.splitlines()) == n_outcomes + 2
    window = desktop.window("Stemdock")
    time.sleep(0.5)
    width, height = desktop.size(window)
    # The button beside Close.
    desktop.xdotool("mousemove", "--window", window, str(width - 190), str(height - 36), "click", "1")
    assert ": done" in desktop.wait_for_outcome(n_outcomes + 1)
    time.sleep(0.5)
    desktop.picture("brought-in-by-button")
    after = desktop.tracks()
    assert [track.name for track in after] == ["song", "vocals – song", "accompaniment – song"]
    assert after[0].mute
    assert not list(desktop.queue.glob("jobs/*"))
    desktop.xdotool("mousemove", "1200", "780")  # under the pointer, the window would stay
    wait_until(lambda: not desktop.windows("Stemdock"), 20, "the window to close")


def test_a_command_brings_stems_in(desktop: Desktop, song: Path) -> None:
    desktop.import_audio(song)
    desktop.select(2.0, 4.0, 0)
    with desktop.hidden_pipe():
        n_outcomes = len(desktop.outcomes())
        desktop.separate_by_menu()
        desktop.wait_for_outcome(n_outcomes)
        desktop.click_close(desktop.window("Stemdock"))
        done = desktop.cli("audacity", "bring-in")
        assert done.returncode == 3
        assert "mod-script-pipe" in done.stderr
    done = desktop.cli("audacity", "bring-in")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["vocals – song", "accompaniment – song"]
    assert [track.name for track in desktop.tracks()[1:]] == done.stdout.splitlines()
    assert desktop.cli("audacity", "bring-in").stderr == "No finished stems are waiting.\n"


def test_install_spares_the_user_the_first_start(home: Desktop, display: Display, tmp_path: Path) -> None:
    if not has_terminals():
        pytest.skip("needs pseudo-terminals, which this system has not mounted")
    home.stop()
    fresh = Desktop(display, tmp_path / "fresh", home.artefacts)
    fresh.settings.parent.mkdir(parents=True)
    version = "[Version]\nMajor={}\nMinor={}\nMicro={}\n".format(*fresh.version)
    temporary = f"[Directories]\nTempDir={tmp_path / 'temporary'}\n"
    fresh.settings.write_text(f"{version}[GUI]\nShowSplashScreen=0\n{temporary}")
    environment = {key: value for key, value in fresh.environment.items() if key != "PYTHONPATH"}
    terminal = pexpect.spawn(
        CLI[0], [*CLI[1:], "audacity", "install"], env=environment, timeout=90, encoding="utf-8"
    )
    terminal.expect("Start Audacity once and close it again")
    terminal.sendline("")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0, terminal.before
    assert not fresh.processes("bin/audacity")
    # Now the person starts it from a menu, and its pipe works.
    audacity = subprocess.Popen(["audacity"], env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: "pipe: answers" in fresh.cli("audacity", "doctor").stdout, 60, "the pipe")
    finally:
        fresh.kill()
        audacity.wait(20)
