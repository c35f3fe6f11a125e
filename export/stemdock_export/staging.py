"""Writes files that appear only when they are complete."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stemdock import OutputError, OutputExistsError, StemdockError

if TYPE_CHECKING:
    from collections.abc import Iterator


def check_output(output: Path, *, overwrite: bool) -> None:
    """Rejects an output where a model cannot or must not be written.

    Raises:
        OutputError: The output exists and must not be replaced, is a folder, or its folder does not exist.
    """
    if output.is_dir():
        raise OutputError(output, "is a folder", remedy="Choose a file name.")
    if not output.parent.is_dir():
        raise OutputError(
            output, "its folder does not exist", remedy="Create the folder, or choose another one."
        )
    if output.exists() and not overwrite:
        raise OutputExistsError(output)


@contextmanager
def staged_file(output: Path) -> Iterator[Path]:
    """Provides a hidden file beside the output and removes it at the end unless it was moved.

    Raises:
        OutputError: The file cannot be created, or the block raised an OSError.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{output.stem}-", suffix=".onnx", dir=output.parent)
        os.close(descriptor)
    except OSError as error:
        raise OutputError(
            output, f"cannot be written ({error.strerror})", remedy="Choose a folder with write permission."
        ) from error
    staged = Path(name)
    try:
        # mkstemp makes files private to their owner; ordinary output files follow the umask.
        staged.chmod(0o666 & ~_umask())
        yield staged
    except StemdockError:
        raise  # some of them are OSErrors too
    except OSError as error:
        raise OutputError(
            output,
            f"cannot be written ({error.strerror})",
            remedy="Check free space and permissions of the folder.",
        ) from error
    finally:
        staged.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
