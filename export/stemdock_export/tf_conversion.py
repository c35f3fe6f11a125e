"""Translates the TensorFlow graph to an ONNX model. The weights stay the checkpoint's, bit for bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stemdock import INPUT_NAME
from stemdock_export.extra import import_extra, quiet
from stemdock_export.model_file import IR_VERSION, OPSET
from stemdock_export.naming import name_parts
from stemdock_export.tf_network import output_names
from stemdock_export.tidying import drop_idle_reshapes, sort_graph, spell_out_sigmoids

if TYPE_CHECKING:
    from stemdock_export.unet import Network


def convert_graph(graph: Any, network: Network) -> Any:
    """An `onnx.ModelProto` of a graph from `tf_network.build_graph`.

    Its input is `stemdock.INPUT_NAME`, its outputs are the stems in order. All have the shape
    `(n_segments, n_frames, n_bins, n_channels)`, in which only `n_segments` is variable.

    Raises:
        ExtraMissingError: tf2onnx or onnx is not installed.
    """
    tf2onnx = import_extra("tf2onnx")
    with quiet():
        model, _ = tf2onnx.convert.from_graph_def(
            graph.as_graph_def(),
            input_names=[f"{INPUT_NAME}:0"],
            output_names=[f"{name}:0" for name in output_names(network)],
            opset=OPSET,
        )
    model.ir_version = IR_VERSION
    drop_idle_reshapes(model)
    spell_out_sigmoids(model)
    sort_graph(model)
    name_parts(model, network)
    return model
