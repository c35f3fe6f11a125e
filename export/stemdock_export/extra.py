"""Imports TensorFlow, tf2onnx, onnx and google-crc32c only when they are needed, and without log output."""

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


def import_tensorflow(*, for_reference: bool = True) -> Any:
    """Imports `tensorflow` without log output.

    Args:
        for_reference: Whether results must be the same on every machine: then TensorFlow is restricted to
            the CPU. Otherwise it uses what it finds. The first import in a process decides.

    Raises:
        ExtraMissingError: The package is not installed.
    """
    # TensorFlow reads these variables when it loads its libraries.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if for_reference:
        # oneDNN rounds differently on different processors.
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    return import_extra("tensorflow")


def import_extra(name: str) -> Any:
    """Imports a module that only conversion needs.

    Raises:
        ExtraMissingError: The package is not installed.
    """
    with quiet():
        try:
            return import_module(name)
        except ModuleNotFoundError as error:
            raise ExtraMissingError(error.name or name) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Suppresses what libraries write to stderr, even from C.

    If the block raises, the suppressed text is printed, since it may explain the error.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with tempfile.TemporaryFile() as suppressed, warnings.catch_warnings():
            # The libraries warn about their use of each other, which Stemdock cannot fix.
            warnings.simplefilter("ignore")
            os.dup2(suppressed.fileno(), 2)
            try:
                yield
            except Exception:
                os.dup2(kept, 2)
                suppressed.seek(0)
                os.write(2, suppressed.read())
                raise
            finally:
                sys.stderr.flush()
                os.dup2(kept, 2)
    finally:
        os.close(kept)
