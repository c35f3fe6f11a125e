"""Scenes about what a project plays before and after, and about audio that REAPER does not give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from support.reaper_model.objects import Source, state_of
from support.reaper_model.scenes import (
    SetStage,
    assert_fails,
    assert_stems,
    assert_told,
    assert_untouched,
    one_item,
    scene,
)
from support.reaper_model.signalflow import played

if TYPE_CHECKING:
    from support.reaper_model.stage import Stage

TIMES = np.arange(0, 10, 1 / 800)
STRIPS: tuple[dict[str, float], ...] = (
    {},
    {"D_VOL": 0.5, "D_PAN": -0.3},
    {"B_PHASE": 1.0, "D_PANLAW": 0.5},
    {"I_PANMODE": 5.0, "D_WIDTH": -0.5, "D_PAN": 0.5},
    {"B_MUTE": 1.0},
    {"B_MAINSEND": 0.0},
    {"I_SOLO": 1.0},
)
LAYOUTS: tuple[tuple[tuple[int, ...], int], ...] = (
    ((0, 0), 0), ((1, -1, 0), 0), ((1, -1, 0), 1), ((1, 1, -2, 0), 1), ((1, 1, -2, 0), 2), ((1, 0, -1), 1),
)  # fmt: skip
"""Folder depths, and the track of the item."""


def _sounds_as_before(stage: Stage, before: np.ndarray, case: object) -> None:
    np.testing.assert_allclose(played(stage.project, TIMES), before, atol=2e-6, err_msg=str(case))


@scene
def the_master_plays_the_stems_as_it_played_the_original(set_stage: SetStage) -> None:
    for depths, index in LAYOUTS:
        for number, strip in enumerate(STRIPS):
            stage = set_stage()
            stage.project.pan_law = 0.7
            tracks = [stage.add_track(f"T{i}", depth) for i, depth in enumerate(depths)]
            tracks[0].values.update(D_VOL=0.8, D_PAN=0.1)
            tracks[index].values.update(strip)
            stage.add_item(
                tracks[index], stage.noise(seconds=4), item_d_position=1.0, item_d_length=3.0, item_d_vol=0.7,
                take_d_vol=-0.5, take_d_pan=0.25,
            )  # fmt: skip
            before = played(stage.project, TIMES)
            assert before.any() != (number in {4, 5})
            stage.run()
            assert [step.name for step in stage.project.undo] == ["Separate items into stems"]
            _sounds_as_before(stage, before, (depths, index, strip))
            assert stage.host.messages == []


@scene
def what_a_track_has_beyond_its_fader_is_said(set_stage: SetStage) -> None:
    stage = set_stage()
    folder, plain = stage.add_track("Folder", 1), stage.add_track("Plain", -1)
    for track in (folder, plain):
        track.n_fx = track.n_envelopes = track.n_sends = track.n_hardware_outputs = 1
        stage.add_item(track, stage.noise(f"{track.name}.wav"), item_d_length=3.0)
    stage.run()
    # Stems inside the folder pass through all of it.
    assert_told(
        stage, "Plain: track FX, track envelopes, sends and hardware outputs are not copied to the stems."
    )
    assert "Folder:" not in stage.host.messages[0]


@scene
def muted_items_and_lanes_are_said(set_stage: SetStage) -> None:
    for lane, is_muted, told in (
        (0, False, "its lane does not play, but its stems do"), (-1, False, "its lane does not play"),
        (1, False, None), (2, False, None), (1, True, "it is muted, but its stems are not"),
    ):  # fmt: skip
        stage, item = one_item(set_stage)
        stage.project.tracks[0].values["I_FREEMODE"] = 0.0 if lane < 0 else 2.0
        item.values.update(C_LANEPLAYS=float(lane), B_MUTE=float(is_muted))
        stage.run()
        assert_stems(stage, item)
        if told:
            assert_told(stage, told)
        else:
            assert stage.host.messages == []


@scene
def offline_media_is_noticed_before_anything_changes(set_stage: SetStage) -> None:
    for kind in ("VIDEO", "section"):
        stage, item = one_item(set_stage)
        source = item.sole_source
        if kind == "section":
            item.sole_take.source = Source("SECTION", parent=source, offset=1.0, section_length=9.0)
        else:
            source.kind = kind
        source.is_offline = True
        assert_fails(stage, "REAPER gave no audio", "offline")
        assert stage.host.commands == []
        assert item.values["B_MUTE"] == 0


@scene
def media_that_goes_offline_while_it_is_read_is_left_out(set_stage: SetStage) -> None:
    for problem in ("offline", "error"):
        stage, item = one_item(set_stage)
        clip = Source.from_file(stage.noise("clip.wav", seconds=60), "VIDEO")
        other = stage.add_item(stage.project.tracks[0], clip, item_d_position=20.0, item_d_length=60.0)
        stage.host.reading_speed = 1e5
        stage.host.slowest_cycle = 1.0
        stage.start()
        stage.cycle(4)
        assert stage.host.accessors
        assert not stage.jobs
        if problem == "offline":
            clip.is_offline = True
        else:
            stage.host.broken_files.add(clip.path)
        stage.finish()
        stage.check()
        assert_stems(stage, item)
        assert_told(stage, "clip: REAPER gave no audio")
        assert other.values["B_MUTE"] == 0


@scene
def silence_around_a_source_is_not_taken_for_offline_media(set_stage: SetStage) -> None:
    stage = set_stage()
    clip = Source.from_file(stage.noise(seconds=5), "VIDEO")
    item = stage.add_item(stage.add_track(), clip, item_d_length=14.0, take_d_startoffs=-4.5)
    stage.run()
    assert_stems(stage, item, plain=False)
    assert stage.host.messages == []


@scene
def an_item_that_has_no_audio_in_the_selection_is_named(set_stage: SetStage) -> None:
    stage = set_stage()
    clip = Source.from_file(stage.noise(seconds=5), "VIDEO")
    stage.add_item(stage.add_track(), clip, item_d_length=4.0, take_d_startoffs=7.0)
    assert_fails(stage, "REAPER gave no audio")


@scene
def a_split_that_fails_takes_everything_back(set_stage: SetStage) -> None:
    for selection in ((6.0, 8.0), (0.0, 7.0), (6.0, 20.0)):
        stage, item = one_item(set_stage)
        stage.project.loop = selection
        stage.host.unsplittable.append(item)
        before = state_of(stage.project.tracks)
        stage.run()
        assert state_of(stage.project.tracks) == before
        assert_untouched(stage, before)
        assert_told(stage, "cannot split", "project was not changed")


@scene
def the_first_two_of_six_channels_are_separated(set_stage: SetStage) -> None:
    for mode in (0.0, 1.0):
        stage = set_stage()
        item = stage.add_item(
            stage.add_track(), stage.noise(channels=6), item_d_position=5.0, item_d_length=4.0,
            take_d_startoffs=2.0, take_i_chanmode=mode,
        )  # fmt: skip
        stage.run()
        assert_stems(stage, item, plain=False)
        assert_told(stage, "only the first 2 of its 6 channels are separated")


@scene
def missing_files_of_every_type_are_named(set_stage: SetStage) -> None:
    for kind in ("VIDEO", "", "MIDI", "RPP_PROJECT", "section"):
        stage = set_stage()
        path = str(stage.folder / "moved away.mid")
        source = Source("VIDEO" if kind == "section" else kind, path)
        if kind == "section":
            source = Source("SECTION", parent=source, section_length=5.0)
        stage.add_item(stage.add_track(), source, item_d_length=2.0)
        assert_fails(stage, "its file is missing", path)
        assert "MIDI has no audio" not in stage.host.messages[0]
