"""Finds the files of a checkpoint and checks its variables."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Final

from stemdock import files_sha256
from stemdock_export.errors import UNPACK_AGAIN, CheckpointError, VariableError
from stemdock_export.extra import import_tensorflow, quiet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stemdock import FloatArray
    from stemdock_export.unet import Network

_STATE_FILE: Final = "checkpoint"
"""TensorFlow's text file that names the latest checkpoint of its folder."""
_MAX_STATE_LENGTH: Final = 1 << 20
"""Bytes that are read of it; its first line is the one that counts."""
_LATEST: Final = re.compile(r'^\s*model_checkpoint_path\s*:\s*("(?:[^"\\]|\\.)*")', re.MULTILINE)
_NETWORK_VARIABLE: Final = re.compile(
    r"(conv2d|conv2d_transpose|batch_normalization)(_\d+)?/(kernel|bias|gamma|beta|moving_mean|moving_variance)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The files of one checkpoint."""

    prefix: Path
    """Path and common start of the file names; `model` in the released ones."""
    data: tuple[Path, ...]
    """The files that hold the tensors, in order."""

    @property
    def index(self) -> Path:
        """The file that lists the tensors."""
        return self.prefix.with_name(f"{self.prefix.name}.index")

    def sha256(self) -> str:
        """Hash in hex of the tensor data, of all its files one after the other."""
        return files_sha256(self.data)


def find_checkpoint(directory: Path) -> Checkpoint:
    """Finds the latest checkpoint of a folder by its text file `checkpoint`, or else the only one.

    Args:
        directory: Spleeter's `model_dir`.

    Raises:
        CheckpointError: The folder does not exist, it has no checkpoint or several without a file
            `checkpoint`, or one of the files is missing.
    """
    if not directory.is_dir():
        raise CheckpointError(
            directory,
            "is not a folder" if directory.exists() else "folder not found",
            remedy="Choose the folder of the checkpoint, for example pretrained_models/2stems.",
        )
    prefix = _latest(directory) or _only(directory)
    checkpoint = Checkpoint(prefix=prefix, data=_data(prefix))
    for path in (checkpoint.index, *checkpoint.data):
        if not path.is_file():
            raise CheckpointError(path, "file not found", remedy=UNPACK_AGAIN)
    return checkpoint


def read_variables(checkpoint: Checkpoint, network: Network) -> Mapping[str, FloatArray]:
    """Reads every variable of the network with TensorFlow, by name.

    Raises:
        VariableError: A variable is missing or has another shape, or the checkpoint has layers that
            the network lacks. The last happens if a stem is missing in the configuration.
        CheckpointError: The files are damaged.
        ExtraMissingError: TensorFlow is not installed.
    """
    tf = import_tensorflow()
    try:
        with quiet():
            reader = tf.train.load_checkpoint(str(checkpoint.prefix))
        check_variables(checkpoint.prefix, network, reader.get_variable_to_shape_map())
        return {variable.name: reader.get_tensor(variable.name) for variable in network.variables()}
    except (tf.errors.OpError, LookupError, RuntimeError, ValueError) as error:
        # TensorFlow raises a different exception for each kind of damage, some of them built in.
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise CheckpointError(checkpoint.prefix, f"cannot be read ({reason})", remedy=UNPACK_AGAIN) from error


def check_variables(prefix: Path, network: Network, found: Mapping[str, Sequence[int]]) -> None:
    """Compares the variables of a checkpoint with those of the network.

    Args:
        prefix: Prefix of the checkpoint, for error messages.
        network: The configured network.
        found: Shapes of all tensors in the checkpoint, by name.

    Raises:
        VariableError: A variable is missing or has another shape, or the checkpoint has layers that
            the network lacks. The last happens if a stem is missing in the configuration.
    """
    expected = {variable.name: variable.shape for variable in network.variables()}
    misfits = [name for name, shape in expected.items() if tuple(found.get(name, ())) != shape]
    # Extra counters and optimizer slots are fine; extra layers are not.
    misfits += [name for name in sorted(found.keys() - expected.keys()) if _NETWORK_VARIABLE.fullmatch(name)]
    if misfits:
        name, *others = misfits
        raise VariableError(
            prefix, name, expected=expected.get(name), found=found.get(name), n_others=len(others)
        )


def _latest(directory: Path) -> Path | None:
    """The prefix that the folder's `checkpoint` file names, if there is such a file."""
    state = directory / _STATE_FILE
    if not state.is_file():
        return None
    with state.open("rb") as file:
        match = _LATEST.search(file.read(_MAX_STATE_LENGTH).decode(errors="replace"))
    if match is None:
        raise CheckpointError(state, "does not name a checkpoint", remedy=UNPACK_AGAIN)
    try:
        path = str(ast.literal_eval(match[1]))  # protobuf's text format escapes as Python does
    except (SyntaxError, ValueError):
        path = match[1].strip('"')
    # The path may be absolute and of another machine, even of another operating system.
    return directory / PureWindowsPath(path).name


def _only(directory: Path) -> Path:
    prefixes = [path.with_suffix("") for path in sorted(directory.glob("*.index"))]
    if len(prefixes) != 1:
        names = ", ".join(prefix.name for prefix in prefixes)
        raise CheckpointError(
            directory,
            f"contains several checkpoints ({names}) but no file named {_STATE_FILE}"
            if prefixes
            else "contains no checkpoint",
            remedy=f"Unpack the model's archive again, including the file {_STATE_FILE}.",
        )
    return prefixes[0]


def _data(prefix: Path) -> tuple[Path, ...]:
    pattern = re.compile(re.escape(prefix.name) + r"\.data-(\d{5})-of-(\d{5})")
    matches = [match for path in prefix.parent.iterdir() if (match := pattern.fullmatch(path.name))]
    n_shards = int(matches[0][2]) if matches else 1
    return tuple(prefix.with_name(f"{prefix.name}.data-{i:05}-of-{n_shards:05}") for i in range(n_shards))
