"""Adds nodes and constants to an ONNX graph under the names that Stemdock's models use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stemdock_export.extra import import_extra

if TYPE_CHECKING:
    from collections.abc import Sequence


class GraphWriter:
    """Writes into the graph of an `onnx.ModelProto`."""

    def __init__(self, graph: Any) -> None:
        self._onnx = import_extra("onnx")
        self._graph = graph

    def node(
        self,
        operator: str,
        scope: str,
        inputs: Sequence[str],
        *,
        outputs: Sequence[str] = (),
        **attributes: float | Sequence[int],
    ) -> str:
        """Adds a node named `scope/operator`.

        Args:
            operator: Type of the node.
            scope: Part of the network that the node belongs to.
            inputs: Names of tensors.
            outputs: Names of tensors; by default one with the node's name.
            attributes: Attributes of the operator.

        Returns:
            The name of the first output.
        """
        name = f"{scope}/{operator}"
        outputs = outputs or [name]
        self._graph.node.append(
            self._onnx.helper.make_node(operator, inputs, outputs, name=name, **attributes)
        )
        return outputs[0]

    def constant(self, name: str, value: Any) -> str:
        """Adds a constant tensor and returns its name."""
        tensor = self._onnx.numpy_helper.from_array(np.ascontiguousarray(value), name)
        self._graph.initializer.append(tensor)
        return name
