"""Converts checkpoints with numpy and onnx alone, without TensorFlow. Downloaded models are made this way."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from stemdock_export.bundle import Bundle
from stemdock_export.checkpoint import check_variables
from stemdock_export.extra import import_extra
from stemdock_export.onnx_network import build_model
from stemdock_export.self_check import check_estimates
from stemdock_export.unet import describe_network

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stemdock_export.checkpoint import Checkpoint
    from stemdock_export.config import SpleeterConfig
    from stemdock_export.figures import StemFigures
    from stemdock_export.unet import Network


@dataclass(frozen=True, slots=True)
class DirectConverter:
    """Builds the ONNX graph node by node from the checkpoint's variables."""

    @property
    def libraries(self) -> str:
        """Marks the converter in the model card."""
        return f"direct, onnx {version('onnx')}"

    def read(
        self, checkpoint: Checkpoint, config: SpleeterConfig, on_step: Callable[[str], None]
    ) -> DirectConversion:
        """Reads the checkpoint's index.

        Raises:
            CheckpointError: The checkpoint cannot be read or does not match the configuration.
            ExtraMissingError: onnx or google-crc32c is not installed.
        """
        import_extra("google_crc32c")
        import_extra("onnx")
        on_step(f"reading {checkpoint.prefix}")
        network = describe_network(config)
        bundle = Bundle(checkpoint)
        check_variables(checkpoint.prefix, network, bundle.shapes)
        return DirectConversion(checkpoint=checkpoint, config=config, network=network, bundle=bundle)


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectConversion:
    """A checkpoint whose variables fit the network."""

    checkpoint: Checkpoint
    config: SpleeterConfig
    network: Network
    bundle: Bundle

    def make_model(self) -> Any:
        """Builds the `onnx.ModelProto`."""
        return build_model(self.config, self.network, self.bundle.read)

    def check(self, path: Path) -> tuple[StemFigures, ...]:
        """Separates one segment of noise with the model. There is no reference to compare it with.

        Raises:
            SelfCheckError: The model gives no usable estimates.
        """
        check_estimates(path, self.config, self.checkpoint.prefix)
        return ()
