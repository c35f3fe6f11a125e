"""Scenes in which the program does not start, or falls silent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.reaper_model.scenes import SetStage, assert_fails, assert_stems, one_item, scene

if TYPE_CHECKING:
    from pathlib import Path


@scene
def a_program_that_does_not_start_is_told_in_time(set_stage: SetStage) -> None:
    for config, least, most in (({}, 55, 65), ({"start_timeout": 5}, 4, 7)):
        stage, _ = one_item(set_stage)
        stage.configure({"command": stage.command, **config})
        stage.worker = lambda _: None
        began = stage.host.clock
        assert_fails(stage, "did not start", stage.host.commands[0] if stage.host.commands else "", "doctor")
        assert stage.host.commands[0] in stage.host.messages[0]
        assert least < stage.host.clock - began < most
        # Should it start after all, it must not begin.
        assert (stage.jobs[0] / "cancel").exists()


@scene
def a_total_failure_of_execprocess_is_told_too(set_stage: SetStage) -> None:
    stage, _ = one_item(set_stage)
    stage.configure({"command": stage.command, "start_timeout": 5})
    stage.host.on_exec = lambda _: None
    assert_fails(stage, "did not start")


@scene
def a_program_that_is_gone_is_told_at_once(set_stage: SetStage) -> None:
    stage, _ = one_item(set_stage)
    stage.configure({"command": ["/gone/plugin-cli", "reaper", "work"]})
    began = stage.host.clock
    assert_fails(stage, "program does not exist: /gone/plugin-cli", "plugin-cli reaper install")
    assert stage.host.clock - began < 2
    assert stage.host.commands == []


@scene
def a_configuration_that_is_missing_or_damaged_is_told(set_stage: SetStage) -> None:
    for config in ("", "{", "[]", "7", '{"command": 7}', "{}", '{"command": "plugin-cli"}'):
        stage, _ = one_item(set_stage)
        stage.configure(config)
        assert_fails(stage, "damaged", "plugin-cli reaper install")
    stage, _ = one_item(set_stage)
    (stage.resources / "Stemdock" / "config.json").unlink()
    assert_fails(stage, "is not set up", "plugin-cli reaper install")


@scene
def a_silent_worker_is_waited_for_with_a_hint(set_stage: SetStage) -> None:
    stage, item = one_item(set_stage)

    def pausing(folder: Path) -> None:
        progress = folder / "progress.jsonl"
        if not progress.exists():
            progress.write_text('{"fraction": 0.25, "text": "Separating"}\n{"fraction": 0.5, "te')
            stage.pending.append((30 * 400, folder))
        else:
            progress.unlink()
            stage.known_worker(folder)

    stage.worker = pausing
    stage.start()
    stage.wait_for_worker()
    stage.cycle(30 * 100)
    assert not any("No progress" in text for frame in stage.host.window.shown for text in frame)
    stage.cycle(30 * 200)
    assert any("No progress for" in text for text in stage.host.window.shown[-1])
    assert "Separating: 50 %" not in stage.host.window.shown[-1]
    assert "Separating: 25 %" in stage.host.window.shown[-1]
    assert not (stage.jobs[0] / "cancel").exists()
    stage.finish(10_000)
    stage.check()
    assert_stems(stage, item)
    assert stage.host.messages == []


@scene
def a_line_that_arrives_in_two_parts_is_read_whole(set_stage: SetStage) -> None:
    stage, _ = one_item(set_stage)

    def half_a_line(folder: Path) -> None:
        (folder / "progress.jsonl").write_text('{"fraction": 0.5, "te')

    stage.worker = half_a_line
    stage.start()
    progress = stage.wait_for_worker() / "progress.jsonl"
    stage.cycle(10)
    assert stage.host.window.shown[-1][0] == "Starting: 0 %"
    progress.write_text(progress.read_text() + 'xt": "Separating"}\n')
    stage.cycle()
    assert stage.host.window.shown[-1][0] == "Separating: 50 %"
    stage.host.terminate()
    stage.check()


QUESTION = "The model 4stems is not installed. Download it once, about 39 MB from https://example.org?"


def _asking(folder: Path) -> None:
    line = {"state": "asking", "fraction": 0.0, "text": QUESTION, "remaining": None}
    (folder / "progress.jsonl").write_text(f"{json.dumps(line)}\n" * 2)


@scene
def a_model_is_downloaded_after_a_question(set_stage: SetStage) -> None:
    stage, item = one_item(set_stage)
    stage.worker = _asking
    stage.host.answers = [1]
    stage.start()
    folder = stage.wait_for_worker()
    stage.cycle(30 * 5)
    assert stage.host.questions == [QUESTION]
    assert (folder / "download").exists()
    assert not (folder / "cancel").exists()
    stage.known_worker(folder)
    stage.finish()
    stage.check()
    assert_stems(stage, item)
    assert stage.host.messages == []


@scene
def a_model_that_is_not_wanted_is_not_downloaded(set_stage: SetStage) -> None:
    stage, _ = one_item(set_stage)
    stage.worker = _asking
    stage.host.answers = [2]
    stage.start()
    folder = stage.wait_for_worker()
    stage.finish()
    stage.check()
    assert stage.host.questions == [QUESTION]
    assert not (folder / "download").exists()
    assert (folder / "cancel").exists()
    assert stage.host.messages == []


@scene
def the_remaining_time_is_shown_while_it_is_known(set_stage: SetStage) -> None:
    stage, _ = one_item(set_stage)
    stage.worker = lambda folder: (folder / "progress.jsonl").touch()
    stage.start()
    progress = stage.wait_for_worker() / "progress.jsonl"
    shown = {
        4.0: "a few seconds left",
        33.0: "about 35 s left",
        59.0: "about 1 min left",
        151.0: "about 3 min left",
    }
    for remaining, text in shown.items():
        line = {"state": "separating", "fraction": 0.5, "text": "Separating", "remaining": remaining}
        with progress.open("a") as file:
            file.write(f"{json.dumps(line)}\n")
        stage.cycle(10)
        assert text in stage.host.window.shown[-1]
    with progress.open("a") as file:
        file.write('{"state": "separating", "fraction": 0.6, "text": "Separating", "remaining": null}\n')
    stage.cycle(10)
    assert not any("left" in text for text in stage.host.window.shown[-1])
    stage.host.terminate()
    stage.check()
