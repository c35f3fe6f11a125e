"""Stems in a real Ardour, as a person makes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stemdock import Separator
from support.display import wait_until

if TYPE_CHECKING:
    from hosts.ardour.studio import Studio

SONG = Path(__file__).resolve().parents[2] / "data/audio_example.mp3"
NAME = "audio_example"
STEMS = ["Vocals", "Accompaniment"]


def test_a_trimmed_and_moved_region(studio: Studio) -> None:
    studio.new_session("first")
    studio.bring_in(SONG)
    studio.with_region(
        NAME,
        "region:set_position (Temporal.timepos_t (22050)) region:trim_front (Temporal.timepos_t (44100)) "
        "region:trim_end (Temporal.timepos_t (396900))",
    )
    mixture = studio.audio(NAME)
    studio.select(NAME)
    studio.press_button()
    studio.dialog("^Separate Stems$")
    studio.picture("dialog")
    studio.confirm()
    studio.dialog("^Stemdock$")
    studio.picture("progress")
    studio.wait_for_stems()
    studio.picture("stems")

    assert studio.tracks() == [NAME, *(f"{NAME} {stem}" for stem in STEMS)]
    original, *stems = studio.regions()
    assert original[5] == "true"
    assert stems == [[f"{NAME} {stem}", f"{NAME} {stem}", "44100", "0", "352800", "false"] for stem in STEMS]
    expected = Separator().separate(mixture)
    for stem in STEMS:
        np.testing.assert_array_equal(studio.audio(f"{NAME} {stem}"), expected[stem.lower()])

    rows = studio.run("""
        local say = ...
        for group in Session:route_groups ():iter () do
          for route in group:route_list ():iter () do
            say (group:name (), route:name (), ("%08x"):format (route:presentation_info_ptr ():color ()))
          end
        end
    """)
    assert sorted(rows) == [
        [f"{NAME} stems", f"{NAME} Accompaniment", "4f7fd9ff"],
        [f"{NAME} stems", f"{NAME} Vocals", "d94f4fff"],
    ]

    studio.run('Editor:access_action ("Editor", "undo")')
    assert [row[5] for row in studio.regions()] == ["false"]
    studio.picture("undone")
    studio.run('Editor:access_action ("Editor", "redo")')
    assert studio.regions() == [original, *stems]

    # What Undo leaves is used again.
    studio.run('Editor:access_action ("Editor", "undo")')
    studio.separate(NAME)
    assert studio.tracks() == [NAME, *(f"{NAME} {stem}" for stem in STEMS)]
    assert [row[:5] for row in studio.regions()[1:]] == [row[:5] for row in stems]

    # A saved session has all of it.
    studio.save()
    before = studio.regions()
    studio.stop()
    studio.start()
    assert studio.regions() == before
    wait_until(lambda: not studio.windows("^Stemdock$"), 30, "no window is left")
