"""Names that a model can have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from stemdock_models.errors import ModelNameError

if TYPE_CHECKING:
    from collections.abc import Iterable

_LEGAL: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._+-]{0,62}[A-Za-z0-9_+-])?")
_DEVICE: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""What Windows takes for a device, whatever its extension."""


def check_name(name: str) -> None:
    """Refuses what is no name for a folder on every system.

    Raises:
        ModelNameError: It is not.
    """
    if not _LEGAL.fullmatch(name) or _DEVICE.fullmatch(name):
        raise ModelNameError(
            name or "''",
            "cannot name a model",
            remedy="Choose a name (--name) of up to 64 letters from a to z, digits, '-', '_', '+' and '.', "
            "with a letter or digit in front.",
        )


def check_free(name: str, taken: Iterable[str], reserved: Iterable[str], *, overwrite: bool) -> None:
    """Refuses a name that is another model's.

    Args:
        name: The new model's.
        taken: Names of models that are there.
        reserved: Names that other models may come to have.
        overwrite: Whether the model of that very name may be replaced.

    Raises:
        ModelNameError: It is taken, or differs from another only in case.
    """
    taken = set(taken)
    if name in taken and not overwrite:
        raise ModelNameError(
            name,
            "there is a model of that name already",
            remedy="Choose another name (--name), or allow replacing it (--overwrite).",
        )
    for other in sorted(taken | set(reserved)):
        if other != name and other.casefold() == name.casefold():
            raise ModelNameError(
                name,
                f"differs from {other} only in case, which many file systems do not tell apart",
                remedy="Choose another name (--name).",
            )
