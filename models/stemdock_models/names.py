"""Check the names of new models."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from stemdock import is_device_name
from stemdock_models.errors import ModelNameError

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from stemdock import ModelEntry

_LEGAL: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._+-]{0,62}[A-Za-z0-9_+-])?")


def check_name(name: str) -> None:
    """Check that a name is legal for a folder on every operating system.

    Raises:
        ModelNameError: It is not legal.
    """
    if not _LEGAL.fullmatch(name) or is_device_name(name):
        raise ModelNameError(
            name or "''",
            "is not a valid model name",
            remedy="Choose a name (--name) of at most 64 letters from a to z, digits, '-', '_', '+' and '.'. "
            "It starts with a letter or digit and does not end with '.'.",
        )


def check_own(name: str, offered: Iterable[ModelEntry], own: Container[ModelEntry]) -> None:
    """Check that a name is not that of another package's model, which an installed one cannot replace.

    Args:
        name: Name of the new model.
        offered: The models of all plug-ins.
        own: The models of this plug-in.

    Raises:
        ModelNameError: It is.
    """
    for entry in offered:
        if entry.name == name and entry not in own:
            owner = f"the package {entry.source}" if entry.source else "another package"
            raise ModelNameError(name, f"belongs to {owner}", remedy="Choose another name (--name).")


def check_free(name: str, taken: Iterable[str], reserved: Iterable[str], *, overwrite: bool) -> None:
    """Check that no other model has a name.

    Args:
        name: Name of the new model.
        taken: Names of the models that exist.
        reserved: Names of models that can be downloaded.
        overwrite: Whether the new model may replace the model of exactly this name.

    Raises:
        ModelNameError: It is taken, or differs from another only in upper and lower case.
    """
    taken = set(taken)
    if name in taken and not overwrite:
        raise ModelNameError(
            name,
            "a model of this name already exists",
            remedy="Choose another name (--name), or replace the model (--overwrite).",
        )
    for other in sorted(taken | set(reserved)):
        if other != name and other.casefold() == name.casefold():
            raise ModelNameError(
                name,
                f"differs from {other} only in upper and lower case, which many file systems ignore",
                remedy="Choose another name (--name).",
            )
