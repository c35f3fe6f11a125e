"""Colours of the spectrograms.

References:
    "magma" by Nathaniel J. Smith and Stefan van der Walt, made for matplotlib 1.5 and dedicated
    to the public domain (CC0). Equal steps look equal, also in grey and to colour-blind people.
"""

from __future__ import annotations

from typing import Final

MAGMA: Final = bytes.fromhex(
    "00000402010903031206051a0a08220e0b2b130d34180f3d1d114722115029115a2f1163"
    "36106b3d0f71440f764a107952137c59157e5f187f651a806b1d81721f817822817e2482"
    "8426818b2981912b81982d809e2f7fa5317eab337cb2357bba3878c03a76c73d73cd4071"
    "d3436ed9466bdf4a68e44f64e95462ed5a5ff1605df4675cf66e5cf8765cfa7d5efb8560"
    "fc8e64fd9668fe9d6cfea571feac76feb47bfebb81fec287feca8dfed194fed89afde0a1"
    "fde7a9fceeb0fcf6b8fcfdbf"
)
"""64 shades from dark to light, each as red, green and blue."""


def spectrogram_colours() -> bytes:
    """The colours of spectrograms, 64 shades from dark to light, each as red, green and blue."""
    return MAGMA
