"""Engines that break their promises are named, and nothing of theirs is taken for a stem."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from stemdock import ModelEntry, Plugins, Separator, hookimpl
from stemdock.cli.main import run
from stemdock.errors import ModelContractError, ModelError
from support.small_model import write_noise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from stemdock import Engine, FloatArray

    Separate = Callable[[Iterable[FloatArray]], Iterator[np.ndarray]]


class OddEngine:
    stems = ("one", "other")
    sample_rate = 8000
    n_channels = 2
    provider = "cpu"

    def __init__(self, separate: Separate) -> None:
        self._separate = separate

    def separate(
        self, mixture: Iterable[FloatArray], on_analysed: Callable[[int], None]
    ) -> Iterator[FloatArray]:
        del on_analysed
        yield from self._separate(mixture)


class OddPlugin:
    def __init__(self, separate: Separate) -> None:
        self._separate = separate

    @hookimpl
    def stemdock_models(self) -> list[ModelEntry]:
        return [ModelEntry(name="odd", stems=OddEngine.stems, sample_rate=8000, version="1")]

    @hookimpl
    def stemdock_engine(self) -> Engine:
        return OddEngine(self._separate)


def odd(separate: Separate) -> Plugins:
    plugins = Plugins()
    plugins.register(OddPlugin(separate), "odd")
    return plugins


def right(mixture: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    for block in mixture:
        yield np.stack([block, block])


def infinite(mixture: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    for stems in right(mixture):
        stems[1, -1, 0] = np.inf
        yield stems


def short(mixture: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    for stems in right(mixture):
        yield stems[:, 1:]


def long(mixture: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    yield from right(mixture)
    yield np.zeros((2, 7, 2), np.float32)


def flat(mixture: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    yield from mixture


def broken(mixture: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    yield from right(mixture)
    raise RuntimeError("boom")


@pytest.mark.parametrize(
    ("separate", "reason"),
    [
        (infinite, "not finite"),
        (short, "returned 999 samples for a mixture of 1000"),
        (long, "returned 1007 samples for a mixture of 1000"),
        (flat, r"shape \(1000, 2\) instead of \(2, n_samples, 2\)"),
    ],
)
def test_unusable_stems_are_refused(separate: Separate, reason: str) -> None:
    with pytest.raises(ModelContractError, match=f"odd: its engine returned.*{reason}|odd: .*{reason}"):
        Separator("odd", plugins=odd(separate)).separate(np.ones((1000, 2), np.float32))


def test_an_exception_is_the_engines_and_not_ours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError, match=r"odd: its engine failed \(RuntimeError: boom\)"):
        Separator("odd", plugins=odd(broken)).separate(np.ones((1000, 2), np.float32))
    plugins = odd(broken)
    from stemdock.cli import builtin  # noqa: PLC0415  only this test runs a command

    plugins.register(builtin, "cli")
    song = write_noise(tmp_path / "song.wav")
    assert run(["separate", str(song), "-m", "odd", "-o", str(tmp_path / "out")], plugins) == 1
    message = capsys.readouterr().err
    assert "odd: its engine failed (RuntimeError: boom). Report this to the authors of the plug-in" in message
    assert not (tmp_path / "out" / "song").exists()


def test_an_exception_of_the_callers_passes_unchanged() -> None:
    def blocks() -> Iterator[np.ndarray]:
        yield np.ones((1000, 2), np.float32)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        list(Separator("odd", plugins=odd(right)).stream(blocks()))
