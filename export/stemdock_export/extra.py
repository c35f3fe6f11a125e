"""The one door to TensorFlow, tf2onnx, onnx and google-crc32c: imported late, and without their chatter."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from stemdock_export.errors import ExtraMissingError

if TYPE_CHECKING:
    from collections.abc import Iterator


def import_tensorflow() -> Any:
    """The module `tensorflow`, on the CPU and quiet.

    Raises:
        ExtraMissingError: It is not installed.
    """
    # TensorFlow reads these when its libraries are loaded, so they must be there before.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # oneDNN rounds in another order from one processor to the next; the reference must not.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    return import_extra("tensorflow")


def import_extra(name: str) -> Any:
    """A module that only conversion needs.

    Raises:
        ExtraMissingError: It is not installed.
    """
    with quiet():
        try:
            return import_module(name)
        except ModuleNotFoundError as error:
            raise ExtraMissingError(error.name or name) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps libraries from writing to stderr, also those that write past Python.

    What they wrote is shown after all if the block raises, for it may tell why.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with tempfile.TemporaryFile() as chatter, warnings.catch_warnings():
            # Warnings about their own use of one another, which nobody here can mend.
            warnings.simplefilter("ignore")
            os.dup2(chatter.fileno(), 2)
            try:
                yield
            except Exception:
                os.dup2(kept, 2)
                chatter.seek(0)
                os.write(2, chatter.read())
                raise
            finally:
                sys.stderr.flush()
                os.dup2(kept, 2)
    finally:
        os.close(kept)
