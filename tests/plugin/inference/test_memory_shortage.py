"""Too little memory is reported as that, and not as a damaged model or a bug."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from stemdock import Separator
from stemdock.batch.events import Failed, SongPlan
from stemdock.batch.running import run_batch
from stemdock.batch.songs import Song
from stemdock.cli import main
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


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of the address space are Linux's")
@pytest.mark.parametrize("n_megabytes", [200, 500, 700])
def test_a_limit_of_memory_is_reported_at_once(tmp_path: Path, song: Path, n_megabytes: int) -> None:
    limit = f"import resource as r; r.setrlimit(r.RLIMIT_AS, ({n_megabytes << 20},) * 2);"
    run = subprocess.run(
        [
            *(sys.executable, "-c", f"{limit} from stemdock.cli.main import main; main()"),
            *("separate", song, "-o", tmp_path / "out"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 1
    assert run.stderr.startswith("error: ")
    assert "there is too little memory" in run.stderr
    assert "1 GB if ulimit -v" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    "fault",
    [
        ImportError("_specfun.so: failed to map segment from shared object"),
        OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)),
        MemoryError(),
    ],
)
def test_a_shortage_in_any_library_is_reported_by_a_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fault: Exception
) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise fault

    monkeypatch.setattr(main.cli, "main", fail)
    assert main.run(["doctor"]) == 1
    assert "there is too little memory" in capsys.readouterr().err
