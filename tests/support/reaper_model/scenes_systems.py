"""Scenes about the systems that people have: old versions, Windows, sandboxes, odd paths."""

from __future__ import annotations

from support.reaper_model.objects import Source, state_of
from support.reaper_model.scenes import (
    SetStage,
    assert_stems,
    assert_told,
    assert_untouched,
    one_item,
    scene,
)


@scene
def it_runs_in_the_oldest_version_too(set_stage: SetStage) -> None:
    stage, item = one_item(set_stage, version="6.47")
    stage.run()
    assert_stems(stage, item)


@scene
def it_runs_on_windows(set_stage: SetStage) -> None:
    stage, item = one_item(set_stage, system="Win64")
    video = Source.from_file(stage.noise("b.wav"), "VIDEO")
    other = stage.add_item(stage.add_track("B"), video, item_d_position=1.0, item_d_length=3.0)
    stage.run()
    assert_stems(stage, item)
    assert_stems(stage, other, number=1, plain=False)
    stage.patience = 1000
    stage.jobs.clear()
    stage.start()
    folder = stage.wait_for_worker()
    stage.host.terminate()
    assert (folder / "cancel").exists()


@scene
def every_path_reaches_the_worker_as_it_is(set_stage: SetStage) -> None:
    names = {
        "Other": ["plain", "two  blanks", "it's", 'say "hi"', 'it\'s "both"', "a`b", "back\\slash"],
        "macOS-arm64": ["it's"],
        "Win64": [
            "plain",
            "two  blanks",
            "it's",
            "a`b",
            "C:\\Program Files\\x",
            "ends in \\",
            "per%cent%",
            "a&b",
        ],
    }
    for system, texts in names.items():
        for text in texts:
            stage, _ = one_item(set_stage, system=system)
            program = stage.folder / "program"
            program.touch()
            stage.command = [str(program), text, "work"]
            stage.configure({"command": stage.command})
            stage.run()
            assert len(stage.host.commands) == 1, text


@scene
def a_path_that_reaper_cannot_pass_on_is_told(set_stage: SetStage) -> None:
    stage, _ = one_item(set_stage)
    program = stage.folder / "program"
    program.touch()
    stage.configure({"command": [str(program), "'\"`"]})
    before = state_of(stage.project.tracks)
    stage.run()
    assert_untouched(stage, before)
    assert_told(stage, "all three kinds of quotation marks", "Rename")
    assert stage.host.commands == []


@scene
def a_served_job_waits_for_whoever_does_it(set_stage: SetStage) -> None:
    stage, item = one_item(set_stage)
    stage.configure({"command": []})
    stage.start()
    stage.cycle(30 * 90)
    assert stage.host.commands == []
    assert any("plugin-cli reaper serve" in text for text in stage.host.window.shown[-1])
    (folder,) = (stage.resources / "Stemdock" / "jobs").iterdir()
    stage.known_worker(folder)
    stage.finish()
    stage.check()
    assert_stems(stage, item)
