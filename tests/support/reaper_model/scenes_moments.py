"""Scenes in which the project changes while the worker works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from support.reaper_model.objects import Item, Source, Take, UndoStep, new_guid, state_of
from support.reaper_model.scenes import SetStage, assert_stems, assert_told, assert_untouched, heard, scene

if TYPE_CHECKING:
    from support.reaper_model.stage import Stage


def _waiting(set_stage: SetStage, n_items: int = 1) -> tuple[Stage, list[Item]]:
    """A stage on which the worker has just been started for some items of one track."""
    stage = set_stage()
    track = stage.add_track()
    items = [
        stage.add_item(
            track, stage.noise(f"song{number}.wav", seed=number), item_d_position=5.0 * number + 1,
            item_d_length=4.0, take_d_startoffs=2.0, take_d_playrate=1.25,
        ) for number in range(n_items)
    ]  # fmt: skip
    stage.start()
    stage.wait_for_worker()
    return stage, items


def _finish(stage: Stage) -> None:
    stage.finish()
    stage.check()


@scene
def stems_follow_an_item_that_was_moved(set_stage: SetStage) -> None:
    stage, (item,) = _waiting(set_stage)
    item.values["D_POSITION"] = 30.0
    _finish(stage)
    assert_stems(stage, item)
    assert item.values["B_MUTE"] == 1


@scene
def stems_follow_an_item_to_another_track(set_stage: SetStage) -> None:
    stage, (item,) = _waiting(set_stage)
    stage.project.tracks[0].items.remove(item)
    stage.add_track("Elsewhere").items.append(item)
    _finish(stage)
    assert [name for name, _ in stage.names()] == [
        "Band", "Elsewhere", "Elsewhere - Stems", "Vocals", "Accompaniment",
    ]  # fmt: skip
    assert_stems(stage, item)


@scene
def stems_stay_in_time_if_the_left_edge_was_dragged(set_stage: SetStage) -> None:
    stage, (item,) = _waiting(set_stage)
    old = dict(item.values), dict(item.sole_take.values)
    item.values["D_POSITION"] += 1
    item.values["D_LENGTH"] -= 1
    item.sole_take.values["D_STARTOFFS"] += 1.25
    _finish(stage)
    assert item.values["B_MUTE"] == 1
    item.values, item.sole_take.values = old
    assert_stems(stage, item)


@scene
def stems_of_a_selection_follow_and_are_cut_where_they_play(set_stage: SetStage) -> None:
    stage = set_stage()
    track = stage.add_track()
    item = stage.add_item(track, stage.noise(), item_d_position=4.0, item_d_length=8.0)
    stage.project.loop = (6.0, 9.0)
    stage.start()
    stage.wait_for_worker()
    item.values["D_POSITION"] = 14.0
    _finish(stage)
    pieces = sorted(track.items, key=lambda piece: piece.values["D_POSITION"])
    assert [(p.values["D_POSITION"], p.end, p.values["B_MUTE"]) for p in pieces] == [
        (14.0, 16.0, 0.0), (16.0, 19.0, 1.0), (19.0, 22.0, 0.0),
    ]  # fmt: skip


@scene
def stems_of_a_deleted_item_stay_on_disk_and_are_named(set_stage: SetStage) -> None:
    stage, (gone, there) = _waiting(set_stage, 2)
    stage.project.tracks[0].items.remove(gone)
    _finish(stage)
    assert_stems(stage, there)
    assert_told(
        stage, "song0: the item was deleted during", "song0 - Vocals.wav", "song0 - Accompaniment.wav"
    )
    assert "song0 - Vocals.wav" in stage.media_files()


@scene
def if_all_items_are_deleted_nothing_is_changed(set_stage: SetStage) -> None:
    stage, _ = _waiting(set_stage)
    stage.project.tracks[0].items.clear()
    before = state_of(stage.project.tracks)
    _finish(stage)
    assert_untouched(stage, before)
    assert_told(stage, "the item was deleted during", "song0 - Vocals.wav")


@scene
def a_deleted_track_is_like_deleted_items(set_stage: SetStage) -> None:
    stage, _ = _waiting(set_stage)
    stage.project.tracks.clear()
    _finish(stage)
    assert stage.project.tracks == []
    assert_told(stage, "the item was deleted during")


@scene
def items_are_found_again_after_undo_and_redo(set_stage: SetStage) -> None:
    stage, _ = _waiting(set_stage, 2)
    before = stage.project.copied()
    stage.project.undo.append(UndoStep("Somebody's", before, stage.project.copied()))
    stage.project.step_back()
    stage.project.step_forward()
    _finish(stage)
    items = stage.project.tracks[0].items
    assert_stems(stage, *items)
    assert [item.values["B_MUTE"] for item in items] == [1, 1]
    assert [step.name for step in stage.project.undo] == ["Somebody's", "Separate items into stems"]


@scene
def a_pointer_that_now_is_another_item_is_not_trusted(set_stage: SetStage) -> None:
    stage, (item,) = _waiting(set_stage)
    # REAPER gives the memory of a deleted item to the next one that is made.
    track = stage.project.tracks[0]
    again = Item(guid=item.guid, values=dict(item.values), takes=list(item.takes))
    item.guid, item.takes = new_guid(), [Take(source=item.sole_source, name="impostor")]
    item.values["D_POSITION"] = 90.0
    track.items.append(again)
    _finish(stage)
    assert_stems(stage, again)
    assert item.values["B_MUTE"] == 0
    assert again.values["B_MUTE"] == 1


@scene
def the_take_that_was_separated_is_found_though_another_is_active(set_stage: SetStage) -> None:
    stage, (item,) = _waiting(set_stage)
    other = Take(source=item.sole_source, name="other")
    other.values["D_VOL"] = 0.1
    item.takes.insert(0, None)
    item.takes.append(other)
    item.active = 2
    _finish(stage)
    item.active = 1
    assert_stems(stage, item)


@scene
def a_deleted_take_is_like_a_deleted_item(set_stage: SetStage) -> None:
    stage, (item,) = _waiting(set_stage)
    item.takes[0] = Take(source=item.sole_source, name="other")
    before = state_of(stage.project.tracks)
    _finish(stage)
    assert_untouched(stage, before)
    assert_told(stage, "the item was deleted during")


@scene
def an_item_deleted_while_it_is_read_is_left_out(set_stage: SetStage) -> None:
    stage = set_stage()
    track = stage.add_track()
    song = Source.from_file(stage.noise(seconds=60), "VIDEO")
    gone = stage.add_item(track, song, item_d_length=60.0)
    there = stage.add_item(track, stage.noise("b.wav"), item_d_position=70.0, item_d_length=3.0)
    later = stage.add_item(track, Source.from_file(stage.noise("c.wav"), "VIDEO"), item_d_position=90.0)
    stage.start()
    stage.cycle(2)
    track.items.remove(gone)
    track.items.remove(later)
    stage.finish()
    stage.check()
    assert_stems(stage, there)
    assert len(stage.job()["sources"]) == 1
    assert "was deleted before its audio was read" in stage.host.messages[0]
    assert not list(stage.jobs[0].glob("*.wav"))


@scene
def an_item_shortened_while_it_is_read_ends_in_silence(set_stage: SetStage) -> None:
    stage = set_stage()
    song = Source.from_file(stage.noise(seconds=60), "VIDEO")
    item = stage.add_item(stage.add_track(), song, item_d_length=60.0)
    stage.start()
    stage.cycle()
    item.values["D_LENGTH"] = 50.0
    _finish(stage)
    (copy,) = stage.stem_items("Vocals")
    assert not heard(copy, np.arange(50.1, 59.9, 0.01)).any()
    assert heard(copy, np.arange(49, 49.9, 0.01)).any()


@scene
def stems_go_to_their_project_though_another_tab_is_in_front(set_stage: SetStage) -> None:
    stage, (item,) = _waiting(set_stage)
    other = stage.add_project()
    stage.add_track("Foreign", project=other)
    stage.host.current = other
    _finish(stage)
    assert_stems(stage, item)
    assert stage.names(other) == [("Foreign", 0)]
    assert other.undo == []
    assert stage.host.current is stage.project


@scene
def stems_of_a_closed_project_stay_on_disk(set_stage: SetStage) -> None:
    stage, _ = _waiting(set_stage)
    other = stage.add_project()
    stage.host.projects.remove(stage.project)
    stage.host.current = other
    _finish(stage)
    assert_told(stage, "project was closed", str(stage.media))
    assert other.tracks == []
    assert len(stage.media_files()) == 2


@scene
def undoing_the_stems_stops_the_drawing_of_waveforms(set_stage: SetStage) -> None:
    stage, _ = _waiting(set_stage)
    while not stage.project.undo:
        stage.cycle()
    stage.cycle()
    stage.project.step_back()
    _finish(stage)
    assert stage.names() == [("Band", 0)]
    assert stage.host.messages == []
