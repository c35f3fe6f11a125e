"""Which execution providers there are, what people call them, and which package brings each.

A provider is the part of onnxruntime that runs a network on one kind of hardware. The packages share
one import name, so an installation has one of them; all of them have the CPU.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from stemdock.errors import ProviderUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stemdock.types import Execution

AUTO: Final = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One kind of hardware, or of software for it."""

    onnx_name: str
    """What onnxruntime calls it."""
    package: str
    """What brings it, as pip calls it."""
    automatic: bool
    """Whether it is taken unasked: it is if it computes in float32 and is never slower."""
    bfloat16: Mapping[str, str] = field(default_factory=dict)
    """Settings that make it compute in bfloat16; none if it cannot."""


PROVIDERS: Final[Mapping[str, Provider]] = {
    "cuda": Provider(onnx_name="CUDAExecutionProvider", package="onnxruntime-gpu", automatic=True),
    "directml": Provider(onnx_name="DmlExecutionProvider", package="onnxruntime-directml", automatic=True),
    "coreml": Provider(
        onnx_name="CoreMLExecutionProvider", package="onnxruntime (on macOS)", automatic=False
    ),
    "openvino": Provider(
        onnx_name="OpenVINOExecutionProvider",
        package="onnxruntime-openvino",
        automatic=False,
        bfloat16={"device_type": "CPU", "load_config": '{"CPU":{"INFERENCE_PRECISION_HINT":"bf16"}}'},
    ),
    "cpu": Provider(onnx_name="CPUExecutionProvider", package="onnxruntime", automatic=True),
}
"""By the name that people use, in order of preference."""


def candidates(execution: Execution, available: Sequence[str]) -> list[str]:
    """The providers to try, best first.

    Args:
        execution: What is wanted.
        available: What onnxruntime says it has, by its own names.

    Raises:
        ProviderUnavailableError: There is none of that name, the installed onnxruntime lacks it, or it
            lacks the precision.
    """
    wanted = execution.provider
    if wanted == AUTO and execution.precision == "float32":
        return [name for name, each in PROVIDERS.items() if each.automatic and each.onnx_name in available]
    if wanted == AUTO:
        wanted = next(name for name, each in PROVIDERS.items() if each.bfloat16)
    provider = PROVIDERS.get(wanted)
    if provider is None:
        raise ProviderUnavailableError(
            wanted, "there is no such provider", remedy=f"Known are: {', '.join((AUTO, *PROVIDERS))}."
        )
    if provider.onnx_name not in available:
        raise ProviderUnavailableError(
            wanted,
            "the installed onnxruntime does not have this provider",
            remedy=f"Install it in place of onnxruntime: pip uninstall onnxruntime, "
            f"then pip install {provider.package}",
        )
    if execution.precision == "bfloat16" and not provider.bfloat16:
        raise ProviderUnavailableError(
            wanted, "it computes in float32 only", remedy="Use --precision float32, or --provider openvino."
        )
    return [wanted]
