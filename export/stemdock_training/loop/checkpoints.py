"""The checkpoints of a training, in TensorFlow's format, with the names of the original.

The original goes on from a checkpoint of ours, and ours from one of its. A checkpoint is complete when
the text file `checkpoint` names it; until then the previous one counts.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from stemdock import StemdockError, make_folder, move_all_to_place, os_errors_as, staging, write_atomically
from stemdock_export.checkpoint import find_checkpoint, read_variables
from stemdock_export.errors import CheckpointError, VariableError
from stemdock_export.extra import import_tensorflow, quiet
from stemdock_training.errors import TrainingWriteError
from stemdock_training.loss.trainer import MEAN_SLOT, VARIANCE_SLOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from stemdock import FloatArray
    from stemdock_export.unet import Network

STATE_FILE: Final = "checkpoint"
_STEM: Final = "model.ckpt"
"""Start of the file names, as in the original, before the number of the step."""
_FILE: Final = re.compile(rf"{re.escape(_STEM)}-\d+\.(index|data-\d+-of-\d+)")
_DAMAGED: Final = (
    "Put back an intact copy of the files, or start anew in another folder (--output). Its --from may be an "
    "earlier model."
)
_PROBE: Final = ".probe"
"""The original uses a folder of a model only if this file is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedTraining:
    """What a training goes on from."""

    values: Mapping[str, FloatArray]
    """Every variable of the network, by name."""
    moments: Mapping[str, FloatArray]
    """Adam's moments by variable and slot; empty if the checkpoint has none."""
    step: int
    """Steps that were made."""


def has_checkpoint(folder: Path) -> bool:
    """Whether a training in this folder has written a checkpoint."""
    # Unlike the methods of Path, it is False for a name that is too long.
    return os.path.isfile(folder / STATE_FILE)  # noqa: PTH113


def load_training(folder: Path, network: Network) -> SavedTraining:
    """Reads the latest checkpoint of a folder.

    Raises:
        CheckpointError: It is damaged, or of another network.
    """
    tf = import_tensorflow(for_reference=False)
    try:
        checkpoint = find_checkpoint(folder)
        values = read_variables(checkpoint, network)
    except VariableError:
        raise
    except CheckpointError as error:
        # The remedy was for a checkpoint from an archive.
        reason = str(error).removeprefix(f"{error.path}: ")
        raise CheckpointError(error.path, reason, remedy=_DAMAGED) from error
    try:
        with quiet():
            reader = tf.train.load_checkpoint(str(checkpoint.prefix))
        found = reader.get_variable_to_shape_map()
        slots = [f"{name}/{slot}" for name in values for slot in (MEAN_SLOT, VARIANCE_SLOT)]
        moments = {name: reader.get_tensor(name) for name in slots if name in found}
        step = int(reader.get_tensor("global_step")) if "global_step" in found else 0
    except (tf.errors.OpError, LookupError, RuntimeError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise CheckpointError(checkpoint.prefix, f"cannot be read ({reason})", remedy=_DAMAGED) from error
    return SavedTraining(values=values, moments=moments, step=step)


def save_training(folder: Path, state: Mapping[str, Any], step: int) -> None:
    """Writes a checkpoint and removes the previous one.

    The checkpoint appears complete or not at all.

    Args:
        folder: The folder of the training.
        state: All tensors by name.
        step: Steps that were made.

    Raises:
        TrainingWriteError: It cannot be written. The previous checkpoint stays.
    """
    tf = import_tensorflow(for_reference=False)
    name = f"{_STEM}-{step}"
    with os_errors_as(lambda reason: TrainingWriteError(folder, reason), keep=StemdockError):
        make_folder(folder)
        with staging(folder) as scratch:
            try:
                tf.raw_ops.SaveV2(
                    prefix=str(scratch / name),
                    tensor_names=list(state),
                    shape_and_slices=[""] * len(state),
                    tensors=[tf.constant(value) for value in state.values()],
                )
            except tf.errors.OpError as error:
                reason = next(iter(str(error.message).splitlines()), type(error).__name__)
                raise TrainingWriteError(folder, reason.removesuffix(" [Op:SaveV2]")) from error
            places = {path: folder / path.name for path in scratch.glob(f"{name}.*")}
            move_all_to_place(places, durable=True)
        line = f'model_checkpoint_path: "{name}"\nall_model_checkpoint_paths: "{name}"\n'
        write_atomically(folder / STATE_FILE, line.encode(), durable=True)
        write_atomically(folder / _PROBE, b"OK")
    for path in folder.iterdir():
        if _FILE.fullmatch(path.name) and not path.name.startswith(f"{name}."):
            with suppress(OSError):  # it costs only space
                path.unlink()
