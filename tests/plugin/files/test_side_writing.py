from __future__ import annotations

from threading import Barrier, Event, get_ident
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from stemdock import Output, separate_file
from stemdock.files.side_writing import side_writing
from support.mixtures import SONG

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import Separator

LONG = 60
"""Seconds; far more than any thread needs."""


def blocks(n_blocks: int) -> list[np.ndarray]:
    return [np.full(1, number, np.float32) for number in range(n_blocks)]


@pytest.mark.parametrize("n_threads", [1, 2, 3, 5])
def test_each_file_gets_all_blocks_in_order(n_threads: int) -> None:
    names = ["a", "b", "c"]
    found: dict[str, list[float]] = {name: [] for name in names}
    with side_writing(names, lambda name, block: found[name].append(float(block[0])), n_threads) as hand_over:
        for block in blocks(50):
            hand_over(block)
    assert found == {name: list(range(50)) for name in names}


def test_files_are_written_beside_one_another_and_beside_the_caller() -> None:
    both = Barrier(3)

    def write(name: str, block: np.ndarray) -> None:
        del name, block
        both.wait(LONG)

    with side_writing(["a", "b"], write, 2) as hand_over:
        hand_over(np.zeros(1, np.float32))
        both.wait(LONG)


def test_one_thread_writes_one_file_at_a_time() -> None:
    threads = set()
    with side_writing(["a", "b"], lambda *_: threads.add(get_ident()), 1) as hand_over:
        for block in blocks(9):
            hand_over(block)
    assert len(threads) == 1
    assert get_ident() not in threads


def test_a_slow_file_does_not_stop_the_other_before_it_is_two_blocks_behind() -> None:
    may_go_on, is_ahead = Event(), Event()
    found: list[tuple[str, float]] = []

    def write(name: str, block: np.ndarray) -> None:
        if name == "slow":
            assert may_go_on.wait(LONG)
        found.append((name, float(block[0])))
        if found.count(("quick", 1.0)):
            is_ahead.set()

    with side_writing(["quick", "slow"], write, 2) as hand_over:
        for block in blocks(2):
            hand_over(block)
        assert is_ahead.wait(LONG)
        assert found == [("quick", 0.0), ("quick", 1.0)]
        may_go_on.set()
        hand_over(np.full(1, 2, np.float32))
    assert sorted(found) == [(name, float(number)) for name in ("quick", "slow") for number in range(3)]


@pytest.mark.parametrize("n_blocks", [1, 20])
def test_the_error_of_a_file_reaches_the_caller(n_blocks: int) -> None:
    """While it hands over, or at the end."""

    def write(name: str, block: np.ndarray) -> None:
        del block
        if name == "b":
            raise OSError("full")

    def write_all() -> None:
        with side_writing(["a", "b"], write, 2) as hand_over:
            for block in blocks(n_blocks):
                hand_over(block)

    with pytest.raises(OSError, match="full"):
        write_all()


def test_an_error_of_the_caller_ends_the_threads() -> None:
    """A block that waits is dropped; one that is being written is finished before files may be closed."""
    started, may_go_on = Event(), Event()
    written: list[float] = []

    def write(name: str, block: np.ndarray) -> None:
        del name
        started.set()
        assert may_go_on.wait(LONG)
        written.append(float(block[0]))

    def fail() -> None:
        with side_writing(["a"], write, 1) as hand_over:
            hand_over(np.zeros(1, np.float32))
            assert started.wait(LONG)
            hand_over(np.ones(1, np.float32))
            may_go_on.set()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert written in ([0.0], [0.0, 1.0])


@pytest.mark.parametrize("codec", ["flac", "mp3", "ogg"])
def test_files_do_not_depend_on_the_number_of_threads(
    small_separator: Separator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codec: Any
) -> None:
    contents: list[list[Any]] = []
    for n_threads in (1, 2, 3):
        monkeypatch.setattr(small_separator, "n_threads", n_threads)
        folder = tmp_path / str(n_threads)
        separated = separate_file(small_separator, SONG, folder, output=Output(codec=codec))
        contents.append([path.read_bytes() for path in separated.stems.values()])
    if codec == "ogg":  # each has a serial number at random
        contents = [[len(content) for content in each] for each in contents]
    assert contents[0] == contents[1] == contents[2]
