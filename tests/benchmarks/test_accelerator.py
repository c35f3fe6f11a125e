"""The measurements of accelerators, on the CPU."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import accelerator
from stemdock import Execution
from stemdock.errors import ProviderUnavailableError

if TYPE_CHECKING:
    from pathlib import Path


def test_each_provider_is_measured_in_each_precision_and_the_cpu_with_fewer_threads() -> None:
    found = list(accelerator.executions(["cuda", "openvino", "cpu"], 4))
    assert found == [
        Execution(provider="cuda"),
        Execution(provider="openvino"),
        Execution(provider="openvino", precision="bfloat16"),
        Execution(provider="cpu"),
        Execution(provider="cpu", n_threads=1),
        Execution(provider="cpu", n_threads=2),
    ]


def test_stemdocks_settings_come_first_and_are_exact() -> None:
    """TF32 is off unless it is the setting that is tried."""
    assert [*accelerator.settings("cuda").items()] == [
        ("as Stemdock", {"use_tf32": "0"}),
        ("TF32", {"use_tf32": "1"}),
    ]
    assert list(accelerator.settings("cpu")) == ["as Stemdock"]
    assert list(accelerator.settings("openvino")) == ["as Stemdock", "bfloat16"]


def test_songs_that_would_take_too_long_are_left_out() -> None:
    measured = []

    def measure(length: int) -> float:
        measured.append(length)
        return length / 20

    assert accelerator.worthwhile([10, 180, 3600], measure) == [0.5, 9.0, None]
    assert measured == [10, 180]
    assert accelerator.worthwhile([10, 180, 3600], lambda _: 1.0) == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(("value", "text"), [(None, "-"), (0.456, "0.46"), (123.45, "123.5")])
def test_numbers(value: float | None, text: str) -> None:
    assert accelerator.shown(value) == text


def test_a_batch_that_does_not_fit_has_no_rate(capsys: pytest.CaptureFixture[str]) -> None:
    class Full:
        def run(self, *_: object) -> None:
            raise RuntimeError("no memory left")

    assert accelerator._rate(Full(), 16) is None
    assert "no memory left" in capsys.readouterr().err


def test_a_provider_that_does_not_work_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def open_separator(*, execution: Execution) -> None:
        if execution.provider == "cuda":
            raise ProviderUnavailableError("cuda", "does not work here", remedy="Install drivers.")

    names = ["CUDAExecutionProvider", "CPUExecutionProvider", "AnotherExecutionProvider"]
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: names)
    monkeypatch.setattr(accelerator, "Separator", open_separator)
    assert accelerator.working() == ["cpu"]
    assert "does not work here" in capsys.readouterr().err


@pytest.mark.slow
def test_the_tables_of_a_machine_without_accelerator(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(accelerator, "_LENGTHS", (1, 2))
    monkeypatch.setattr(accelerator, "_BATCHES", (1, 2))
    monkeypatch.setattr(accelerator, "_THREADS", (1,))
    monkeypatch.setattr(accelerator, "_N_REPETITIONS", 1)
    monkeypatch.setattr(accelerator, "working", lambda: ["cpu"])
    accelerator.main([])
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in capsys.readouterr().out.splitlines()
        if line.startswith(("| cpu", "| 1 "))
    ]
    assert rows[0][:3] == ["cpu", "float32", "all"]
    assert float(rows[0][3]) > accelerator._LEAST_SNR
    (network,) = (row for row in rows if row[1] == "as Stemdock")
    assert float(network[2]) > accelerator._LEAST_SNR
    assert all(float(rate) > 0 for rate in network[3:])
    assert len(network) == 5


def test_an_environment_of_its_own_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[Any]] = []
    monkeypatch.setattr(accelerator, "environment", lambda *_: tmp_path)
    monkeypatch.setattr(accelerator, "run", commands.append)
    monkeypatch.setattr(subprocess, "run", lambda command, **_: commands.append(command))
    accelerator.main(["--install", "cuda"])
    python = tmp_path / "python"
    assert commands == [
        [python, "-m", "pip", "uninstall", "--quiet", "--yes", "onnxruntime"],
        [python, "-m", "pip", "install", "--quiet", "onnxruntime-gpu[cuda,cudnn]"],
        [python, "-m", "benchmarks.accelerator"],
    ]
