"""Gives the parts of a converted graph names that people can read."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from stemdock import INPUT_NAME
from stemdock_export.tf_network import output_names, scopes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stemdock_export.unet import Network

_ROLES: Final = {
    "Conv": ("", "kernel", "bias"),
    "ConvTranspose": ("", "kernel", "bias"),
    "BatchNormalization": ("", "gamma", "beta", "mean", "variance"),
}
"""Roles of a node's inputs by position; the first input is the tensor from the previous node."""


def name_parts(model: Any, network: Network) -> None:
    """Names nodes by stem, level and operator, tensors by their node, and weights by their role, in place."""
    graph = model.graph
    stems = [unet.stem for unet in network.unets]
    folders = dict(zip(scopes(network), stems, strict=True))
    names = {f"{INPUT_NAME}:0": INPUT_NAME}
    names.update(zip((f"{name}:0" for name in output_names(network)), stems, strict=True))
    taken = Counter(names.values())
    constants = {constant.name for constant in graph.initializer}
    for node in graph.node:
        node.name = _unique(f"{_folder(node, folders, names)}/{node.op_type}", taken)
        roles = _ROLES.get(node.op_type, ())
        for position, name in enumerate(node.input):
            if name in constants and name not in names:
                role = roles[position] if position < len(roles) else "constant"
                names[name] = _unique(f"{node.name}/{role}", taken)
            node.input[position] = names.get(name, name)
        for position, name in enumerate(node.output):
            names.setdefault(name, node.name if len(node.output) == 1 else f"{node.name}/{position}")
            node.output[position] = names[name]
    for constant in graph.initializer:
        constant.name = names[constant.name]
    for value in (*graph.input, *graph.output):
        value.name = names[value.name]
        value.type.tensor_type.shape.dim[0].dim_param = "n_segments"
    # They have the old names, and every runtime infers the shapes itself.
    graph.ClearField("value_info")


def _folder(node: Any, folders: Mapping[str, str], names: Mapping[str, str]) -> str:
    """The part of the network that a node is in: a level such as `vocals/encoder_1`, a stem, or "masks"."""
    scope, *levels = node.name.split("/")[:-1] or [""]
    if node.op_type == "Transpose" and names.get(node.input[0]) == INPUT_NAME:
        # tf2onnx gives it the name of one stem's network, but all of them share it.
        return INPUT_NAME
    if not scope:
        return names.get(node.output[0], "masks")
    return "/".join((folders.get(scope, scope), *levels))


def _unique(name: str, taken: Counter[str]) -> str:
    taken[name] += 1
    return name if taken[name] == 1 else f"{name}_{taken[name]}"
