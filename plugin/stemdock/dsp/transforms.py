"""Fourier transforms of real samples, by scipy: the only module that knows it.

`scipy.fft` imports most of scipy and of numpy. This takes 0.3 s of processor time, as much as the
network takes for 20 s of song.

The transforms are one compiled module in it, pocketfft, which is loaded alone. If scipy has it elsewhere or
in another form, the functions of `scipy.fft` are used, with the same result.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

if TYPE_CHECKING:
    from types import ModuleType

    from stemdock.types import ComplexArray, FloatArray

_MODULE: Final = "scipy.fft._pocketfft.pypocketfft"
_LOADING: Final = Lock()
_UNSCALED, _BY_LENGTH = 0, 2
"""pocketfft's numbers of scales."""


def load_transforms() -> None:
    """Imports scipy's transforms before they are needed."""
    _pocketfft()


def rfft(frames: FloatArray) -> ComplexArray:
    """The spectrum of each row.

    Args:
        frames: `(n_frames, frame_length)` float32.

    Returns:
        `(n_frames, frame_length // 2 + 1)` complex64, not scaled.
    """
    pocketfft = _pocketfft()
    if pocketfft is None:
        from scipy import fft  # noqa: PLC0415  imported slowly

        return fft.rfft(frames, axis=-1)
    return _rfft(pocketfft, frames)


def irfft(spectrum: ComplexArray, frame_length: int) -> FloatArray:
    """The inverse of `rfft`.

    Args:
        spectrum: `(n_frames, n_bins)` complex64. Missing bins at the top count as zero.
        frame_length: Samples in a frame, even.

    Returns:
        `(n_frames, frame_length)` float32.
    """
    pocketfft = _pocketfft()
    if pocketfft is None:
        from scipy import fft  # noqa: PLC0415  imported slowly

        return fft.irfft(spectrum, n=frame_length, axis=-1)
    n_frames, n_bins = spectrum.shape
    whole = np.zeros((n_frames, frame_length // 2 + 1), np.complex64)
    whole[:, :n_bins] = spectrum
    return _irfft(pocketfft, whole, frame_length)


def _pocketfft() -> ModuleType | None:
    """The compiled module; None if this scipy does not have it as expected."""
    with _LOADING:  # the first transforms run in several threads
        return _tried()


@cache
def _tried() -> ModuleType | None:
    try:
        module = _load()
        ramp = np.arange(8, dtype=np.float32)[np.newaxis]
        spectrum = _rfft(module, ramp)
        works = np.allclose(spectrum, np.fft.rfft(ramp)) and np.allclose(_irfft(module, spectrum, 8), ramp)
    except Exception:  # noqa: BLE001  another form may fail in any way
        return None
    return module if works else None


def _load() -> ModuleType:
    """The module under its own name, so that a later import of `scipy.fft` uses it.

    With a second copy, some versions of scipy crash when Python ends.
    """
    if _MODULE in sys.modules:
        return sys.modules[_MODULE]
    package, *names = _MODULE.split(".")
    scipy = find_spec(package)  # does not import it
    if scipy is None or scipy.origin is None:
        raise ImportError("scipy is missing")
    place = Path(scipy.origin).parent.joinpath(*names)
    for suffix in EXTENSION_SUFFIXES:
        path = place.with_name(f"{place.name}{suffix}")
        spec = spec_from_file_location(_MODULE, path) if path.is_file() else None
        if spec is not None and spec.loader is not None:
            module = sys.modules[_MODULE] = module_from_spec(spec)
            try:
                spec.loader.exec_module(module)
            except BaseException:
                del sys.modules[_MODULE]
                raise
            return module
    raise ImportError("scipy has other transforms")


def _rfft(pocketfft: Any, frames: FloatArray) -> ComplexArray:
    return cast("ComplexArray", pocketfft.r2c(frames, (-1,), True, _UNSCALED, None, 1))


def _irfft(pocketfft: Any, spectrum: ComplexArray, frame_length: int) -> FloatArray:
    return cast("FloatArray", pocketfft.c2r(spectrum, (-1,), frame_length, False, _BY_LENGTH, None, 1))
