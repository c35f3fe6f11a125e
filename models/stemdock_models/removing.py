"""Removes a model from the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import ModelError, ModelNotFoundError
from stemdock_models.catalogue import load_release
from stemdock_models.hub import forget_download
from stemdock_models.names import check_name

if TYPE_CHECKING:
    from stemdock import Plugins
    from stemdock_models.store import Store


def remove_model(name: str, store: Store, plugins: Plugins) -> None:
    """Removes a model that was fetched or added, damaged or not, and what is left of its download.

    Raises:
        ModelNameError: No model can have that name.
        ModelNotFoundError: Nothing is known of it.
        ModelError: It came in another way, with a package.
        StoreError: The store cannot be written.
    """
    check_name(name)
    removed = store.remove(name)
    released = load_release().models.get(name)
    if released and (path := store.download_path(released.file_name)).exists():
        forget_download(path)
        removed = True
    if removed:
        return
    entries = {entry.name: entry for entry in plugins.models()}
    if name not in entries:
        raise ModelNotFoundError(name, known=tuple(entries))
    file = entries[name].path
    if file and file.parent.parent == store.folder:
        raise ModelError(
            name,
            f"has no file of its own, but uses that of {file.parent.name}",
            remedy=f"Remove both with: plugin-cli models remove {file.parent.name}",
        )
    raise ModelError(
        name, "belongs to a package, not to the store", remedy="Uninstall that package to remove it."
    )
