"""Scenes about where the stems go and what they sound like."""

from __future__ import annotations

from support.reaper_model.objects import Source
from support.reaper_model.scenes import SetStage, assert_stems, assert_told, scene

DECORATION = {
    "item_d_vol": 0.7, "item_d_fadeinlen": 0.2, "item_d_fadeoutlen": 0.3, "item_d_fadeinlen_auto": 0.05,
    "item_d_fadeoutlen_auto": 0.06, "item_d_fadeindir": 0.4, "item_d_fadeoutdir": -0.4,
    "item_c_fadeinshape": 3.0, "item_c_fadeoutshape": 4.0, "item_c_beatattachmode": 1.0,
    "take_d_vol": -0.5, "take_d_pan": 0.25, "take_d_panlaw": 0.5,
}  # fmt: skip


@scene
def items_of_one_file_share_a_separation(set_stage: SetStage) -> None:
    stage = set_stage()
    track, song = stage.add_track(), stage.noise()
    one = stage.add_item(
        track, song, item_d_position=3.0, item_d_length=4.0, take_d_startoffs=2.0, **DECORATION
    )
    two = stage.add_item(
        track, song, item_d_position=8.0, item_d_length=4.0, take_d_startoffs=5.0, take_d_playrate=1.25,
        take_d_pitch=-3.0, take_b_ppitch=0.0, take_i_pitchmode=589824.0,
    )  # fmt: skip
    stage.run()
    (source,) = stage.job()["sources"]
    assert (source["path"], source["start"], source["duration"]) == (str(song), 2.0, 8.0)
    assert_stems(stage, one, two)
    assert [item.values["B_MUTE"] for item in (one, two)] == [1, 1]
    assert stage.names() == [("Band", 0), ("Band - Stems", 1), ("Vocals", 0), ("Accompaniment", -1)]
    assert [step.name for step in stage.project.undo] == ["Separate items into stems"]
    assert stage.media_files() == ["Söng of it's own - Accompaniment.wav", "Söng of it's own - Vocals.wav"]
    assert stage.host.messages == []
    assert not list(stage.jobs[0].glob("*.part"))


@scene
def far_parts_of_a_file_are_separated_alone(set_stage: SetStage) -> None:
    stage = set_stage()
    track, song = stage.add_track(), stage.noise(seconds=40)
    late = stage.add_item(track, song, item_d_position=9.0, item_d_length=3.0, take_d_startoffs=35.0)
    within = stage.add_item(track, song, item_d_position=15.0, item_d_length=1.0, take_d_startoffs=36.0)
    early = stage.add_item(track, song, item_d_position=5.0, item_d_length=2.0, take_d_startoffs=1.0)
    near = stage.add_item(track, song, item_d_position=7.0, item_d_length=2.0, take_d_startoffs=9.0)
    stage.run()
    assert [(source["start"], source["duration"]) for source in stage.job()["sources"]] == [(1, 10), (35, 3)]
    assert_stems(stage, early, near, late, within)


@scene
def an_item_longer_than_its_file_ends_in_silence(set_stage: SetStage) -> None:
    stage = set_stage()
    item = stage.add_item(
        stage.add_track(),
        stage.noise(seconds=5),
        item_d_length=4.0,
        take_d_startoffs=3.0,
        item_d_position=1.0,
    )
    stage.run()
    assert stage.job()["sources"][0]["duration"] == 2
    assert_stems(stage, item)


@scene
def other_sources_are_rendered(set_stage: SetStage) -> None:
    for case in ("section", "reversed", "VIDEO", "RPP_PROJECT", "markers", "channels", "loop", "before"):
        stage = set_stage()
        song = Source.from_file(stage.noise())
        place = {"item_d_position": 7.0, "item_d_length": 3.0, "take_d_startoffs": 0.5}
        if case in {"section", "reversed"}:
            song = Source(
                "SECTION", parent=song, offset=2.0, section_length=6.0, is_reversed=case == "reversed"
            )
        elif case.isupper():
            song.kind = case
        if case == "loop":
            place |= {"item_b_loopsrc": 1.0, "take_d_startoffs": 18.0}
        if case == "before":
            place |= {"take_d_startoffs": -1.0}
        if case == "channels":
            place |= {"take_i_chanmode": 1.0}
        item = stage.add_item(stage.add_track(), song, **place, **DECORATION)
        if case == "markers":
            item.sole_take.n_stretch_markers = 2
        stage.run()
        (source,) = stage.job()["sources"]
        assert source["path"] == str(stage.jobs[0] / "s1.wav"), case
        assert source["start"] == 0
        assert_stems(stage, item, plain=False)
        assert item.values["B_MUTE"] == 1
        assert not (stage.jobs[0] / "s1.wav").exists()


@scene
def a_rendered_item_at_another_rate_is_not_slowed_twice(set_stage: SetStage) -> None:
    stage = set_stage()
    section = Source("SECTION", parent=Source.from_file(stage.noise()), offset=2.0, section_length=9.0)
    item = stage.add_item(
        stage.add_track(),
        section,
        item_d_position=7.0,
        item_d_length=4.0,
        take_d_playrate=2.0,
        take_d_pitch=1.0,
    )
    stage.run()
    assert_stems(stage, item, plain=False)


@scene
def mono_is_separated_too(set_stage: SetStage) -> None:
    stage = set_stage()
    song = stage.noise(channels=1)
    plain = stage.add_item(stage.add_track("A"), song, item_d_position=1.0, item_d_length=3.0)
    section = Source("SECTION", parent=Source.from_file(song), offset=2.0, section_length=6.0)
    other = stage.add_item(stage.add_track("B"), section, item_d_position=7.0, item_d_length=3.0)
    stage.run()
    assert_stems(stage, plain)
    assert_stems(stage, other, number=1, plain=False)


@scene
def only_the_time_selection_is_separated(set_stage: SetStage) -> None:
    for kind in ("WAVE", "VIDEO"):
        stage = set_stage()
        track, song = stage.add_track(), Source.from_file(stage.noise(), kind)
        item = stage.add_item(
            track, song, item_d_position=4.0, item_d_length=8.0, take_d_startoffs=1.0, take_d_playrate=1.5,
            **DECORATION,
        )  # fmt: skip
        outside = stage.add_item(track, stage.noise("other.wav"), item_d_position=20.0, item_d_length=3.0)
        stage.project.loop = (6.0, 9.0)
        whole = (dict(item.values), dict(item.sole_take.values))
        stage.run()
        # The original is cut at the edges, and only what was separated is muted.
        pieces = sorted(track.items, key=lambda piece: piece.values["D_POSITION"])
        assert [(p.values["D_POSITION"], p.end, p.values["B_MUTE"]) for p in pieces] == [
            (4.0, 6.0, 0.0), (6.0, 9.0, 1.0), (9.0, 12.0, 0.0), (20.0, 23.0, 0.0),
        ]  # fmt: skip
        assert outside.values["B_MUTE"] == 0
        item.values, item.sole_take.values = whole
        assert_stems(stage, item, plain=kind == "WAVE", first=2.0, last=5.0)
        assert_told(stage, "other", "outside the time selection")


@scene
def a_time_selection_over_the_end_of_an_item_keeps_that_fade(set_stage: SetStage) -> None:
    stage = set_stage()
    item = stage.add_item(
        stage.add_track(), stage.noise(), item_d_position=4.0, item_d_length=8.0, **DECORATION
    )
    stage.project.loop = (10.0, 30.0)
    whole = dict(item.values)
    stage.run()
    assert [p.values["B_MUTE"] for p in stage.project.tracks[0].items] == [0, 1]
    item.values = whole
    assert_stems(stage, item, first=6.0)


@scene
def originals_can_be_left_as_they_are(set_stage: SetStage) -> None:
    stage = set_stage()
    stage.host.ext_state["Stemdock", "mute"] = "no"
    track = stage.add_track()
    item = stage.add_item(track, stage.noise(), item_d_position=4.0, item_d_length=8.0)
    stage.project.loop = (6.0, 9.0)
    stage.run()
    assert track.items == [item]
    assert item.values["B_MUTE"] == 0
    assert_stems(stage, item, first=2.0, last=5.0)
