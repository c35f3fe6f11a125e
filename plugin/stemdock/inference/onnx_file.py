"""A model file, taken apart into the fields of its messages without copying the weights.

References:
    onnx, `onnx/onnx.proto`.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from stemdock.card import card_from_metadata
from stemdock.errors import ModelDamagedError, ModelNotFoundError
from stemdock.inference.protobuf import FormatError, as_message, field_header, integer_field, read_fields
from stemdock.inference.vetting import find_fault
from stemdock.lib.paths import access_error, exists, is_file, kind_of

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock.card import ModelCard

_MODEL_GRAPH, _MODEL_METADATA = 7, 14
_ENTRY_KEY, _ENTRY_VALUE = 1, 2

Field: TypeAlias = tuple[int, int | memoryview]
"""Number and value."""
Pieces: TypeAlias = Sequence[bytes | memoryview]
"""Parts of an ONNX file, in order."""
_REMEDY: Final = "Use a model that `plugin-cli export` wrote; if it did, export it again."
_NO_FILE: Final = "Give the path of an .onnx file. To use a checkpoint, run plugin-cli models add."


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxModel:
    """The fields of a model."""

    path: Path
    """File that the weights are in."""
    variant: str = ""
    """What was changed after reading; empty for the file as it is."""
    around: Sequence[Field]
    """Fields of the model, without its graph."""
    graph: Sequence[Field]
    """Fields of the graph."""

    def variant_with(self, change: str) -> str:
        """The variant after one more change."""
        return f"{self.variant}, {change}" if self.variant else change

    def pieces(self) -> Pieces:
        """The contents of its ONNX file. They refer to the file's own bytes."""
        graph = _encoded(self.graph)
        return [*_encoded(self.around), field_header(_MODEL_GRAPH, sum(map(len, graph))), *graph]

    def card(self) -> ModelCard:
        """The card in the metadata.

        Raises:
            ModelContractError: There is no card, or an unusable one.
            ModelDamagedError: The metadata are damaged.
        """
        metadata: dict[str, str] = {}
        try:
            for number, value in self.around:
                if number == _MODEL_METADATA:
                    entry = {name: bytes(as_message(text)) for name, text in read_fields(as_message(value))}
                    key, text = (entry.get(each, b"").decode() for each in (_ENTRY_KEY, _ENTRY_VALUE))
                    metadata[key] = text
        except (FormatError, UnicodeDecodeError) as error:
            raise ModelDamagedError(
                str(self.path), f"its metadata are not text ({error})", remedy=_REMEDY
            ) from error
        return card_from_metadata(metadata, str(self.path))


def read_model(path: Path) -> OnnxModel:
    """Reads and checks a model file.

    Raises:
        ModelNotFoundError: The file does not exist.
        ModelDamagedError: The file is not an ONNX model, or has parts that `stemdock.inference.vetting`
            refuses.
    """
    refuse_other_kinds(path)
    if not exists(path) and not access_error(path):
        raise ModelNotFoundError(str(path), known=())
    around: list[Field] = []
    graph: list[Field] = []
    try:
        with path.open("rb") as file:
            # Mapped, so that weights are not read yet. It is closed with the last field that refers to it.
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        fault = find_fault(content)
        if not fault:
            for number, value in read_fields(content):
                if number == _MODEL_GRAPH:
                    graph += read_fields(as_message(value))
                else:
                    around.append((number, value))
    except FormatError as error:
        fault = f"it {error}"
    except ValueError:
        fault = "it is empty"
    except OSError as error:
        raise ModelDamagedError(
            str(path), f"cannot be read ({error.strerror})", remedy="Check the permissions of the file."
        ) from error
    if fault:
        raise ModelDamagedError(str(path), f"not a usable ONNX model ({fault})", remedy=_REMEDY)
    return OnnxModel(path=path, around=around, graph=graph)


def refuse_other_kinds(path: Path, model: str = "", remedy: str = _NO_FILE) -> None:
    """Refuses what is not a file: reading a pipe could wait for ever.

    Args:
        path: The file, which may be missing.
        model: Name of the model; the path if it has none.
        remedy: The advice in the error.

    Raises:
        ModelDamagedError: There is something, and it is not a file.
    """
    kind = kind_of(path)
    if kind and not is_file(path):
        subject, prefix = (model, f"{path} ") if model else (str(path), "")
        raise ModelDamagedError(subject, f"{prefix}is {kind}, not a model", remedy=remedy)


def texts_of(message: int | memoryview, wanted: int) -> list[str]:
    """The texts in a message's fields of one number, in order."""
    return [
        bytes(as_message(value)).decode("utf-8", "replace")
        for number, value in read_fields(as_message(message))
        if number == wanted
    ]


def _encoded(fields: Iterable[Field]) -> list[bytes | memoryview]:
    """Fields as bytes, their contents not copied."""
    encoded: list[bytes | memoryview] = []
    for number, value in fields:
        if isinstance(value, int):
            encoded.append(integer_field(number, value))
        else:
            encoded += [field_header(number, len(value)), value]
    return encoded
