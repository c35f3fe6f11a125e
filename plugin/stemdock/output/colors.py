"""Colours of stems in other programs."""

from __future__ import annotations

from typing import Final

COLORS: Final = ("#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#0072B2", "#E69F00")
"""For stems: colours that people with any colour vision can tell apart (Okabe and Ito, 2008)."""
GREY: Final = "#9F9F9F"
"""For what is not to be heard."""
