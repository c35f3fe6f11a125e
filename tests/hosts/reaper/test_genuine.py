"""The shipped script with the genuine worker and model: what is heard is what the headless command makes."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from support.background_worker import the_worker
from support.reaper_model.objects import Source
from support.reaper_model.stage import Stage

if TYPE_CHECKING:
    from stemdock import Separator
    from support.reaper_model.objects import Item

pytestmark = pytest.mark.slow

TITLES = {"vocals": "Vocals", "accompaniment": "Accompaniment"}


@pytest.fixture(scope="session")
def separator() -> Separator:
    from stemdock import Separator  # noqa: PLC0415  heavy

    return Separator("2stems")


def heard(item: Item, times: np.ndarray) -> np.ndarray:
    """What an item plays at times from its start, before volume and fades."""
    assert item.take
    return item.take.sound(item, times)


@pytest.mark.parametrize("lua", ["lua53", "lua54"])
def test_stems_sound_like_the_headless_separation_of_each_item(
    lua: str, tmp_path: Path, example: Path, separator: Separator
) -> None:
    stage = Stage(tmp_path, lua)
    stage.worker = stage.genuine_worker
    song, rate = soundfile.read(example, dtype="float32", always_2d=True)
    band, room, after = stage.add_track("Bänd"), stage.add_track("Room"), stage.add_track("After")
    trimmed = stage.add_item(
        band, example, item_d_position=1.0, item_d_length=4.0, take_d_startoffs=2.5, item_d_vol=0.5,
        item_d_fadeinlen=0.25, take_d_pan=-0.5,
    )  # fmt: skip
    faster = stage.add_item(
        band, example, item_d_position=6.0, item_d_length=2.0, take_d_startoffs=5.0, take_d_playrate=1.25,
        take_d_pitch=2.0,
    )  # fmt: skip
    whole = Source.from_file(example)
    section = Source(kind="SECTION", parent=whole, offset=3.0, section_length=4.0, is_reversed=True)
    backwards = stage.add_item(room, section, item_d_position=3.0, item_d_length=4.0)
    stage.run()

    # The structure, and one step of undo.
    assert stage.host.messages == []
    assert stage.names() == [
        ("Bänd", 0), ("Bänd - Stems", 1), ("Vocals", 0), ("Accompaniment", -1),
        ("Room", 0), ("Room - Stems", 1), ("Vocals", 0), ("Accompaniment", -1),
        ("After", 0),
    ]  # fmt: skip
    assert [item.values["B_MUTE"] for item in (trimmed, faster, backwards)] == [1, 1, 1]
    assert after.items == []
    assert [step.name for step in stage.project.undo] == ["Separate items into stems"]

    # One separation for both items of the file, over just the range that they use.
    (shared,) = [source for source in stage.job()["sources"] if source["path"] == str(example)]
    assert (shared["start"], shared["duration"]) == (2.5, 5.0)
    wanted = separator.separate(song[int(2.5 * rate) : int(7.5 * rate)], rate)
    rendered = section.at(np.arange(4 * rate) / rate)
    wanted_backwards = separator.separate(rendered.astype(np.float32), rate)

    for stem, title in TITLES.items():
        first, second = stage.stem_items(title)
        (third,) = stage.stem_items(title, 1)
        for copy, original in ((first, trimmed), (second, faster), (third, backwards)):
            for key in ("D_POSITION", "D_LENGTH", "D_VOL", "D_FADEINLEN", "D_FADEOUTLEN"):
                assert copy.values[key] == original.values[key], key
            assert copy.values["B_MUTE"] == 0
            assert copy.take
            assert original.take
            assert copy.take.values["D_PAN"] == original.take.values["D_PAN"]
            assert copy.take.name.endswith(f" - {title}")
        assert first.take
        assert second.take
        assert first.take.name == f"audio_example - {title}"
        assert second.take.values["D_PLAYRATE"] == 1.25
        assert second.take.values["D_PITCH"] == 2.0

        headless = Source(kind="WAVE", samples=wanted[stem], sample_rate=rate)
        times = np.arange(0, 3.999, 1 / rate)
        np.testing.assert_allclose(heard(first, times), headless.at(times), atol=1e-5)
        times = np.arange(0, 1.999, 1 / rate)
        np.testing.assert_allclose(heard(second, times), headless.at(2.5 + times * 1.25), atol=1e-5)
        times = np.arange(0, 3.999, 1 / rate)
        reverse = Source(kind="WAVE", samples=wanted_backwards[stem], sample_rate=rate)
        np.testing.assert_allclose(heard(third, times), reverse.at(times), atol=1e-4)
    stage.project.step_back()
    assert stage.names() == [("Bänd", 0), ("Room", 0), ("After", 0)]
    assert [item.values["B_MUTE"] for item in stage.project.items()] == [0, 0, 0]


def test_a_killed_worker_leaves_reaper_responsive_and_nothing_half_done(
    tmp_path: Path, example: Path
) -> None:
    stage = Stage(tmp_path)
    stage.worker = stage.genuine_worker
    track = stage.add_track()
    for number in range(8):
        stage.add_item(track, Path(shutil.copy(example, tmp_path / f"{number}.mp3")), item_d_length=10.0)
    stage.start()
    folder = stage.wait_for_worker()
    progress = folder / "progress.jsonl"
    while not (progress.exists() and "Separating" in progress.read_text(encoding="ascii")):
        stage.cycle()
        time.sleep(0.01)
    stage.cycle(3)
    the_worker().kill()
    stage.finish(60_000)
    stage.check()
    assert stage.names() == [("Band", 0)]
    assert "was interrupted" in stage.host.messages[0]
    assert stage.project.undo == []
    assert not list(stage.folder.rglob("*.wav"))
    # The next click works.
    del stage.project.tracks[0].items[1:]
    stage.start()
    stage.finish(60_000)
    assert len(stage.names()) == 4
