"""What can be in a session, and what can happen meanwhile."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from stemdock import Separator
from support.display import wait_until

if TYPE_CHECKING:
    from hosts.ardour.studio import Studio

SONG = Path(__file__).resolve().parents[2] / "data/audio_example.mp3"
NAME = "audio_example"
SANDBOX_SINCE = 8


def noise(path: Path, *, seconds: float = 2, n_channels: int = 2, sample_rate: int = 44100) -> Path:
    samples = np.random.default_rng(1).uniform(-0.3, 0.3, (round(seconds * sample_rate), n_channels))
    soundfile.write(path, samples.astype(np.float32), sample_rate, subtype="FLOAT")
    return path


# Puts a copy of a track's region on the same track.
COPY = """
    local playlist = Session:route_by_name ("{track}"):to_track ():playlist ()
    local first
    for region in playlist:region_list ():iter () do first = region end
    local copy = ARDOUR.RegionFactory.clone_region (first, true, false)
    copy:set_name ("{name}")
    playlist:add_region (copy, Temporal.timepos_t ({position}), 1, false, 0, 0, false)
"""

MUTE = """
    local track = Session:route_by_name ("{track}")
    track:mute_control ():set_value (1, PBD.GroupControlDisposition.NoGroup)
"""


def placed(studio: Studio) -> list[list[str]]:
    """Track, position, start, length and mute of the regions on the tracks of stems."""
    return [[row[0], *row[2:]] for row in studio.regions() if row[0].endswith(("Vocals", "Accompaniment"))]


def test_a_mono_file_of_another_rate_than_the_session(studio: Studio, tmp_path: Path) -> None:
    studio.new_session("rates", 48000)
    studio.bring_in(noise(tmp_path / "mono.wav", n_channels=1))
    studio.with_region("mono", "region:set_position (Temporal.timepos_t (4801))")
    studio.separate("mono")
    assert placed(studio) == [
        ["mono Vocals", "4801", "0", "96000", "false"],
        ["mono Accompaniment", "4801", "0", "96000", "false"],
    ]


def test_an_embedded_file(studio: Studio) -> None:
    studio.new_session("embedded")
    studio.bring_in(SONG, embed=True)
    (original,) = studio.regions()
    studio.separate(original[1])
    assert {row[3] for row in placed(studio)} == {original[4]}
    assert not list(studio.jobs.glob("*/stems/*"))  # the session has copies
    # Both channels are in one file.
    expected = Separator().separate(studio.audio(original[1]))
    for stem in ("Vocals", "Accompaniment"):
        np.testing.assert_array_equal(studio.audio(f"{original[1]} {stem}"), expected[stem.lower()])


def test_a_sum_of_stems(studio: Studio, tmp_path: Path) -> None:
    studio.new_session("sums")
    studio.bring_in(noise(tmp_path / "band.wav"))
    # What the dialog remembers.
    settings = studio.settings / "stemdock/settings.tsv"
    settings.write_text("what\t2stems: vocals\nsums\taccompaniment + vocals,\n")
    try:
        studio.separate("band")
    finally:
        settings.unlink()
    assert studio.tracks() == ["band", "band Vocals", "band Accompaniment+vocals"]
    stems = Separator().separate(studio.audio("band"))
    np.testing.assert_array_equal(studio.audio("band Vocals"), stems["vocals"])
    total = np.sum(list(stems.values()), axis=0)
    np.testing.assert_allclose(studio.audio("band Accompaniment+vocals"), total, atol=1e-6)


def test_regions_on_several_tracks_that_overlap_or_are_muted(studio: Studio, tmp_path: Path) -> None:
    studio.new_session("several")
    for name in ("one", "two"):
        studio.bring_in(noise(tmp_path / f"{name}.wav"))
    studio.run(COPY.format(track="one", name="again", position=44100))
    studio.run(
        'Session:route_by_name ("two"):mute_control ():set_value (1, PBD.GroupControlDisposition.NoGroup)'
    )
    studio.separate("one", "two", "again")
    studio.picture("several")
    tracks = [name for one in ("one", "two") for name in (one, f"{one} Vocals", f"{one} Accompaniment")]
    assert studio.tracks() == tracks
    assert placed(studio) == [
        [f"{track} {stem}", position, "0", "88200", "false"]
        for track, positions in (("one", ["0", "44100"]), ("two", ["0"]))
        for stem in ("Vocals", "Accompaniment")
        for position in positions
    ]
    assert [row[5] for row in studio.regions() if row[0] in {"one", "two"}] == ["true"] * 3


def test_gain_and_envelope_go_to_the_stems(studio: Studio, tmp_path: Path) -> None:
    studio.new_session("gain")
    studio.bring_in(noise(tmp_path / "loud.wav"))
    studio.with_region("loud", """
        local audio = region:to_audioregion ()
        audio:set_scale_amplitude (0.5)
        audio:set_envelope_active (true)
        audio:envelope ():clear_list ()
        audio:envelope ():add (Temporal.timepos_t (0), 1, false, true)
        audio:envelope ():add (Temporal.timepos_t (44100), 0.25, false, true)
    """)  # fmt: skip
    studio.separate("loud")
    rows = studio.run("""
        local say = ...
        for route in Session:get_tracks ():iter () do
          for region in route:to_track ():playlist ():region_list ():iter () do
            local audio = region:to_audioregion ()
            say (audio:scale_amplitude (), audio:envelope_active (),
              audio:envelope ():eval (Temporal.timepos_t (22050)))
          end
        end
    """)
    assert len(rows) == 3
    assert rows[1] == rows[0]
    assert rows[2] == rows[0]


# No script can select a range, so the action's parts get a selection, on real tracks.
SEPARATE_RANGE = """
    local say = ...
    local empty = {{ iter = function () return function () end end }}
    local tracks = {{ iter = function () return Session:get_tracks ():iter () end }}
    local selection = {{
      regions = {{ regionlist = function () return empty end }},
      time = {{ start_sample = function () return {start} end, end_sample = function () return {end} end }},
      tracks = {{ routelist = function () return tracks end }},
    }}
    local editor = {{ get_selection = function () return selection end }}
    local scope = setmetatable ({{ Editor = editor }}, {{ __index = _ENV }})
    local folder = "{folder}"
    local loaded = {{ folder = folder }}
    local function part (name)
      loaded[name] = loaded[name] or assert (loadfile (folder .. "/" .. name .. ".lua", "t", scope)) (part)
      return loaded[name]
    end
    local pieces = part ("regions").selected ()
    for _, piece in ipairs (pieces) do
      say (piece.name, piece.position, piece.start, piece.length, #piece.channels)
    end
    part ("jobs").start (pieces, {{}}, {{ model = "2stems", mute = true, sums = "" }})
"""


def test_a_range_across_two_regions(studio: Studio, tmp_path: Path) -> None:
    studio.new_session("range")
    studio.bring_in(noise(tmp_path / "first.wav"))
    studio.with_region("first", """
        local audio = region:to_audioregion ()
        audio:set_scale_amplitude (0.5)
        audio:set_envelope_active (true)
        audio:envelope ():clear_list ()
        audio:envelope ():add (Temporal.timepos_t (0), 1, false, true)
        audio:envelope ():add (Temporal.timepos_t (88200), 0.5, false, true)
    """)  # fmt: skip
    studio.run(COPY.format(track="first", name="second", position=132300))
    before = studio.regions()
    values = {"start": 44100, "end": 176400, "folder": studio.settings / "stemdock"}
    rows = studio.run(SEPARATE_RANGE.format(**values))
    assert rows == [["first", "44100", "44100", "44100", "2"], ["second", "132300", "0", "44100", "2"]]
    studio.wait_for_stems()
    assert [row[2:] for row in studio.regions() if row[0] == "first"] == [
        ["0", "0", "44100", "false"],
        ["44100", "44100", "44100", "true"],
        ["132300", "0", "44100", "true"],
        ["176400", "44100", "44100", "false"],
    ]
    # The regions of a track share the tracks of its stems.
    assert placed(studio) == [
        [f"first {stem}", position, "0", "44100", "false"]
        for stem in ("Vocals", "Accompaniment")
        for position in ("44100", "132300")
    ]
    # Halves of a curve from 1 to 0.5, which is no straight line.
    gains = studio.run("""
        local say = ...
        for region in Session:route_by_name ("first Vocals"):to_track ():playlist ():region_list ():iter () do
          local audio = region:to_audioregion ()
          for _, sample in ipairs ({ 0, 22050, 44100 }) do
            local value = audio:envelope ():eval (Temporal.timepos_t (sample))
            say (audio:scale_amplitude (), ("%.3f"):format (value))
          end
        end
    """)
    assert {gain for gain, _ in gains} == {"0.5"}
    curve = [float(value) for _, value in gains]
    assert curve[2:4] == [0.5, 1.0]
    assert curve[0] == pytest.approx(curve[5], abs=0.001)
    assert curve == sorted(curve[:3], reverse=True) + sorted(curve[3:], reverse=True)
    assert 0.65 < curve[0] < 0.8
    studio.run('Editor:access_action ("Editor", "undo")')
    assert studio.regions() == before


def test_another_region_of_a_track_uses_the_tracks_that_undo_left(studio: Studio, tmp_path: Path) -> None:
    studio.new_session("again")
    studio.bring_in(noise(tmp_path / "song.wav"))
    studio.run(COPY.format(track="song", name="more", position=132300))
    studio.separate("song")
    studio.separate("more")
    n_tracks = len(studio.tracks())
    studio.run('Editor:access_action ("Editor", "undo")')
    studio.separate("more")
    assert len(studio.tracks()) == n_tracks


def test_stem_tracks_are_removed(studio: Studio, tmp_path: Path) -> None:
    studio.new_session("removed")
    for name in ("one", "two"):
        studio.bring_in(noise(tmp_path / f"{name}.wav"))
    studio.run("""
        local group = Session:new_route_group ("Drum stems")
        Session:new_audio_track (2, 2, group, 1, "Toms", 99, ARDOUR.TrackMode.Normal, false)
    """)
    studio.separate("one", "two")
    everything = studio.tracks()
    # Without a selection, the stem tracks that Undo leaves; here are none, and no track of others counts.
    studio.run("Editor:deselect_all ()")
    studio.press("remove")
    studio.message()
    assert studio.tracks() == everything
    # The track that was separated first is selected, with its stems on the next ones.
    studio.run("""
        while true do
          Editor:access_action ("Editor", "select-next-route")
          for route in Editor:get_selection ().tracks:routelist ():iter () do
            if route:name () == "one" then return end
          end
        end
    """)
    studio.press("remove")
    studio.answer_yes("remove")
    wait_until(lambda: len(studio.tracks()) == 5, 30, "the tracks have gone")
    assert studio.tracks() == ["one", "two", "two Vocals", "two Accompaniment", "Toms"]
    studio.run("""
        for route in Session:get_tracks ():iter () do
          local playlist = route:to_track ():playlist ()
          if route:name ():match ("^two .") then
            for region in playlist:region_list ():iter () do playlist:remove_region (region) end
          end
        end
        Editor:deselect_all ()
    """)
    studio.press("remove")
    studio.answer_yes()
    wait_until(lambda: len(studio.tracks()) == 3, 30, "the tracks have gone")
    assert studio.tracks() == ["one", "two", "Toms"]


def test_a_region_that_has_gone_meanwhile(studio: Studio, tmp_path: Path) -> None:
    studio.new_session("gone")
    studio.bring_in(noise(tmp_path / "lost.wav"))
    with studio.held("lost"):
        studio.run("""
            local playlist = Session:route_by_name ("lost"):to_track ():playlist ()
            for region in playlist:region_list ():iter () do playlist:remove_region (region) end
        """)
    studio.message()
    assert placed(studio) == [
        ["lost Vocals", "0", "0", "88200", "false"],
        ["lost Accompaniment", "0", "0", "88200", "false"],
    ]


def test_a_session_that_is_renamed_meanwhile(studio: Studio, tmp_path: Path) -> None:
    studio.new_session("before")
    studio.bring_in(noise(tmp_path / "moved.wav", seconds=120))
    with studio.held("moved", half_done=True):
        studio.run('assert (Session:rename ("after") == 0)')
    studio.wait_for_stems()
    studio.session = studio.session.with_name("after")
    assert {row[3] for row in placed(studio)} == {str(120 * 44100)}
    assert len(placed(studio)) == 2


def test_a_full_disk(studio: Studio, tmp_path: Path) -> None:
    with studio.small_disk("full") as disk:
        studio.new_session("full/session")
        studio.bring_in(noise(tmp_path / "big.wav", seconds=20))
        with studio.held("big"):
            filler = disk / "filler"
            with filler.open("wb", buffering=0) as file, suppress(OSError):
                while True:
                    file.write(b"\0" * 65536)
        studio.message()
        studio.picture("full")
        assert len(studio.regions()) == 1
        # The stems are where the message says.
        assert len(list(studio.jobs.glob("*/stems/*.wav"))) == 2
        filler.unlink()
        studio.separate("big")
        assert len(placed(studio)) == 2
        studio.stop()


def test_combined_regions_are_refused(studio: Studio, tmp_path: Path) -> None:
    studio.new_session("combined")
    studio.bring_in(noise(tmp_path / "part.wav"))
    studio.run(COPY.format(track="part", name="other", position=88200))
    studio.select("part", "other")
    studio.run('Editor:access_action ("Region", "combine-regions")')
    (region,) = studio.regions()
    studio.select(region[1])
    studio.press("separate")
    studio.message("combined")
    assert len(studio.regions()) == 1


def test_a_sandbox_is_told(studio: Studio, tmp_path: Path) -> None:
    if studio.version < SANDBOX_SINCE:
        pytest.skip(f"Ardour has this setting since version {SANDBOX_SINCE}")
    studio.new_session("sandbox")
    studio.bring_in(noise(tmp_path / "boxed.wav"))
    studio.stop()
    with studio.sandbox():
        studio.start(has_runner=False)
        for _ in range(2):  # the action stays on its button
            studio.press_button()
            studio.message("sandbox")
        assert "sandbox-all-lua-scripts" in studio.cli("ardour", "doctor").stdout


def test_a_region_that_is_moved_meanwhile(studio: Studio, tmp_path: Path) -> None:
    studio.new_session("moving")
    studio.bring_in(noise(tmp_path / "moving.wav"))
    with studio.held("moving"):
        studio.with_region("moving", "region:set_position (Temporal.timepos_t (22050))")
    studio.wait_for_stems()
    assert [row[2:] for row in studio.regions() if row[0] == "moving"] == [["22050", "0", "88200", "true"]]
    assert {row[1] for row in placed(studio)} == {"0"}


def test_an_ardour_that_is_killed_finds_its_stems_later(studio: Studio, tmp_path: Path) -> None:
    """The program that waits for the worker is killed with it, as at a logout."""
    studio.new_session("killed")
    studio.bring_in(noise(tmp_path / "kept.wav"))
    studio.save()
    with studio.held("kept"):
        studio.stop()
    wait_until(lambda: list(studio.jobs.glob("*/result.json")), 60, "the worker's result")
    assert not list(studio.jobs.glob("*/result.tsv"))
    studio.start()
    studio.wait_for_stems()
    assert len(placed(studio)) == 2


def test_a_cancelled_separation_leaves_nothing(studio: Studio, tmp_path: Path) -> None:
    studio.new_session("cancelled")
    studio.bring_in(noise(tmp_path / "quiet.wav"))
    with studio.held("quiet"):
        studio.click(studio.dialog("^Stemdock$"), -78, -33)
    wait_until(lambda: not list(studio.jobs.glob("*/request.tsv")), 60, "the job has gone")
    assert len(studio.regions()) == 1


def test_a_killed_worker_is_told(studio: Studio, tmp_path: Path) -> None:
    studio.new_session("worker")
    studio.bring_in(noise(tmp_path / "cut.wav"))
    with studio.held("cut") as worker:
        worker.kill()
    studio.wait_for_stems()
    studio.picture("failed")
    assert len(studio.regions()) == 1
    (result,) = studio.jobs.glob("*/result.json")
    assert "interrupted" in result.read_text()
    assert studio.windows("^Stemdock$")


@pytest.mark.parametrize("what", ["nothing", "no script", "no access"])
def test_what_cannot_be_done_is_said(studio: Studio, tmp_path: Path, what: str) -> None:
    studio.new_session("refused")
    studio.bring_in(noise(tmp_path / "some.wav"))
    script = studio.settings / "stemdock/start.lua"
    if what == "no script":
        studio.select("some")
        script.rename(script.with_suffix(".away"))
    elif what == "no access":
        studio.select("some")
        (studio.session / ".stemdock-test").mkdir()  # cannot be opened for writing, not even by root
    else:
        studio.select()
    try:
        for _ in range(2):  # the action stays on its button
            studio.press("separate")
            studio.message()
    finally:
        if what == "no script":
            script.with_suffix(".away").rename(script)
