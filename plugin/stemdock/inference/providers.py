"""The execution providers, their names, and the packages that contain them.

A provider is the part of onnxruntime that runs a network on one kind of hardware. The packages share one
import name, so an installation has one of them. All of them contain the CPU provider.
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
    """One execution provider."""

    onnx_name: str
    """Its name in onnxruntime."""
    package: str
    """Package that contains it, for pip."""
    automatic: bool
    """Whether "auto" may choose it: it computes in float32 and is never slower than the CPU."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What it needs to compute in float32."""
    bfloat16: Mapping[str, str] = field(default_factory=dict)
    """Settings that make it compute in bfloat16; empty if it does not support that."""


PROVIDERS: Final[Mapping[str, Provider]] = {
    "cuda": Provider(
        onnx_name="CUDAExecutionProvider",
        package="onnxruntime-gpu",
        automatic=True,
        # Otherwise it rounds factors to 10 bits: stems then match the CPU's to 75 dB only.
        settings={"use_tf32": "0"},
    ),
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
"""By name for users, in order of preference."""


def candidates(execution: Execution, available: Sequence[str]) -> list[str]:
    """The providers to try, best first.

    Args:
        execution: The requested provider and precision.
        available: Providers of the installed onnxruntime, by its own names.

    Raises:
        ProviderUnavailableError: The provider is unknown, not part of the installed onnxruntime, or does not
            support the precision.
    """
    wanted = execution.provider
    if wanted == AUTO and execution.precision == "float32":
        return [name for name, each in PROVIDERS.items() if each.automatic and each.onnx_name in available]
    if wanted == AUTO:
        wanted = next(name for name, each in PROVIDERS.items() if each.bfloat16)
    provider = PROVIDERS.get(wanted)
    if provider is None:
        raise ProviderUnavailableError(
            wanted, "unknown provider", remedy=f"Choose one of {', '.join((AUTO, *PROVIDERS))}."
        )
    if provider.onnx_name not in available:
        raise ProviderUnavailableError(
            wanted,
            "not part of the installed onnxruntime",
            remedy=f"Replace onnxruntime: pip uninstall onnxruntime, then pip install {provider.package}",
        )
    if execution.precision == "bfloat16" and not provider.bfloat16:
        raise ProviderUnavailableError(
            wanted, "computes in float32 only", remedy="Use --precision float32, or --provider openvino."
        )
    return [wanted]
