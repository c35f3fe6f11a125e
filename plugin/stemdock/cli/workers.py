"""The workers of plugin-cli separate, which do what the recipe says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from stemdock.batch.shared_places import SharedRecipe, shared
from stemdock.batch.worker_pool import WorkerPool
from stemdock.batch.worker_process import Processes
from stemdock.cli.pages import PagedRecipe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import ExitStack
    from pathlib import Path
    from threading import Event

    from stemdock.batch.recipe import SeparationRecipe
    from stemdock.batch.songs import Song
    from stemdock.batch.working import Recipe
    from stemdock.cli.pages import Pages
    from stemdock.entries import Workforce
    from stemdock.errors import StemdockError
    from stemdock.types import Execution

_PATIENCE: Final = 30.0
"""Seconds without any worker of an engine that is ready, after which people are told."""


def worker_pool(
    recipe: SeparationRecipe,
    shares: Sequence[Execution],
    pages: Pages,
    songs: Sequence[Song],
    workforce: Workforce | None,
    *,
    n_least: int,
    n_songs: int,
    cancel: Event,
    warn: Callable[[StemdockError], None],
    inputs: ExitStack,
) -> WorkerPool:
    """The pool of a run with several workers.

    Args:
        recipe: What is done with each song.
        shares: How the network of each worker runs.
        pages: The pages of the songs.
        songs: All of them.
        workforce: What an engine starts workers with; None for processes of this machine.
        n_least: Workers to start at once.
        n_songs: Songs in each worker at the same time.
        cancel: Set to stop soon.
        warn: Takes warnings.
        inputs: Closed after the run.
    """
    witnesses = inputs.enter_context(shared(recipe.root, songs)) if workforce else None
    return WorkerPool(
        [_recipe_of_worker(recipe, share, pages, witnesses) for share in shares],
        workforce or Processes(),
        n_least=n_least,
        n_songs=n_songs,
        cancel=cancel,
        clean=recipe.clean,
        warn=warn,
        patience=_PATIENCE if workforce else None,
    )


def _recipe_of_worker(
    recipe: SeparationRecipe, share: Execution, pages: Pages, witnesses: Sequence[Path] | None
) -> Recipe:
    """The recipe of one worker; with witnesses (perhaps none), one that is perhaps on another machine."""
    paged = PagedRecipe(replace(recipe, execution=share), pages)
    return paged if witnesses is None else SharedRecipe(recipe=paged, witnesses=witnesses)
