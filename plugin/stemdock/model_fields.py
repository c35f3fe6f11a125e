"""Facts that every model has, whatever its engine, and their ranges."""

from __future__ import annotations

import re
from typing import Final

from stemdock.errors import ModelContractError

_MAX_SAMPLE_RATE: Final = 768_000
"""Hz."""
_FILE_NAME: Final = re.compile(r'(?!\.)[^\x00-\x1f\x7f-\x9f<>:"/\\|?*\ud800-\udfff]{1,64}(?<![ .])')
"""Legal name of a stem: it names files on every operating system, and an output of the graph."""


def check_model_fields(name: str, stems: tuple[str, ...], sample_rate: int, *, min_stems: int) -> None:
    """Checks the facts that every model has.

    Args:
        name: Name of the model.
        stems: Its stems.
        sample_rate: Hz.
        min_stems: Smallest number of stems.

    Raises:
        ModelContractError: One of them is unusable.
    """
    raise_first(
        name,
        (not name.isprintable() or not name.strip(), f"the model name {name!r} is not printable text"),
        (len(stems) < min_stems, f"the model needs at least {min_stems} stems but names {len(stems)}"),
        (len(set(stems)) != len(stems), "the model names a stem twice"),
        (
            not all(_FILE_NAME.fullmatch(stem) for stem in stems),
            f"a stem has a name that is illegal for files: {', '.join(map(repr, stems))}",
        ),
        (
            not 0 < sample_rate <= _MAX_SAMPLE_RATE,
            f"the sample rate {sample_rate} Hz is outside 1 to {_MAX_SAMPLE_RATE} Hz",
        ),
    )


def raise_first(name: str, *faults: tuple[bool, str]) -> None:
    """Raises the error of the first fault, if there is one.

    Args:
        name: Name of the model.
        faults: For each possible fault whether it is there, and its description.

    Raises:
        ModelContractError: There is one.
    """
    for wrong, reason in faults:
        if wrong:
            raise ModelContractError(name or "model", reason, remedy="Install or export the model again.")
