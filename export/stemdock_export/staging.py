"""Files that appear when they are complete, or not at all."""

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
    """Refuses a place where no model can or may be written.

    Raises:
        OutputError: It exists and may not be replaced, is a folder, or its folder does not exist.
    """
    if output.is_dir():
        raise OutputError(output, "is a folder", remedy="Give the name of a file.")
    if not output.parent.is_dir():
        raise OutputError(output, "its folder does not exist", remedy="Make the folder, or choose another.")
    if output.exists() and not overwrite:
        raise OutputExistsError(output)


@contextmanager
def staged_file(output: Path) -> Iterator[Path]:
    """A hidden file beside the output, gone at the end unless it was moved to its place.

    Raises:
        OutputError: It cannot be made, or the block raised an OSError.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{output.stem}-", suffix=".onnx", dir=output.parent)
        os.close(descriptor)
    except OSError as error:
        raise OutputError(
            output, f"cannot be written ({error.strerror})", remedy="Choose a folder that you may write to."
        ) from error
    staged = Path(name)
    try:
        # mkstemp's are for their owner alone, unlike files that are simply written.
        staged.chmod(0o666 & ~_umask())
        yield staged
    except StemdockError:
        raise  # some are OSErrors too, and say already what is wrong
    except OSError as error:
        raise OutputError(
            output, f"cannot be written ({error.strerror})", remedy="Look for space and rights there."
        ) from error
    finally:
        staged.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
