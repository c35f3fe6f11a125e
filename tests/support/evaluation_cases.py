"""True sources and estimates of them, `(n_sources, n_samples, 2)` at 8000 Hz, that museval has rated."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.signal import lfilter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Case: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]


def leaking() -> Case:
    """Four coloured sources; every estimate is filtered, hears the others, and is noisy."""
    noise = np.random.RandomState(1)
    colours = ([1.0], [1, 0.9], [1, -0.7, 0.3], [1, 0, 0.5])
    references = np.stack([lfilter(colour, [1.0], noise.randn(26000, 2), axis=0) for colour in colours])
    estimates = lfilter([0.2, 0.7, 0.2], [1.0], references, axis=1)
    estimates[..., 0] += 0.2 * references[..., 1]
    return references, estimates + 0.2 * references[::-1] + 0.1 * noise.randn(*references.shape)


def silent_second() -> Case:
    """As above, but one source says nothing in the second second, nor does its estimate."""
    references, estimates = leaking()
    references[2, 8000:16000] = 0
    estimates[2, 8000:16000] = 0
    return references[1:], estimates[1:]


def equal_channels() -> Case:
    """Sources and estimates whose two channels are the same."""
    references, estimates = leaking()
    return references[:2, :, :1].repeat(2, axis=2), estimates[:2, :, :1].repeat(2, axis=2)


def shorter_than_a_second() -> Case:
    """One frame, as long as there is."""
    references, estimates = leaking()
    return references[:2, :6000], estimates[:2, :6000]


CASES: Mapping[str, Callable[[], Case]] = {
    case.__name__: case for case in (leaking, silent_second, equal_channels, shorter_than_a_second)
}
