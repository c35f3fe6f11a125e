"""One song of a batch, as a stream of events: what every pool does with it, wherever it runs."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Protocol, TypeAlias

from stemdock.batch.claims import ClaimLostError
from stemdock.batch.events import Advanced, Done, Failed, Skipped, Started, UpToDate
from stemdock.errors import CancelledError, StemdockError
from stemdock.inference.shortages import shortage_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from threading import Event

    from stemdock.batch.events import BatchEvent, SongPlan
    from stemdock.lib.locations import Place
    from stemdock.types import Progress, SeparatedFile


class Work(Protocol):
    """What is done with each song; called in several threads."""

    def finished(self, plan: SongPlan) -> UpToDate | None:
        """What a previous run finished, if that is known without a claim. Raises StemdockError."""

    def claim(self, plan: SongPlan) -> AbstractContextManager[None] | None:
        """Keeps other processes from a song until the context ends; None if one of them is doing it."""

    def __call__(self, plan: SongPlan, on_progress: Callable[[Progress], None]) -> SeparatedFile | UpToDate:
        """Separates a song, unless a previous run finished it. Raises StemdockError."""


class Recipe(Protocol):
    """From which another process, perhaps on another machine, makes its `Work`. Can be pickled."""

    def open(self, cancel: Event) -> Work:
        """Loads the model, once in each process.

        Args:
            cancel: Set to stop soon.

        Raises:
            StemdockError: The model cannot be loaded.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Nothing more happens to a song for now."""

    plan: SongPlan
    is_held: bool = False
    """Whether another process is separating it, so that it is to be looked at again."""


PoolEvent: TypeAlias = "BatchEvent | Ended"


class UnforeseenError(StemdockError):
    """An unexpected exception, which is the `__cause__`."""

    def __init__(self, path: Place, cause: Exception) -> None:
        super().__init__(
            f"{path}: unexpected error, {type(cause).__name__}: {cause}",
            remedy="This is a bug in Stemdock. Report it, with the song if you can share it.",
        )


def run_song(plan: SongPlan, work: Work, cancel: Event, tell: Callable[[PoolEvent], None]) -> None:
    """Separates one song, and tells its events, the last of which is `Ended`.

    Args:
        plan: The song.
        work: Separates it.
        cancel: If it is set, the song is abandoned, and only `Ended` is told.
        tell: Takes the events.
    """
    is_held = False
    try:
        if cancel.is_set():
            return
        if plan.song.fault:
            tell(Failed(plan=plan, error=plan.song.fault))
            return
        start = monotonic()
        separated: SeparatedFile | UpToDate | None = work.finished(plan)
        if separated:
            tell(Started(plan=plan))
        else:
            claimed = work.claim(plan)
            is_held = claimed is None
            if claimed is None:
                return
            with claimed:
                tell(Started(plan=plan))
                start = monotonic()
                separated = work(plan, lambda progress: tell(Advanced(plan=plan, progress=progress)))
        if isinstance(separated, UpToDate):
            tell(Skipped(plan=plan, damage=separated.damage))
        else:
            tell(Done(plan=plan, separated=separated, elapsed=monotonic() - start))
    except CancelledError:
        return
    except ClaimLostError:
        is_held = True
    except StemdockError as error:
        tell(Failed(plan=plan, error=_without_frames(error)))
    except Exception as error:  # noqa: BLE001  the next songs must still run
        failure = shortage_of(error, str(plan.song.path)) or UnforeseenError(plan.song.path, error)
        failure.__cause__ = error
        tell(Failed(plan=plan, error=_without_frames(failure)))
    finally:
        tell(Ended(plan=plan, is_held=is_held))


def _without_frames(error: StemdockError) -> StemdockError:
    """The error, which no longer keeps the arrays of the functions that it came through."""
    left: list[BaseException | None] = [error]
    known: set[int] = set()
    while left:
        each = left.pop()
        if each is not None and id(each) not in known:
            known.add(id(each))
            each.__traceback__ = None
            left += [each.__cause__, each.__context__]
    return error
