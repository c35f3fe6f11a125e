"""Converts checkpoints with TensorFlow and tf2onnx, and compares every model with TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from stemdock_export.bundle import Bundle
from stemdock_export.checkpoint import check_variables, read_variables
from stemdock_export.compact import compact_weights
from stemdock_export.errors import ExtraMissingError
from stemdock_export.extra import import_extra, import_tensorflow
from stemdock_export.parity import measure_parity, require_parity
from stemdock_export.tf_conversion import convert_graph
from stemdock_export.tf_network import build_graph
from stemdock_export.unet import describe_network

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stemdock_export.checkpoint import Checkpoint
    from stemdock_export.compact import WeightStorage
    from stemdock_export.config import SpleeterConfig
    from stemdock_export.figures import StemFigures
    from stemdock_export.unet import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceConverter:
    """Builds the network in TensorFlow and translates its graph."""

    weights: WeightStorage = "float32"
    """How to store the large kernels."""

    @property
    def libraries(self) -> str:
        """Marks the converter in the model card."""
        return f"tf2onnx {version('tf2onnx')}"

    def read(
        self, checkpoint: Checkpoint, config: SpleeterConfig, on_step: Callable[[str], None]
    ) -> ReferenceConversion:
        """Reads the checkpoint into a TensorFlow graph.

        Raises:
            CheckpointError: The checkpoint cannot be read or does not match the configuration.
            ExtraMissingError: A package of the `[export]` extra is not installed.
        """
        network = describe_network(config)
        on_step("loading TensorFlow")
        try:
            import_tensorflow()
            import_extra("onnx")
            import_extra("tf2onnx")
        except ExtraMissingError:
            # The installation takes long. It must not end in the news that the checkpoint does not fit.
            check_variables(checkpoint.prefix, network, Bundle(checkpoint).shapes)
            raise
        on_step(f"reading {checkpoint.prefix}")
        graph = build_graph(config, network, read_variables(checkpoint, network))
        return ReferenceConversion(graph=graph, config=config, network=network, weights=self.weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceConversion:
    """A checkpoint as a TensorFlow graph."""

    graph: Any
    """A `tf.Graph`."""
    config: SpleeterConfig
    network: Network
    weights: WeightStorage

    def make_model(self) -> Any:
        """Translates the graph to an `onnx.ModelProto`."""
        model = convert_graph(self.graph, self.network)
        if self.weights == "int16":
            compact_weights(model)
        return model

    def check(self, path: Path) -> tuple[StemFigures, ...]:
        """Compares the model's estimates with TensorFlow's.

        Raises:
            ParityError: They differ too much.
        """
        figures = measure_parity(self.graph, self.network, self.config, path)
        require_parity(figures, self.weights)
        return figures
