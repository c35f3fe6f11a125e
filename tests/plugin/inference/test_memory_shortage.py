"""Too little memory is reported as that, and not as a damaged model or a bug."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from stemdock import Execution, Separator
from stemdock.batch.events import Failed, SongPlan
from stemdock.batch.songs import Song
from stemdock.cli import main
from stemdock.errors import ArgumentError, MemoryShortageError, ThreadShortageError
from stemdock.inference import runtime, shortages
from stemdock.inference.shortages import check_memory, memory_shortage, spare_memory
from support.here import run_here

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


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (MemoryError(), MemoryShortageError),
        (RuntimeError(ALLOCATION), MemoryShortageError),
        (RuntimeError("can't start new thread"), ThreadShortageError),
    ],
)
def test_a_song_without_memory_or_threads_is_no_bug(
    tmp_path: Path, fault: Exception, kind: type[Exception]
) -> None:
    def fail(*_: object) -> Any:
        raise fault

    plan = SongPlan(number=1, song=Song(path=tmp_path / "song.wav"), targets={})
    *_, event = run_here([plan], fail, cancel=Event())
    assert isinstance(event, Failed)
    assert isinstance(event.error, kind)


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
    limit_in_gb = (n_megabytes << 20) / 1e9
    assert f"(ulimit -v) is {limit_in_gb:.2f} GB" in run.stderr
    # Under the lowest, Python's own modules may not load.
    needed = ["about 1.0 GB are needed", *(["1 GB if ulimit -v"] if n_megabytes <= 200 else [])]
    assert any(text in run.stderr for text in needed)
    assert "Traceback" not in run.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of the address space are Linux's")
def test_a_model_with_more_stems_needs_more() -> None:
    code = """
import resource
from stemdock.errors import MemoryShortageError
from stemdock.inference.shortages import check_memory
resource.setrlimit(resource.RLIMIT_AS, (1_000_000_000,) * 2)
for n_stems, size in ((2, 41_000_000), (4, 157_000_000), (5, 197_000_000), (5, 460_000)):
    try:
        check_memory("model", n_stems, size)
        print(n_stems, "enough")
    except MemoryShortageError as error:
        print(n_stems, error.limit, error.needed)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["2 enough", "4 enough", "5 1000000000 1300000000", "5 enough"]


@pytest.mark.parametrize(("limit", "is_enough"), [(300_000_000, False), (400_000_000, True), (None, True)])
def test_the_limit_of_a_container_counts(
    monkeypatch: pytest.MonkeyPatch, limit: int | None, is_enough: bool
) -> None:
    limits = [replace(shortages._LIMITS[1], get=lambda: limit)]
    monkeypatch.setattr(shortages, "_LIMITS", limits)
    if is_enough:
        check_memory("2stems", 2, 41_000_000)
        return
    with pytest.raises(MemoryShortageError) as caught:
        check_memory("2stems", 2, 41_000_000)
    assert str(caught.value) == (
        "2stems: there is too little memory: the limit of the container or control group is 0.30 GB, "
        "and about 0.5 GB are needed"
    )
    # The limit is named, too, where a library runs into it.
    assert "control group is 0.30 GB" in str(memory_shortage("song.wav"))


def test_the_budget_of_a_worker_counts() -> None:
    check_memory("2stems", 2, 41_000_000, 400_000_000)
    with pytest.raises(MemoryShortageError, match=r"each worker .* is 0\.30 GB, and about 0\.5 GB"):
        check_memory("2stems", 2, 41_000_000, 300_000_000)
    assert spare_memory(1000) == 1000
    assert spare_memory() > 1000
    with pytest.raises(MemoryShortageError, match=r"0\.10 GB"):
        Separator(execution=Execution(memory=100_000_000))
    with pytest.raises(ArgumentError, match="memory"):
        Execution(memory=-1)


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
