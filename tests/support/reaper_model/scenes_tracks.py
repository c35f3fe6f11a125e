"""Scenes about tracks and files: which there are afterwards, and what they are called."""

from __future__ import annotations

from support.reaper_model.scenes import SetStage, assert_is_stem, assert_stems, scene
from support.reaper_model.stage import VOCALS


@scene
def every_track_keeps_its_folder(set_stage: SetStage) -> None:
    layouts = [
        ((0, 0), 0), ((1, -1, 0), 1), ((1, 1, -2, 0), 2), ((1, 1, -1, -1, 0), 2), ((1, 0, -1, 0), 0),
        ((1, 1, 0, -2), 3), ((0, 1, 1, -2), 3),
    ]  # fmt: skip
    for depths, index in layouts:
        stage = set_stage()
        tracks = [stage.add_track(f"T{i}", depth) for i, depth in enumerate(depths)]
        item = stage.add_item(tracks[index], stage.noise(), item_d_position=1.0, item_d_length=3.0)
        before = stage.project.parents()
        depth_after = sum(depths)
        stage.run()
        after = stage.project.parents()
        assert {guid: after[guid] for guid in before} == before, depths
        new = [track for track in stage.project.tracks if track.guid not in before]
        place = stage.project.tracks.index(tracks[index])
        assert stage.project.tracks[place + 1 : place + 4] == new
        folder = new[0]
        expected = tracks[index].guid if depths[index] > 0 else before[tracks[index].guid]
        assert after[folder.guid] == expected
        assert [after[track.guid] for track in new[1:]] == [folder.guid] * 2
        assert sum(int(track.values["I_FOLDERDEPTH"]) for track in stage.project.tracks) == depth_after
        assert_stems(stage, item)


@scene
def each_track_gets_one_folder_that_behaves_like_it(set_stage: SetStage) -> None:
    stage = set_stage()
    stage.add_track("Empty before")
    first, second = stage.add_track("Gröup A"), stage.add_track("")
    first.values.update(D_VOL=0.5, D_PAN=-0.3, I_CUSTOMCOLOR=16777471.0)
    a = stage.add_item(first, stage.noise(), item_d_position=1.0, item_d_length=3.0)
    b = stage.add_item(second, stage.noise("b.wav", seed=2), item_d_position=1.0, item_d_length=3.0)
    c = stage.add_item(first, stage.noise("c.wav", seed=3), item_d_position=5.0, item_d_length=3.0)
    unselected = stage.add_item(first, stage.noise("d.wav", seed=4), item_b_uisel=0.0)
    stage.run()
    assert stage.names() == [
        ("Empty before", 0),
        ("Gröup A", 0), ("Gröup A - Stems", 1), ("Vocals", 0), ("Accompaniment", -1),
        ("", 0), ("Track 6 - Stems", 1), ("Vocals", 0), ("Accompaniment", -1),
    ]  # fmt: skip
    folder = stage.project.tracks[2]
    assert {key: folder.values[key] for key in ("D_VOL", "D_PAN", "I_CUSTOMCOLOR")} == {
        "D_VOL": 0.5, "D_PAN": -0.3, "I_CUSTOMCOLOR": 16777471.0,
    }  # fmt: skip
    assert_stems(stage, a, c)
    assert_stems(stage, b, number=1)
    assert unselected.values["B_MUTE"] == 0
    assert len(stage.project.undo) == 1


@scene
def one_stem_is_enough(set_stage: SetStage) -> None:
    for script, stems in ((VOCALS, "all"), (None, "vocals"), (None, " vocals + ")):
        stage = set_stage()
        stage.host.ext_state["Stemdock", "stems"] = stems
        item = stage.add_item(stage.add_track("A", 1), stage.noise(), item_d_position=1.0, item_d_length=3.0)
        stage.add_track("B", -1)
        stage.run(*filter(None, [script]))
        assert stage.names() == [("A", 1), ("A - Stems", 1), ("Vocals", -1), ("B", -1)]
        (copy,) = stage.stem_items("Vocals")
        assert_is_stem(copy, item, "vocals", plain=True)
        assert stage.media_files() == ["Söng of it's own - Vocals.wav"]


@scene
def a_second_run_never_replaces_the_first(set_stage: SetStage) -> None:
    stage = set_stage()
    item = stage.add_item(stage.add_track(), stage.noise(), item_d_position=1.0, item_d_length=3.0)
    stage.run()
    first = {path: path.read_bytes() for path in stage.media.iterdir()}
    stage.run()
    assert len(stage.media_files()) == 4
    assert all(path.read_bytes() == content for path, content in first.items())
    for number in (0, 1):
        assert_stems(stage, item, number=number)
    assert len(stage.project.undo) == 2


@scene
def another_model_is_asked_for_by_name(set_stage: SetStage) -> None:
    stage = set_stage()
    stage.host.ext_state["Stemdock", "model"] = "5stems"
    stage.add_item(stage.add_track(), stage.noise())
    stage.run()
    assert stage.job()["model"] == "5stems"
    assert stage.job()["host"] == {"name": "REAPER", "version": "7.20/x64"}
    assert "stems" not in stage.job()


@scene
def names_of_all_kinds_survive(set_stage: SetStage) -> None:
    stage = set_stage()
    item = stage.add_item(stage.add_track(), stage.noise(), item_d_position=1.0, item_d_length=3.0)
    name = 'The "best" \\ of 東京 \U0001f3b8: part/1?\x01'
    item.sole_take.name = name
    stage.run()
    assert stage.job()["sources"][0]["name"] == name
    assert_stems(stage, item)
    (copy,) = stage.stem_items("Vocals")
    assert copy.sole_take.name == name + " - Vocals"
    assert stage.media_files()[1] == "The _best_ _ of 東京 \U0001f3b8_ part_1__ - Vocals.wav"


@scene
def two_hundred_items_at_once(set_stage: SetStage) -> None:
    stage = set_stage()
    song, originals = stage.noise(seconds=60), []
    for number in range(10):
        track = stage.add_track(f"T{number}")
        items = []
        for i in range(20):
            place = {"item_d_position": 2.0 * i, "take_d_startoffs": (i * 10.0 + number) % 55}
            items.append(stage.add_item(track, song, item_d_length=1.0, **place))
        originals.append(items)
    stage.run()
    assert len(stage.job()["sources"]) == 1
    assert len(stage.project.tracks) == 40
    for number, items in enumerate(originals):
        for copy, original in zip(stage.stem_items("Vocals", number), items, strict=True):
            assert_is_stem(copy, original, "vocals", plain=True)
    assert len(stage.project.undo) == 1
