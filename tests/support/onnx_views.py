"""What three readers see in one model file: Stemdock, the library onnx, and onnxruntime."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnx
import onnxruntime

from stemdock.inference.onnx_file import read_model, texts_of
from stemdock.inference.protobuf import as_message, read_fields, read_varint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NODE, _INITIALIZER, _INPUT, _OUTPUT, _METADATA = 1, 5, 11, 12, 14
_ATTRIBUTE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The parts of a model that decide what it computes."""

    nodes: Sequence[Any]
    """Domain, operator, inputs, outputs and attributes with their integers; sorted."""
    initializers: Sequence[tuple[str, Sequence[int]]]
    """Names and shapes; sorted."""
    inputs: Sequence[str]
    outputs: Sequence[str]
    metadata: Mapping[str, str]


def stemdock_view(path: Path) -> View:
    """As Stemdock reads a file; raises its errors."""
    model = read_model(path)
    nodes, initializers = [], []
    names: dict[int, list[str]] = {_INPUT: [], _OUTPUT: []}
    for number, value in model.graph:
        if number == _NODE:
            operator, domain, inputs, outputs = (texts_of(value, field) for field in (4, 7, 1, 2))
            attributes = [
                ("".join(texts_of(attribute, 1)), _integers(attribute, 3) + _integers(attribute, 8))
                for field, attribute in read_fields(as_message(value))
                if field == _ATTRIBUTE
            ]
            nodes.append(_node("".join(domain), "".join(operator), inputs, outputs, attributes))
        elif number == _INITIALIZER:
            initializers.append(("".join(texts_of(value, 8)), _integers(value, 1)))
        elif number in names:
            names[number] += texts_of(value, 1)
    metadata = {
        "".join(texts_of(value, 1)): "".join(texts_of(value, 2))
        for number, value in model.around
        if number == _METADATA
    }
    return View(
        nodes=sorted(nodes),
        initializers=sorted(initializers),
        inputs=names[_INPUT],
        outputs=names[_OUTPUT],
        metadata=metadata,
    )


def onnx_view(content: bytes) -> View:
    """As the library onnx reads it; raises its errors."""
    model = onnx.load_from_string(content)
    return View(
        nodes=sorted(
            _node(
                node.domain,
                node.op_type,
                list(node.input),
                list(node.output),
                [
                    (each.name, [*([each.i] if each.HasField("i") else []), *each.ints])
                    for each in node.attribute
                ],
            )
            for node in model.graph.node
        ),
        initializers=sorted((tensor.name, list(tensor.dims)) for tensor in model.graph.initializer),
        inputs=[value.name for value in model.graph.input],
        outputs=[value.name for value in model.graph.output],
        metadata={entry.key: entry.value for entry in model.metadata_props},
    )


def runtime_view(content: bytes) -> View:
    """As onnxruntime loads it, unchanged; raises its errors."""
    return runtime_reading(content)[0]


def runtime_reading(content: bytes) -> tuple[View, Any]:
    """As onnxruntime loads it, unchanged, and the message that it writes of it; raises its errors."""
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.optimized_model_filepath = f"{folder}/loaded.onnx"
        options.add_session_config_entry("session.load_model_format", "ONNX")
        session = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"], enable_fallback=0
        )
        written = Path(options.optimized_model_filepath).read_bytes()
    loaded = onnx_view(written)
    view = View(
        nodes=loaded.nodes,
        initializers=loaded.initializers,
        inputs=[value.name for value in session.get_inputs()],
        outputs=[value.name for value in session.get_outputs()],
        metadata=dict(session.get_modelmeta().custom_metadata_map),
    )
    return view, onnx.load_from_string(written)


def stemdock_message(path: Path) -> Any:
    """What Stemdock passes on of a file that it has read, as a message; raises its errors."""
    return onnx.load_from_string(b"".join(read_model(path).pieces()))


def computation(model: Any) -> Any:
    """All of a message that decides what it computes: attributes, weights and types in full."""
    graph = model.graph
    nodes = [
        (
            _standard(node.domain),
            node.op_type,
            list(node.input),
            list(node.output),
            sorted(_without_text(attribute) for attribute in node.attribute),
        )
        for node in graph.node
    ]
    weights = [
        (tensor.name, list(tensor.dims), tensor.data_type, onnx.numpy_helper.to_array(tensor).tobytes())
        for tensor in graph.initializer
    ]
    values = [[_without_text(value) for value in row] for row in (graph.input, graph.output)]
    return sorted(nodes), sorted(weights), values


def _without_text(message: Any) -> bytes:
    copy = type(message)()
    copy.CopyFrom(message)
    copy.ClearField("doc_string")
    content: bytes = copy.SerializeToString(deterministic=True)
    return content


def _node(
    domain: str,
    operator: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    attributes: Sequence[tuple[str, list[int]]],
) -> Any:
    return _standard(domain), operator, list(inputs), list(outputs), sorted(attributes)


def _standard(domain: str) -> str:
    return "" if domain == "ai.onnx" else domain


def _integers(message: int | memoryview, wanted: int) -> list[int]:
    """The integers in a message's fields of one number, each in a field of its own or in a row."""
    integers: list[int] = []
    for number, value in read_fields(as_message(message)):
        if number == wanted and isinstance(value, int):
            integers.append(value)
        elif number == wanted:
            row, position = as_message(value), 0
            while position < len(row):
                integer, position = read_varint(row, position)
                integers.append(integer)
    return [integer - (1 << 64) if integer >> 63 else integer for integer in integers]
