"""Scenes: what a script is put through, each judged by what is in the project and on disk afterwards.

A scene takes a function that sets a stage. Tests play all of them with the shipped script under both
versions of Lua; for every planted fault at least one must fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from support.reaper_model.known_separator import SHARES
from support.reaper_model.objects import state_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.reaper_model.objects import Item
    from support.reaper_model.stage import Stage


class SetStage(Protocol):
    def __call__(self, **options: Any) -> Stage: ...


SCENES: dict[str, Callable[[SetStage], None]] = {}

COPIED_ITEM = ("D_VOL", "C_BEATATTACHMODE")
COPIED_TAKE = ("D_VOL", "D_PAN", "D_PANLAW")
FADE_IN = ("D_FADEINLEN", "D_FADEINLEN_AUTO", "D_FADEINDIR", "C_FADEINSHAPE")
FADE_OUT = ("D_FADEOUTLEN", "D_FADEOUTLEN_AUTO", "D_FADEOUTDIR", "C_FADEOUTSHAPE")
TITLES = {stem: stem.capitalize() for stem in SHARES}


def scene(function: Callable[[SetStage], None]) -> Callable[[SetStage], None]:
    assert function.__name__ not in SCENES
    SCENES[function.__name__] = function
    return function


def heard(item: Item, times: np.ndarray) -> np.ndarray:
    """What an item plays at times from its start, before volume and fades; always stereo."""
    assert item.take
    sound = item.take.sound(item, times)
    sound = np.repeat(sound, 2, axis=1) if sound.shape[1] == 1 else sound[:, :2]
    return sound[:, ::-1] if item.take.values["I_CHANMODE"] == 1 else sound


def assert_sounds_alike(
    copy: Item, original: Item, share: float, first: float = 0, last: float = 1e9
) -> None:
    """A stem plays its share of what the original plays between two times of the original."""
    last = min(last, original.values["D_LENGTH"])
    assert copy.values["D_LENGTH"] == last - first
    # Between samples a rendered file and its source differ by interpolation, so time is taken at samples.
    times = np.arange(0, last - first - 0.01, 1 / 800)
    np.testing.assert_allclose(heard(copy, times), heard(original, first + times) * share, atol=2e-6)


def assert_is_stem(
    copy: Item, original: Item, stem: str, *, plain: bool, first: float = 0, last: float = 1e9
) -> None:
    """A stem item behaves like the original, of which it covers the part between two times."""
    assert copy.values["D_POSITION"] == original.values["D_POSITION"] + first
    assert copy.values["B_LOOPSRC"] == 0
    assert copy.values["B_MUTE"] == 0
    assert copy.take
    assert original.take
    for key in COPIED_ITEM:
        assert copy.values[key] == original.values[key], key
    for key in COPIED_TAKE:
        assert copy.take.values[key] == original.take.values[key], key
    for keys, whole in ((FADE_IN, first == 0), (FADE_OUT, last >= original.values["D_LENGTH"])):
        for key in keys:
            if whole:
                assert copy.values[key] == original.values[key], key
        if not whole:
            assert copy.values[keys[0]] == copy.values[keys[1]] == 0
    if plain:
        for key in ("D_PLAYRATE", "D_PITCH", "B_PPITCH", "I_PITCHMODE"):
            assert copy.take.values[key] == original.take.values[key], key
    else:
        assert copy.take.values["D_PLAYRATE"] == 1
        assert copy.take.values["D_PITCH"] == 0
        assert copy.take.values["D_STARTOFFS"] == 0
    assert copy.take.values["I_CHANMODE"] == 0
    assert copy.take.source
    assert copy.take.source.peaks == "built"
    assert copy.take.name.endswith(f" - {TITLES[stem]}")
    assert_sounds_alike(copy, original, SHARES[stem], first, last)


def assert_stems(
    stage: Stage, *originals: Item, number: int = 0, plain: bool = True, first: float = 0, last: float = 1e9
) -> None:
    """The stem tracks of one source track hold the stems of these originals, in order of time."""
    for stem, title in TITLES.items():
        copies = stage.stem_items(title, number)
        assert len(copies) == len(originals)
        for copy, original in zip(copies, originals, strict=True):
            assert_is_stem(copy, original, stem, plain=plain, first=first, last=last)


def assert_untouched(stage: Stage, before: object) -> None:
    """The project is as it was, and so is the person's undo history."""
    assert state_of(stage.project.tracks) == before
    assert stage.project.undo == []


def assert_told(stage: Stage, *texts: str) -> None:
    """One message, with these words in it."""
    assert len(stage.host.messages) == 1, stage.host.messages
    for text in texts:
        assert text in stage.host.messages[0], stage.host.messages[0]
    assert "internal error" not in stage.host.messages[0], stage.host.messages[0]


def one_item(set_stage: SetStage, **options: Any) -> tuple[Stage, Item]:
    """A stage with one selected item that plays part of a file."""
    stage = set_stage(**options)
    item = stage.add_item(
        stage.add_track(), stage.noise(), item_d_position=5.0, item_d_length=4.0, take_d_startoffs=2.0
    )
    return stage, item


def assert_fails(stage: Stage, *texts: str) -> None:
    """A run that changes nothing in the project and says why."""
    before = state_of(stage.project.tracks)
    stage.run()
    assert_untouched(stage, before)
    assert_told(stage, *texts)
    assert not stage.host.window.is_open
