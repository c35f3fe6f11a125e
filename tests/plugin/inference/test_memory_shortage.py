"""Too little memory is reported as that, and not as a damaged model or a bug."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from stemdock import Separator
from stemdock.batch.events import Failed, SongPlan
from stemdock.batch.running import run_batch
from stemdock.batch.songs import Song
from stemdock.errors import MemoryShortageError
from stemdock.inference import runtime

if TYPE_CHECKING:
    from pathlib import Path

ALLOCATION = "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Exception during initialization: std::bad_alloc"


@pytest.mark.parametrize("fault", [RuntimeError(ALLOCATION), MemoryError()])
def test_a_model_that_does_not_fit_is_not_called_damaged(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise fault

    monkeypatch.setattr(runtime, "_open", fail)
    with pytest.raises(MemoryShortageError, match="too little memory") as caught:
        Separator()
    assert "0.5 GB" in caught.value.remedy


def test_a_network_without_memory_is_not_called_damaged(
    separator: Separator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Any:
        raise RuntimeError("Failed to allocate memory for requested buffer of size 12345")

    monkeypatch.setattr(runtime.Network, "run", fail)
    with pytest.raises(MemoryShortageError):
        separator.separate(np.zeros((2000, 2), np.float32))


def test_a_song_without_memory_is_no_bug(tmp_path: Path) -> None:
    def fail(*_: object) -> Any:
        raise MemoryError

    plan = SongPlan(number=1, song=Song(path=tmp_path / "song.wav"), targets={})
    *_, event = run_batch([plan], fail, cancel=Event())
    assert isinstance(event, Failed)
    assert isinstance(event.error, MemoryShortageError)
