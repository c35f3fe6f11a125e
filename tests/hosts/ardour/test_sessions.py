"""Sessions of `separate --as ardour`, opened, saved and exported by a real Ardour without a window."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from hosts.ardour.studio import ardour_version
from stemdock import Output, Plugins, Separator, separate_file
from stemdock.output.colors import COLORS, GREY
from support.display import wait_until
from support.small_model import SmallPlugin, small_card, write_noise

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from stemdock import SeparatedFile

pytestmark = pytest.mark.slow

# Prints the session as Ardour has read it, and then a mark, because Ardour may crash at its end.
_REPORT = """
local function say (...)
  local fields = table.pack (...)
  for index = 1, fields.n do fields[index] = tostring (fields[index]) end
  print (table.concat (fields, "\\t"))
end
assert (AudioEngine:set_backend ("None (Dummy)", "", ""))
AudioEngine:set_sample_rate (tonumber (arg[3]))
local session = assert (load_session (arg[1], arg[2]), "no session")
say ("session", session:name (), session:nominal_sample_rate (), session:current_start_sample (),
  session:current_end_sample ())
local memory = ARDOUR.DSP.DspShm (8)
for route in session:get_routes ():iter () do
  local track = route:to_track ()
  if not track:isnil () then
    say ("track", route:name (), route:muted (), route:presentation_info_ptr ():color (),
      route:presentation_info_ptr ():order (), route:n_outputs ():n_audio ())
    for region in track:playlist ():region_list ():iter () do
      say ("region", region:name (), region:position ():samples (), region:start ():samples (),
        region:length ():samples (), region:to_audioregion ():n_channels ())
      for channel = 0, region:to_audioregion ():n_channels () - 1 do
        local file = region:source (channel):to_filesource ()
        region:to_audioregion ():to_readable ():read (memory:to_float (0), tonumber (arg[4]), 8, channel)
        local samples = {}
        local array = memory:to_float (0):array ()
        for index = 1, 8 do samples[index] = string.format ("%.9g", array[index]) end
        say ("source", file:path (), file:channel (), table.concat (samples, " "))
      end
    end
  end
end
say ("saved", session:save_state (""))
say ("end")
close_session ()
quit ()
"""
_PLACE = 9000
"""Where samples are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ardour:
    """Its programs that need no window."""

    version: int
    home: Path

    def run(self, program: str, *words: object) -> str:
        done = subprocess.run(
            [f"ardour{self.version}-{program}", *map(str, words)],
            env={**os.environ, "HOME": str(self.home), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        return done.stdout

    def report(self, session: Path, sample_rate: int) -> list[list[str]]:
        """Opens and saves a session."""
        script = self.home / "report.lua"
        script.write_text(_REPORT)

        def rows() -> list[list[str]]:
            # On a busy machine, Ardour's program for scripts sometimes aborts.
            output = self.run("lua", script, session.parent, session.stem, sample_rate, _PLACE)
            lines = [line.split("\t") for line in output.splitlines()]
            return lines if ["end"] in lines else []

        found = wait_until(rows, 100, "Ardour opens the session")
        kinds = ("session", "track", "region", "source", "saved")
        return [row for row in found if row[0] in kinds]

    def exported(self, session: Path) -> NDArray[np.float32]:
        """What is heard, from the start to the end of the session."""
        path = self.home / "exported.wav"

        def sound() -> list[NDArray[np.float32]]:
            path.unlink(missing_ok=True)
            self.run("export", "-b", "float", "-o", path, session.parent, session.stem)
            return [soundfile.read(path, dtype="float32", always_2d=True)[0]] if path.exists() else []

        return wait_until(sound, 100, "Ardour exports the session")[0]


@pytest.fixture(scope="session")
def ardour(tmp_path_factory: pytest.TempPathFactory) -> Ardour:
    if shutil.which("ardour") is None or shutil.which("dpkg-query") is None:
        pytest.skip("needs ardour")
    return Ardour(version=ardour_version(), home=tmp_path_factory.mktemp("home"))


def separated(folder: Path, name: str, sample_rate: int, n_channels: int, **output: Any) -> SeparatedFile:
    (folder / "model").mkdir()
    plugins = Plugins()
    plugins.register(SmallPlugin(folder / "model", small_card(n_channels=n_channels)), "small")
    song = write_noise(folder / f"{name}.wav", sample_rate=sample_rate, n_channels=n_channels)
    chosen = Output(format="ardour", **output)
    return separate_file(Separator("small", plugins=plugins), song, folder / "out", output=chosen)


def samples(path: Path) -> NDArray[np.float32]:
    found: NDArray[np.float32] = soundfile.read(path, dtype="float32", always_2d=True)[0]
    return found


@pytest.mark.parametrize(
    ("name", "sample_rate", "n_channels", "codec"),
    [
        ("it's & ünï 東京; 100%", 44100, 2, "wav"),
        ("flac", 96000, 2, "flac"),
        ("mono", 48000, 1, "wav"),
    ],
)
def test_ardour_opens_saves_and_plays_a_session(
    ardour: Ardour, tmp_path: Path, name: str, sample_rate: int, n_channels: int, codec: Any
) -> None:
    mixes = {"Master": ("low", "high"), "it's & quiet": ("low:-6dB",)}
    made = separated(tmp_path, name, sample_rate, n_channels, codec=codec, mixes=mixes)
    session = made.packages["ardour"]
    sounds = {name: path for name, path in made.files.items() if path != session}
    before = {path: path.read_bytes() for path in sounds.values()}
    written = session.read_bytes()

    rows = ardour.report(session, sample_rate)
    assert rows[0] == ["session", name, str(sample_rate), "0", "16000"]
    assert rows[-1] == ["saved", "0"]
    tracks = [row[1:] for row in rows if row[0] == "track"]
    colors = [str(int(f"{color[1:]}FF", 16)) for color in (GREY, *COLORS[:2], GREY, GREY)]
    names = ["mixture", "low", "high", "Master 2", "it's & quiet"]
    mutes = ["true", "false", "false", "true", "true"]
    numbers = map(str, range(1, 6))
    expected = [list(row) for row in zip(names, mutes, colors, numbers, "22222", strict=True)]
    assert tracks == expected
    assert [row[1:] for row in rows if row[0] == "region"] == [
        [name, "0", "0", "16000", str(n_channels)] for name in names
    ]
    sources = [row[1:] for row in rows if row[0] == "source"]
    assert [(path, channel) for path, channel, _ in sources] == [
        (str(sounds[sound]), str(channel))
        for sound in ("(mixture)", "low", "high", "Master", "it's & quiet")
        for channel in range(n_channels)
    ]
    for path, channel, read in sources:
        stem = samples(type(session)(path))[_PLACE : _PLACE + 8, int(channel)]
        np.testing.assert_allclose([float(sample) for sample in read.split()], stem, rtol=0, atol=1e-7)

    assert session.read_bytes() != written
    assert ardour.report(session, sample_rate) == rows
    assert {path: path.read_bytes() for path in before} == before

    # Ardour's panner lowers a mono track by about 3 dB in both channels.
    gain, tolerance = (1, 1e-6) if n_channels == 2 else (2**-0.5, 1e-3)
    heard = (samples(made.stems["low"]) + samples(made.stems["high"])) * gain
    exported = ardour.exported(session)
    assert exported.shape == (16000, 2)
    np.testing.assert_allclose(exported, np.broadcast_to(heard, (16000, 2)), rtol=0, atol=tolerance)
