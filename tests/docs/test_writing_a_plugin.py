"""The tutorial for plug-ins works as it stands, from an empty folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from support.background_worker import own_worker
from support.tutorials import Reader, blocks_of, is_shown, section

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

TUTORIAL = Path(__file__).parents[2] / "docs" / "writing-a-plugin.md"
SHARED = {"make_song.py", "levels.py"}
"""Files that one section shows and others use."""


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    if shutil.which("sh") is None:
        pytest.skip("the commands are for a POSIX shell")
    with own_worker(monkeypatch, tmp_path / "state"):
        reader = Reader(tmp_path)
        for block in blocks_of(TUTORIAL.read_text("utf-8")):
            if block.file in SHARED:
                reader.write(block)
        yield reader


def test_a_model_package_from_an_empty_folder(reader: Reader) -> None:
    reader.follow(section(TUTORIAL, "A model package"))


def test_a_host_from_an_empty_folder(reader: Reader) -> None:
    reader.follow(section(TUTORIAL, "A host"))
    inbox = reader.home / "Stemdock Inbox"
    reason = (inbox / "broken - error.txt").read_text()
    assert reason.startswith(f"{inbox / 'broken.wav'}: ")
    assert len(reason.splitlines()) == 2
    # What failed is not tried at every look.
    reader.run("plugin-cli inbox watch --once | wc -l", "0\n")
    # A song that is deleted meanwhile leaves nothing.
    reader.run("plugin-cli inbox install | wc -l", "2\n")
    song, sample_rate = soundfile.read(inbox / "song.wav")
    soundfile.write(inbox / "long.wav", np.tile(song, (200, 1)), sample_rate)
    delete = 'case $line in *separating*) rm -f "$HOME/Stemdock Inbox/long.wav";; esac'
    reader.run(f"plugin-cli inbox watch --once 2>&1 | while read line; do {delete}; done")
    assert sorted(path.name for path in inbox.glob("long*")) == []
    reader.run("plugin-cli inbox uninstall | wc -l", "3\n")


def test_a_host_is_short() -> None:
    blocks = blocks_of(section(TUTORIAL, "A host"))
    lines = [line for block in blocks if block.file.endswith(".py") for line in block.text.splitlines()]
    assert len(lines) < 150


def test_an_engine_from_an_empty_folder(reader: Reader) -> None:
    reader.follow(section(TUTORIAL, "An engine"))
    samples, sample_rate = soundfile.read(reader.folder / "duet.wav")
    soundfile.write(reader.folder / "mono.wav", samples[:, 0], sample_rate)
    reader.run("plugin-cli separate mono.wav --model centre-sides | wc -l", "2\n")
    reader.run("python levels.py separated/mono/sides.wav", "sides: left 0.00, right 0.00\n")


@pytest.mark.parametrize(
    ("output", "shown", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\nb\nc\n", "a\n...\nc\n", True),
        ("a\nb\n", "a\n", False),
        ("a\nb\n", "a\n...\nc\n", False),
    ],
)
def test_outputs_are_compared(output: str, shown: str, same: bool) -> None:
    assert is_shown(output, shown) is same
