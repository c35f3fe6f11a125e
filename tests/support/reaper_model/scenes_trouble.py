"""Scenes in which something goes wrong: the program, the disk, the result."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import soundfile

from support.reaper_model.objects import Source, UndoStep, state_of
from support.reaper_model.scenes import (
    SetStage,
    assert_fails,
    assert_stems,
    assert_told,
    assert_untouched,
    one_item,
    scene,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _answer(result: Any) -> Callable[[Path], None]:
    """A worker that leaves this result."""

    def worker(folder: Path) -> None:
        (folder / "progress.jsonl").write_text('{"fraction": 0.5, "text": "x"}\n')
        text = result if isinstance(result, str) else json.dumps(result)
        (folder / "result.json").write_text(text)

    return worker


@scene
def a_failed_job_is_told_with_its_remedy(set_stage: SetStage) -> None:
    stage, _ = one_item(set_stage)
    stage.worker = _answer({
        "protocol": 2, "status": "error",
        "error": {"code": "ModelNotFoundError", "message": "9stems: no such model", "hint": "Known: 2stems."},
    })  # fmt: skip
    assert_fails(stage, "9stems: no such model", "Known: 2stems.", "log.txt")


@scene
def results_that_make_no_sense_change_nothing(set_stage: SetStage) -> None:
    entry = {"id": "s1", "status": "ok", "start": 2.0, "stems": [{"name": "v", "title": "V", "path": "/v"}]}
    bad_entries: list[Any] = [
        None, "s1", {"id": "s1"}, {**entry, "start": None}, {**entry, "stems": []}, {**entry, "stems": [7]},
        {**entry, "stems": [{"name": "v", "title": "V"}]}, {**entry, "id": 1},
        {**entry, "damage": [7]},
        {"id": "s1", "status": "error"},
    ]  # fmt: skip
    results: list[Any] = [
        "", "{", "nonsense", "[]", "7", '{"protocol": 2, "status": "ok"} x', {"protocol": 2},
        {"protocol": 3, "status": "ok", "sources": []}, {"protocol": 2, "status": "ok", "sources": 3},
        *({"protocol": 2, "status": "ok", "output_dir": "/", "sources": [bad]} for bad in bad_entries if bad),
    ]  # fmt: skip
    for result in results:
        stage, _ = one_item(set_stage)
        stage.worker = _answer(result)
        assert_fails(stage, "result cannot be read", str(stage.resources / "Stemdock" / "jobs"))


@scene
def a_source_that_failed_is_named_and_the_others_are_placed(set_stage: SetStage) -> None:
    stage, item = one_item(set_stage)
    broken = stage.folder / "broken.wav"
    broken.write_bytes(b"RIFF")
    stage.add_item(stage.add_track("Lost"), Source("WAVE", str(broken), samples=item.sole_source.samples))
    stage.run()
    assert_stems(stage, item)
    assert [name for name, _ in stage.names()][-1] == "Lost"
    assert_told(stage, "broken", "broken.wav")
    assert stage.project.tracks[-1].items[0].values["B_MUTE"] == 0


@scene
def a_damaged_file_is_named_and_its_stems_are_placed(set_stage: SetStage) -> None:
    stage = set_stage()
    song = stage.noise(seconds=10)
    mp3 = song.with_suffix(".mp3")
    samples, rate = soundfile.read(song, dtype="float32", always_2d=True)
    soundfile.write(mp3, samples, rate, format="MP3")
    data = bytearray(mp3.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 2000] = bytes(2000)
    mp3.write_bytes(data)
    item = stage.add_item(
        stage.add_track(), Source("MP3", str(mp3), samples=samples, sample_rate=rate), item_d_length=9.0
    )
    stage.run()
    assert len(stage.stem_items("Vocals")) == 1
    assert item.values["B_MUTE"] == 1
    assert_told(stage, f"{song.stem} is damaged")


@scene
def a_missing_stem_spoils_nothing(set_stage: SetStage) -> None:
    stage, _ = one_item(set_stage)

    def worker(folder: Path) -> None:
        stage.known_worker(folder)
        next(stage.media.glob("* - Accompaniment.wav")).unlink()

    stage.worker = worker
    assert_fails(stage, "A stem is missing", "Accompaniment.wav", str(stage.media))


@scene
def a_stem_that_reaper_cannot_open_takes_everything_back(set_stage: SetStage) -> None:
    stage, _ = one_item(set_stage)
    stage.host.broken_files.add(str(stage.media / "Söng of it's own - Accompaniment.wav"))
    assert_fails(stage, "cannot open a stem", "Accompaniment.wav", "project was not changed")


@scene
def a_stem_that_reaper_cannot_use_takes_everything_back(set_stage: SetStage) -> None:
    stage, _ = one_item(set_stage)
    stage.host.SetMediaItemTake_Source = lambda *_: False  # type: ignore[method-assign]
    assert_fails(stage, "cannot use a stem", "project was not changed")


@scene
def taking_back_never_takes_back_what_others_did(set_stage: SetStage) -> None:
    stage, _ = one_item(set_stage)
    stage.project.undo.append(UndoStep("Somebody's", stage.project.copied(), stage.project.copied()))
    # Fails before anything has changed, so that there is nothing for REAPER to record.
    stage.host.InsertTrackAtIndex = lambda *_: None  # type: ignore[method-assign]
    stage.start()
    stage.finish()
    assert [step.name for step in stage.project.undo] == ["Somebody's"]
    assert stage.project.redo == []
    assert "undo block" not in str(stage.host.refusals)
    assert "internal error" in stage.host.messages[0]


@scene
def a_job_folder_that_is_read_only_is_told(set_stage: SetStage) -> None:
    stage, _ = one_item(set_stage)
    stage.host.denied = lambda path, mode: "denied" if "/jobs/" in path and mode != "rb" else None
    assert_fails(stage, "The job cannot be written", "Permission denied", "/Stemdock/jobs/")
    assert stage.host.commands == []
    stage, item = one_item(set_stage)
    item.sole_source.kind = "VIDEO"
    stage.host.denied = lambda path, mode: "denied" if "/jobs/" in path and mode != "rb" else None
    assert_fails(stage, "cannot be created", "Permission denied")


@scene
def a_full_disk_is_told(set_stage: SetStage) -> None:
    for kind, length, told in (
        ("WAVE", 4.0, "The job cannot be written"), ("VIDEO", 4.0, "s1.wav cannot be written"),
        # Fits into the buffer, so that the disk is only asked at the end.
        ("VIDEO", 0.01, "s1.wav cannot be written"),
    ):  # fmt: skip
        stage, item = one_item(set_stage)
        item.sole_source.kind = kind
        item.values["D_LENGTH"] = length
        stage.host.denied = lambda path, mode: "full" if "/jobs/" in path and "w" in mode else None
        assert_fails(stage, told, "No space left on device")
        assert stage.host.commands == []


@scene
def a_worker_out_of_space_is_told(set_stage: SetStage) -> None:
    stage, _ = one_item(set_stage)
    stage.media.rmdir()
    stage.media.touch()
    assert_fails(stage, "cannot be written", "Save the project")


@scene
def audio_that_reaper_cannot_read_is_left_out(set_stage: SetStage) -> None:
    stage, item = one_item(set_stage)
    clip = Source.from_file(stage.noise("clip.wav"), "VIDEO")
    stage.add_item(stage.project.tracks[0], clip, item_d_position=20.0)
    stage.host.broken_files.add(clip.path)
    stage.run()
    assert_stems(stage, item)
    assert_told(stage, "clip: REAPER gave no audio")


@scene
def if_no_audio_can_be_read_nothing_is_started(set_stage: SetStage) -> None:
    stage, item = one_item(set_stage)
    item.sole_source.kind = "VIDEO"
    stage.host.broken_files.add(item.sole_source.path)
    assert_fails(stage, "No item could be separated", "REAPER gave no audio")
    assert stage.host.commands == []


@scene
def a_worker_that_was_cancelled_elsewhere_ends_the_run(set_stage: SetStage) -> None:
    stage, _ = one_item(set_stage)
    before = state_of(stage.project.tracks)
    stage.worker = _answer({"protocol": 2, "status": "cancelled"})
    stage.run()
    assert_untouched(stage, before)
    assert stage.host.messages == []
