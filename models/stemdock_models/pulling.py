"""Check the names that `models pull` gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import ModelError
from stemdock_models.errors import UnknownModelError
from stemdock_models.installed import installed_models
from stemdock_models.store import find_store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stemdock import Plugins


def check_downloadable(names: Iterable[str], downloadable: Iterable[str], plugins: Plugins) -> None:
    """Check that models can be downloaded.

    Args:
        names: The models.
        downloadable: The names of all models that can be downloaded.
        plugins: The source of all models, for the error message.

    Raises:
        UnknownModelError: There is no model of this name.
        ModelError: The model is installed, but there is no download of it.
    """
    known = tuple(downloadable)
    for name in names:
        if name in known:
            continue
        entry = next((entry for entry in plugins.models() if entry.name == name), None)
        if entry is None:
            raise UnknownModelError(name, known)
        added = entry in installed_models(find_store())
        origin = "was added from a file or folder" if added else "comes with a plug-in"
        raise ModelError(
            name,
            f"cannot be downloaded; it {origin}",
            remedy=f"It is installed: use it with plugin-cli separate --model {name}",
        )
