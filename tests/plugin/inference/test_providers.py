from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import onnxruntime
import pytest

from stemdock import Execution, Separator
from stemdock.errors import ProviderUnavailableError
from stemdock.inference.providers import PROVIDERS, candidates
from support.mixtures import recorded_case

if TYPE_CHECKING:
    from pathlib import Path


EVERYTHING = [provider.onnx_name for provider in PROVIDERS.values()]


@pytest.mark.parametrize(
    ("available", "expected"),
    [
        (EVERYTHING, ["cuda", "directml", "cpu"]),
        (["CPUExecutionProvider", "CUDAExecutionProvider"], ["cuda", "cpu"]),
        (["OpenVINOExecutionProvider", "CPUExecutionProvider"], ["cpu"]),
    ],
)
def test_auto_prefers_hardware_that_is_as_exact(available: list[str], expected: list[str]) -> None:
    assert candidates(Execution(), available) == expected


def test_one_that_is_asked_for_is_the_only_candidate() -> None:
    assert candidates(Execution(provider="openvino"), EVERYTHING) == ["openvino"]


def test_a_missing_one_is_refused_with_the_package_that_has_it() -> None:
    with pytest.raises(ProviderUnavailableError) as caught:
        Separator(execution=Execution(provider="cuda"))
    assert "onnxruntime-gpu" in caught.value.remedy


def test_an_unknown_one_is_refused() -> None:
    with pytest.raises(ProviderUnavailableError, match="unknown provider"):
        Separator(execution=Execution(provider="abacus"))


def test_bfloat16_is_for_those_that_know_it() -> None:
    assert candidates(Execution(precision="bfloat16"), EVERYTHING) == ["openvino"]
    with pytest.raises(ProviderUnavailableError, match="float32 only"):
        candidates(Execution(provider="cpu", precision="bfloat16"), EVERYTHING)
    with pytest.raises(ProviderUnavailableError) as caught:
        Separator(execution=Execution(precision="bfloat16"))
    assert "onnxruntime-openvino" in caught.value.remedy


class BrokenCuda:
    """An onnxruntime that says it has CUDA, on a machine without its libraries."""

    asked: ClassVar[list[Any]] = []

    def __init__(self, path: Path, options: Any, *, providers: list[Any], **_: Any) -> None:
        self.asked.extend(providers)
        self._session = INFERENCE_SESSION(path, options, providers=["CPUExecutionProvider"])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


INFERENCE_SESSION = onnxruntime.InferenceSession


@pytest.fixture
def broken_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: names)
    monkeypatch.setattr(onnxruntime, "InferenceSession", BrokenCuda)


@pytest.mark.usefixtures("broken_cuda")
def test_auto_falls_back_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert Separator().provider == "cpu"
    assert "provider cuda does not work on this machine" in caplog.text


@pytest.mark.usefixtures("broken_cuda")
def test_cuda_does_not_round_to_tf32() -> None:
    BrokenCuda.asked.clear()
    with pytest.raises(ProviderUnavailableError):
        Separator(execution=Execution(provider="cuda"))
    assert BrokenCuda.asked == [("CUDAExecutionProvider", {"use_tf32": "0"})]


@pytest.mark.usefixtures("broken_cuda")
def test_one_that_is_asked_for_and_does_not_work_is_an_error() -> None:
    with pytest.raises(ProviderUnavailableError, match="drivers are missing"):
        Separator(execution=Execution(provider="cuda"))


@pytest.mark.slow
def test_no_bit_depends_on_the_number_of_threads() -> None:
    mixture = recorded_case("long")
    results = [
        Separator(execution=Execution(n_threads=n_threads)).separate(mixture) for n_threads in (1, 2, 3, 6)
    ]
    for stem in ("vocals", "accompaniment"):
        assert all(np.array_equal(result[stem], results[0][stem]) for result in results)
