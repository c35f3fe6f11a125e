"""A real Ardour on a display of its own, with a home of its own."""

from __future__ import annotations

import base64
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest
import soundfile

from stemdock_ardour.places import find_all
from stemdock_ardour.script_list import EMPTY
from support.display import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from support.display import Display

NEEDED = ("ardour", "Xvfb", "openbox", "xdotool", "import")
BUTTONS = {"separate": 1, "remove": 2}
BUTTON_PLACES = {7: (-127, 44), 8: (-127, 44)}
"""Where the first button is in the window, from the right and the top, by version."""

_CONFIG = """<?xml version="1.0" encoding="UTF-8"?>
<Ardour>
  <Config>
    <Option name="hide-dummy-backend" value="0"/>
    {options}
  </Config>
  <Extra>
    <AudioMIDISetup>
      <EngineStates>
        <State backend="None (Dummy)" driver="Normal Speed" device="Silence" input-device="" output-device=""
          sample-rate="44100" buffer-size="1024" n-periods="0" input-latency="0" output-latency="0"
          lm-input="" lm-output="" active="1" use-buffered-io="0" midi-option="1 in, 1 out, Silence" lru="1"/>
      </EngineStates>
    </AudioMIDISetup>
  </Extra>
</Ardour>
"""

# Runs files that appear in a folder, inside Ardour.
_RUNNER = """
local folder = "{folder}"
return function ()
  local chunk, problem = loadfile (folder .. "/run.lua")
  if not chunk then return end
  os.rename (folder .. "/run.lua", folder .. "/ran.lua")
  local lines = {{}}
  local function say (...)
    local fields = table.pack (...)
    for index = 1, fields.n do fields[index] = tostring (fields[index]) end
    lines[#lines + 1] = table.concat (fields, "\\t")
  end
  local ok, problem = pcall (chunk, say)
  local file = io.open (folder .. "/answer.part", "w")
  file:write (ok and "ok" or tostring (problem), "\\n", table.concat (lines, "\\n"))
  file:close ()
  os.rename (folder .. "/answer.part", folder .. "/answer")
end
"""
_NEW_SESSION = """
assert (AudioEngine:set_backend ("None (Dummy)", "", ""))
local session = create_session (arg[1], arg[2], tonumber (arg[3]))
session:add_master_bus (ARDOUR.ChanCount (ARDOUR.DataType ("audio"), 2))
assert (session:save_state ("") == 0)
close_session ()
quit ()
"""
_IMPORT = """
local files = C.StringVector ()
files:push_back ("{path}")
Editor:do_import (files, Editing.ImportDistinctFiles, Editing.ImportAsTrack, ARDOUR.SrcQuality.SrcBest,
  ARDOUR.MidiTrackNameSource.SMFTrackName, ARDOUR.MidiTempoMapDisposition.SMFTempoIgnore,
  Temporal.timepos_t (0), ARDOUR.PluginInfo (), ARDOUR.Track (), false)
"""
_EMBED = """
local files = C.StringVector ()
files:push_back ("{path}")
Editor:do_embed (files, Editing.ImportDistinctFiles, Editing.ImportAsTrack, Temporal.timepos_t (0),
  ARDOUR.PluginInfo (), ARDOUR.Track ())
"""


def ardour_version() -> int:
    """The main version of the installed package."""
    command = ["dpkg-query", "--show", "--showformat", "${Version}", "ardour"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return int(text.rpartition(":")[2].partition(".")[0])


def missing_programs() -> list[str]:
    return [name for name in NEEDED if shutil.which(name) is None]


class Studio:
    """What a person has: a display, a home, and an Ardour that may run."""

    def __init__(self, display: Display, home: Path, artefacts: Path, *, options: str = "") -> None:
        self.home = home
        self.display = display
        self.artefacts = artefacts
        self.version = ardour_version()
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "STEMDOCK_"))},
            "HOME": str(home),
            "DISPLAY": display.name,
            "LC_ALL": "C.UTF-8",
        }
        self.settings = home / f".config/ardour{self.version}"
        self.settings.mkdir(parents=True)
        (self.settings / f".a{self.version}").touch()  # no questions for new users
        (self.settings / "config").write_text(_CONFIG.format(options=options))
        (self.settings / "instant.xml").write_text("<instant><no-memory-warning/></instant>\n")
        self._work = home / "runner"
        self._work.mkdir()
        self._process: subprocess.Popen[bytes] | None = None
        self.session = home / "none"
        self._set_up_runner()
        done = self.cli("ardour", "install")
        assert done.returncode == 0, done.stderr

    def _set_up_runner(self) -> None:
        """Lists the runner as a hook, beside which Stemdock is installed."""
        (ardour,) = find_all(home=self.home)
        body = _RUNNER.format(folder=self._work)
        escaped = re.sub(rb'[^ -~]|["\\]', lambda found: b"\\%03d" % found[0][0], body.encode()).decode()
        entry = base64.b64encode(
            f's = {{}} s["n"] = "runner" s["s"] = "" s["f"] = "{escaped}" s["a"] = {{}} '.encode()
        )
        hook = f'<LuaCallback lua="Lua 5.3" id="99" name="runner" signals="{ardour.timer_bits}">'.encode()
        content = b"<ActionHooks>" + hook + entry + b"</LuaCallback></ActionHooks>"
        ardour.script_list.write_bytes(EMPTY.replace(b"<ActionHooks/>", content))

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "stemdock", *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )

    # --- sessions

    def new_session(self, name: str, sample_rate: int = 44100) -> None:
        """Starts Ardour with a new session."""
        self.stop()
        shutil.rmtree(self.jobs, ignore_errors=True)
        script = self._work / "new.lua"
        script.write_text(_NEW_SESSION)
        self.session = self.home / name
        words = [str(script), str(self.session), self.session.name, str(sample_rate)]

        def is_made() -> bool:
            # On a busy machine, Ardour's program for scripts sometimes aborts.
            shutil.rmtree(self.session, ignore_errors=True)
            command = [f"ardour{self.version}-lua", *words]
            done = subprocess.run(command, env=self.environment, capture_output=True, timeout=60, check=False)
            return done.returncode == 0

        wait_until(is_made, 30, "a new session")
        self.start()

    def start(self, *, has_runner: bool = True) -> None:
        with (self.home / "ardour.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["ardour", "-n", "-a", str(self.session)],
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(lambda: self.windows(f"{self.session.name} - Ardour"), 90, "Ardour's window")
        if has_runner:
            self.run('local say = ... say ("ready")')

    def stop(self) -> None:
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(60)
            self._process = None

    def save(self) -> None:
        self.run('local say = ... Editor:access_action ("Common", "Save")')
        wait_until(lambda: not self.windows(rf"^\*{self.session.name} - Ardour"), 30, "saved")

    # --- inside Ardour

    def run(self, code: str, *, wait: bool = True) -> list[list[str]]:
        """Runs Lua code inside Ardour; it says its results with the function that it is given."""
        answer = self._work / "answer"
        answer.unlink(missing_ok=True)
        part = self._work / "run.part"
        part.write_text(code)
        part.rename(self._work / "run.lua")
        if not wait:
            return []
        wait_until(answer.exists, 60, f"an answer to {code[:200]}")
        status, *lines = answer.read_text().split("\n")
        assert status == "ok", status
        return [line.split("\t") for line in lines if line]

    def bring_in(self, path: Path, *, embed: bool = False) -> None:
        """Imports a file onto a track of its own, or embeds it."""
        self.run((_EMBED if embed else _IMPORT).format(path=path))

    def regions(self) -> list[list[str]]:
        """By order of tracks: track, region, position, start, length (samples), and whether it is muted."""
        return self.run("""
            local say = ...
            local rows = {}
            for route in Session:get_tracks ():iter () do
              local order = route:presentation_info_ptr ():order ()
              for region in route:to_track ():playlist ():region_list ():iter () do
                rows[#rows + 1] = { order, region:position ():samples (), route:name (), region:name (),
                  region:start ():samples (), region:length ():samples (), region:muted () }
              end
            end
            table.sort (rows, function (a, b) return a[1] * 1e12 + a[2] < b[1] * 1e12 + b[2] end)
            for _, row in ipairs (rows) do say (row[3], row[4], row[2], row[5], row[6], row[7]) end
        """)

    def audio(self, name: str) -> NDArray[np.float32]:
        """The samples of a region, from its files."""
        rows = self.run(f"""
            local say = ...
            for route in Session:get_tracks ():iter () do
              for region in route:to_track ():playlist ():region_list ():iter () do
                for number = 0, region:to_audioregion ():n_channels () - 1 do
                  local source = region:source (number):to_filesource ()
                  if region:name () == "{name}" then
                    say (source:path (), source:channel (), region:start ():samples (),
                      region:length ():samples ())
                  end
                end
              end
            end
        """)
        parts = []
        for path, channel, start, length in rows:
            samples, _ = soundfile.read(path, dtype="float32", always_2d=True)
            parts.append(samples[int(start) : int(start) + int(length), int(channel)])
        return np.stack(parts, axis=1)

    def tracks(self) -> list[str]:
        """Names of the tracks in their order."""
        rows = self.run("""
            local say = ...
            for route in Session:get_tracks ():iter () do
              say (route:presentation_info_ptr ():order (), route:name ())
            end
        """)
        return [name for _, name in sorted(rows, key=lambda row: int(row[0]))]

    def select(self, *names: str) -> None:
        """Selects regions by their names."""
        wanted = ", ".join(f'["{name}"] = true' for name in names)
        self.run(f"""
            local list, wanted = ArdourUI.SelectionList (), {{ {wanted} }}
            for route in Session:get_tracks ():iter () do
              for region in route:to_track ():playlist ():region_list ():iter () do
                if wanted[region:name ()] then list:push_back (Editor:regionview_from_region (region)) end
              end
            end
            Editor:set_selection (list, ArdourUI.SelectionOp.Set)
        """)

    def with_region(self, name: str, code: str) -> None:
        """Runs code for a region."""
        self.run(f"""
            for route in Session:get_tracks ():iter () do
              for region in route:to_track ():playlist ():region_list ():iter () do
                if region:name () == "{name}" then {code} end
              end
            end
        """)

    # --- windows

    def windows(self, name: str) -> list[str]:
        command = ["xdotool", "search", "--onlyvisible", "--name", name]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        ).stdout.split()

    def click(self, window: str, x: int, y: int) -> None:
        """Clicks in a window; negative numbers count from its right and bottom."""
        found = subprocess.run(
            ["xdotool", "getwindowgeometry", "--shell", window],
            env=self.environment, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        size = {key: int(number) for key, number in re.findall(r"(\w+)=(\d+)", found)}
        x, y = (x if x >= 0 else size["WIDTH"] + x), (y if y >= 0 else size["HEIGHT"] + y)
        command = [
            "xdotool",
            "windowraise",
            window,
            "mousemove",
            "--window",
            window,
            str(x),
            str(y),
            "click",
            "1",
        ]
        subprocess.run(command, env=self.environment, check=True)

    def dialog(self, name: str) -> str:
        """Waits for a window."""
        return wait_until(lambda: self.windows(name), 60, f"the window {name}")[0]

    def picture(self, name: str) -> None:
        path = self.artefacts / f"{name}.png"
        subprocess.run(["import", "-window", "root", str(path)], env=self.environment, check=True)

    # --- the action

    @property
    def jobs(self) -> Path:
        return self.settings / "stemdock/jobs"

    def press(self, action: str) -> None:
        """Runs an action, as its button does."""
        number = BUTTONS[action]
        self.run(f'Editor:access_action ("LuaAction", "script-{number}")', wait=False)

    def press_button(self) -> None:
        """Clicks the button of the action."""
        self.click(self.dialog(f"{self.session.name} - Ardour"), *BUTTON_PLACES[self.version])

    def confirm(self) -> None:
        """Presses OK in the action's dialog."""
        window = self.dialog("^Separate Stems$")
        self.click(window, -60, -32)
        wait_until(lambda: not self.windows("^Separate Stems$"), 30, "the dialog closes")

    def separate(self, *names: str) -> None:
        """Separates regions and waits for their stems."""
        n_before = self.n_placed
        self.select(*names)
        self.press("separate")
        self.confirm()
        self.wait_for_stems(n_before + 1)

    @property
    def n_placed(self) -> int:
        """How many jobs the script has placed."""
        return len(list(self.jobs.glob("*/placed")))

    def worker(self) -> psutil.Process | None:
        """The process that separates, if it is running."""
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if "stemdock_hostkit.worker" in process.cmdline() and process.environ().get("HOME") == str(
                    self.home
                ):
                    return process
        return None

    @contextmanager
    def held(self, *names: str, half_done: bool = False) -> Iterator[psutil.Process]:
        """Separates regions; the worker stands still meanwhile, from its start or when a part is done."""
        if former := self.worker():
            former.kill()
            wait_until(lambda: self.worker() is None, 20, "the end of the worker")
        self.select(*names)
        self.press("separate")
        self.confirm()
        worker = wait_until(self.worker, 60, "the worker")
        assert worker
        wait_until(lambda: list(self.jobs.glob("*/claim")), 60, "the job is taken")
        if half_done:
            (progress,) = self.jobs.glob("*/progress.jsonl")
            wait_until(lambda: '"fraction": 0.0,' not in progress.read_text().splitlines()[-1], 60, "a part")
        worker.suspend()
        yield worker
        with suppress(psutil.NoSuchProcess):
            worker.resume()

    def wait_for_stems(self, n_jobs: int = 1) -> None:
        wait_until(lambda: self.n_placed >= n_jobs, 120, "stems in the session")
        # The mark is set before the stems are placed.
        self.run('local say = ... say ("done")')

    def message(self, picture: str = "") -> None:
        """Closes a message of Stemdock's script."""
        window = self.dialog("^Stemdock in Ardour$")
        if picture:
            self.picture(picture)
        self.click(window, -60, -32)
        wait_until(lambda: not self.windows("^Stemdock in Ardour$"), 30, "the message is closed")

    def answer_yes(self, picture: str = "") -> None:
        """Answers Ardour's question before it removes tracks."""
        window = self.dialog("^Remove track")
        if picture:
            self.picture(picture)
        self.click(window, -60, -32)

    @contextmanager
    def small_disk(self, name: str) -> Iterator[Path]:
        """A folder in the home that is a small file system of its own."""
        folder = self.home / name
        folder.mkdir(exist_ok=True)
        mount = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(folder)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("needs the right to mount a file system")
        try:
            yield folder
        finally:
            self.stop()
            subprocess.run(["umount", "-l", str(folder)], check=True)

    @contextmanager
    def sandbox(self) -> Iterator[None]:
        """Ardour is set not to let scripts start programs."""
        settings, scripts = self.settings / "ui_config", self.settings / "ui_scripts"
        option = '<Option name="sandbox-all-lua-scripts" value="1"/>'
        settings.write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n<Ardour><UI>{option}</UI></Ardour>\n')
        before = scripts.read_bytes()
        try:
            yield
        finally:
            self.stop()
            settings.unlink()
            scripts.write_bytes(before)  # the runner needs what the sandbox lacks, so Ardour has dropped it
