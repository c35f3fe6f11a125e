"""Models of one archive: the second is made of the first, without the archive."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stemdock import card_with_bins, write_with_bins
from stemdock_models.errors import store_errors
from stemdock_models.installing import install_model

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import ModelEntry
    from stemdock_models.catalogue import Release, ReleasedModel
    from stemdock_models.installing import Task
    from stemdock_models.store import Store


def find_twin(model: ReleasedModel, release: Release, store: Store, archive_sha256: str) -> ModelEntry | None:
    """An installed model, whole, whose weights are those of another.

    Args:
        model: The other one.
        release: What both are of.
        store: Where to look.
        archive_sha256: Of the archive that both must have come in.
    """
    for each in release.models.values():
        if (
            each.name != model.name
            and each.archive == model.archive
            and replace(each.config, source=model.config.source, n_bins=model.config.n_bins) == model.config
            and store.archive_sha256(each.name) == archive_sha256
            and (twin := store.find(each.name))
            and card_with_bins(twin.card, model.config.n_bins).name == model.name
        ):
            return twin
    return None


def install_of_twin(
    model: ReleasedModel, twin: ModelEntry, store: Store, *, work: Path, archive_sha256: str, task: Task
) -> ModelEntry:
    """Makes a model of its twin, which differs in the number of bins alone, and puts it in its place.

    Args:
        model: What is wanted.
        twin: What is there.
        store: Where both belong.
        work: Scratch folder inside the store.
        archive_sha256: Of the archive that the weights came in.
        task: Who waits for it.

    Raises:
        ModelError: The runtime cannot use it, or the disk is full.
        CancelledError: Between two steps.
    """
    task.step(f"{model.name}: making it of {twin.name}, which came in the same archive")
    store.require_space(model.n_bytes)
    path = work / f"{model.name}.onnx"
    with store_errors(store.folder):
        write_with_bins(twin.path, path, model.config.n_bins)
    return install_model(
        store, path, name=model.name, source=twin.source, archive_sha256=archive_sha256, task=task
    )
