"""Scenes about what people select, choose, press and have: systems, settings, cancelling."""

from __future__ import annotations

from support.reaper_model.gfx import ESCAPE
from support.reaper_model.objects import Source, state_of
from support.reaper_model.scenes import (
    SetStage,
    assert_stems,
    assert_told,
    assert_untouched,
    one_item,
    scene,
)
from support.reaper_model.stage import SETTINGS


@scene
def nothing_selected_is_told(set_stage: SetStage) -> None:
    stage, item = one_item(set_stage)
    item.values["B_UISEL"] = 0.0
    stage.run()
    assert_told(stage, "No item is selected", "Select")
    assert stage.host.commands == []
    assert stage.media_files() == []


@scene
def midi_and_empty_items_are_refused_with_what_to_do(set_stage: SetStage) -> None:
    for source in (Source("MIDI"), Source("MIDIPOOL"), Source("EMPTY"), Source(""), None):
        stage = set_stage()
        stage.add_item(stage.add_track(), source)
        before = state_of(stage.project.tracks)
        stage.run()
        assert_untouched(stage, before)
        is_midi = source is not None and source.kind.startswith("MIDI")
        hint = "Item: Apply track/take FX to items" if is_midi else "it has no audio to separate"
        assert_told(stage, "The selected items cannot be separated", hint)
    stage, item = one_item(set_stage)
    stage.add_item(stage.project.tracks[0], Source("MIDI"), item_d_position=20.0).sole_take.name = "Piano"
    stage.add_item(stage.project.tracks[0], None, item_d_position=20.0).takes.clear()
    stage.run()
    assert_stems(stage, item)
    assert_told(stage, "Piano: MIDI has no audio", "Apply track/take FX", "an empty item has no audio")


@scene
def a_file_that_is_missing_is_named(set_stage: SetStage) -> None:
    stage, item = one_item(set_stage)
    path = stage.folder / "moved away.wav"
    stage.add_item(stage.project.tracks[0], Source("WAVE", str(path), samples=item.sole_source.samples))
    stage.run()
    assert_stems(stage, item)
    assert_told(stage, "its file is missing", str(path))


@scene
def what_the_stems_lack_is_said(set_stage: SetStage) -> None:
    stage, item = one_item(set_stage)
    item.sole_take.n_envelopes = item.sole_take.n_fx = 1
    stage.add_item(
        stage.project.tracks[0], stage.noise("b.wav"), item_d_position=20.0, item_d_length=1.0
    ).sole_take.n_fx = 2
    stage.project.tracks[0].n_fx = 1
    stage.run()
    assert_told(
        stage,
        "Söng of it's own: take envelopes and take FX are not copied",
        "b: take FX are not copied",
        "Band: track FX are not copied",
    )


@scene
def escape_or_closing_the_window_cancels(set_stage: SetStage) -> None:
    for way in ("escape", "close", "terminate"):
        stage, _ = one_item(set_stage)
        before = state_of(stage.project.tracks)
        stage.patience = 10_000
        stage.start()
        assert stage.host.options == [1]
        folder = stage.wait_for_worker()
        stage.cycle(3)
        assert not (folder / "cancel").exists()
        if way == "escape":
            stage.host.window.keys.append(ESCAPE)
        elif way == "close":
            stage.host.window.close()
        else:
            stage.host.terminate()
        stage.cycle(2)
        assert not stage.host.is_running
        assert (folder / "cancel").exists()
        assert_untouched(stage, before)
        assert stage.host.messages == []
        assert not stage.host.window.is_open
        stage.check()


@scene
def cancelling_while_audio_is_read_leaves_nothing(set_stage: SetStage) -> None:
    stage = set_stage()
    track = stage.add_track()
    for number in range(2):
        song = Source.from_file(stage.noise(f"{number}.wav", seconds=40), "VIDEO")
        stage.add_item(track, song, item_d_length=40.0, item_d_position=50.0 * number)
    stage.start()
    jobs = stage.resources / "Stemdock" / "jobs"
    while not list(jobs.glob("*/s2.wav")):
        stage.cycle()
    stage.host.window.keys.append(ESCAPE)
    stage.finish()
    stage.check()
    assert not list(jobs.glob("*/*"))
    assert stage.host.commands == []


@scene
def closing_the_window_at_the_end_keeps_the_stems(set_stage: SetStage) -> None:
    stage, item = one_item(set_stage)
    stage.project.tracks[0].n_fx = 1
    stage.start()
    while not stage.project.undo:
        stage.cycle()
    stage.host.window.close()
    stage.finish()
    stage.check()
    assert len(stage.project.tracks) == 4
    assert item.values["B_MUTE"] == 1
    assert_told(stage, "track FX")
    assert not (stage.jobs[0] / "cancel").exists()


@scene
def progress_is_shown_and_never_goes_back(set_stage: SetStage) -> None:
    stage, _ = one_item(set_stage)
    stage.run()
    window = stage.host.window
    assert window.was_opened
    assert ["Starting: 0 %", "To cancel, press Esc or close this window."] in window.shown
    assert all(len(frame) == 2 for frame in window.shown)
    widths = [
        bars[2] for bars, texts in zip(window.bars, window.shown, strict=True) if "Drawing" not in texts[0]
    ]
    assert widths == sorted(widths)
    assert all(0 <= width <= window.variables["w"] for width in widths)


@scene
def without_a_window_the_end_is_told(set_stage: SetStage) -> None:
    stage, item = one_item(set_stage)
    stage.host.ext_state["Stemdock", "window"] = "no"
    stage.run()
    assert_stems(stage, item)
    assert not stage.host.window.was_opened
    assert_told(stage, "The stems are in the project.")


@scene
def settings_are_asked_for_until_they_make_sense(set_stage: SetStage) -> None:
    stage = set_stage()
    stage.host.dialogs = ["4stems,vocals,perhaps,yes", ",,,", "My-Band, vocals+Drums ,No, YES"]
    stage.run(SETTINGS)
    assert {key: value for (_, key), value in stage.host.ext_state.items()} == {
        "model": "My-Band", "stems": " vocals+drums ", "mute": "no", "window": "yes",
    }  # fmt: skip
    assert len(stage.host.messages) == 2
    stage.host.dialogs = [None]
    stage.host.ext_state.clear()
    stage.run(SETTINGS)
    assert stage.host.ext_state == {}


@scene
def chosen_settings_are_the_ones_used(set_stage: SetStage) -> None:
    stage, item = one_item(set_stage)
    stage.host.dialogs = ["2stems,vocals+accompaniment,no,yes"]
    stage.run(SETTINGS)
    stage.run()
    assert stage.job()["stems"] == ["vocals", "accompaniment"]
    assert item.values["B_MUTE"] == 0
    assert_stems(stage, item)
