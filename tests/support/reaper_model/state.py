"""What the parts of the model share: the state of one REAPER, and the questions that all ask of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.reaper_model.table import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.reaper_model.objects import Accessor, Item, Project, Source, Track


class State:
    """One REAPER's state; `Host` sets the attributes."""

    system: str
    version: str
    resources: Path
    clock: float
    projects: list[Project]
    current: Project
    messages: list[str]
    questions: list[str]
    answers: list[int]
    dialogs: list[str | None]
    console: str
    commands: list[str]
    on_exec: Callable[[list[str]], str | None]
    denied: Callable[[str, str], str | None]
    ext_state: dict[tuple[str, str], str]
    action_ids: dict[str, int]
    registered: list[tuple[str, bool]]
    undo_block: tuple[Project, list[Track], object] | None
    refresh: int
    view_is_stale: bool
    spare_sources: list[Source]
    accessors: list[Accessor]
    broken_files: set[str]
    unsplittable: list[Item]
    reading_speed: float
    reachable: set[int] | None
    _lua: Any
    _bridge: Any

    def is_valid(self, found: object) -> bool:
        """Whether a pointer still points to something of an open project."""
        raise NotImplementedError

    def item_project(self, item: Item) -> Project:
        return next(project for project in self.projects if item in project.items())

    def _edit(self, what: str) -> None:
        if self.undo_block is None:
            raise RefusedError(f"{what} outside an undo block")
        self.view_is_stale = True
