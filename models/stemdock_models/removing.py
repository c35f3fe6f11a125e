"""Remove a model from the store."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from stemdock import ModelError
from stemdock_models.downloaded import remove_download
from stemdock_models.errors import UnknownModelError
from stemdock_models.names import check_name

if TYPE_CHECKING:
    from stemdock import Plugins
    from stemdock_models.catalogue import Release
    from stemdock_models.installing import Task
    from stemdock_models.store import Store


def remove_model(name: str, *, store: Store, release: Release, plugins: Plugins, task: Task) -> None:
    """Remove a model that was downloaded or added, damaged or not, and what is left of its download.

    If another process is downloading the model, wait until it has finished.

    Args:
        name: The model.
        store: The folder it is removed from.
        release: The models whose archives may be partly downloaded.
        plugins: The source of all models, for the error message.
        task: Shows the progress.

    Raises:
        ModelNameError: The name is not a valid model name.
        UnknownModelError: There is no model of this name, or it is not installed.
        ModelError: The model belongs to a Python package.
        StoreError: The store cannot be written.
        CancelledError: The task was cancelled during the wait.
    """
    check_name(name)
    released = release.models.get(name)
    removed = False
    if store.folder.is_dir():
        with store.scratch(released.archive, on_wait=task.wait) if released else nullcontext():
            removed = store.remove(name, on_wait=task.wait)
            if released:
                removed |= remove_download(store.download_path(released.file_name))
    if removed:
        return
    entries = {entry.name: entry for entry in plugins.models()}
    if name not in entries:
        stored, faults = store.scan()
        removable = *(entry.name for entry in stored), *(fault.model for fault in faults)
        known = name in {download.name for download in plugins.downloads()}
        raise UnknownModelError(name, removable, "is not installed" if known else "no such model")
    file = entries[name].path
    if file and file.parent.parent == store.folder:
        raise ModelError(
            name,
            f"has no file of its own, but uses that of {file.parent.name}",
            remedy=f"Remove both with: plugin-cli models remove {file.parent.name}",
        )
    raise ModelError(
        name,
        "belongs to a Python package, not to the folder of models",
        remedy="Uninstall that package to remove the model.",
    )
