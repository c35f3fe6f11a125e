"""What models need of the machine, and the errors for too little of it.

The system kills a process that takes more memory than its container has, and libraries can hang when they do
not get what they need. So limits that are too low are refused before a model is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from stemdock.errors import MemoryShortageError, StemdockError, ThreadShortageError
from stemdock.lib.memory import address_limit, group_limit, is_memory_shortage
from stemdock.lib.threads import is_thread_shortage

if TYPE_CHECKING:
    from collections.abc import Callable

_STEM_SIZE: Final = 20_000_000
"""Bytes of the weights for one stem of Spleeter's models, in half precision."""


_BUDGET: Final = "of each worker (--memory, --workers)"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limit:
    """A limit, and what a song needs, in 10^6 bytes: without the stems, and for each stem."""

    name: str
    """After the word "limit"."""
    get: Callable[[], int | None]
    """Bytes; None if there is no limit."""
    least: tuple[int, int]
    """With less, songs fail."""
    enough: tuple[int, int]
    """With this, songs succeed on a machine with few cores."""


# Songs of 15 seconds succeed in these 10^6 bytes:
#
#                                             2stems      4stems      5stems
#   address space, one core                      799                    1061
#   address space, two cores                     858        1069        1202
#   address space, two cores, not prepared      1013        1190        1268
#   control group                                363         491         472
#   control group, not prepared                  345                     550
#   largest resident set                         391         540         619
_LIMITS: Final = (
    _Limit(name="of the address space (ulimit -v)", get=address_limit, least=(550, 100), enough=(800, 100)),
    _Limit(name="of the container or control group", get=group_limit, least=(240, 40), enough=(330, 70)),
)


def check_memory(model: str, n_stems: int, size: int, budget: int = 0) -> None:
    """Checks that the limits of this process suffice for a model.

    Args:
        model: Its name.
        n_stems: Its stems.
        size: Bytes of its file. Models that are narrower than Spleeter's need less.
        budget: Bytes that this process may plan with; 0 for no budget.

    Raises:
        MemoryShortageError: A limit is too low.
    """
    n_full_stems = min(n_stems, size / _STEM_SIZE)
    for limit in (*_LIMITS, replace(_LIMITS[-1], name=_BUDGET, get=lambda: budget or None)):
        allowed = limit.get()
        least, enough = (
            round(1e6 * (base + each * n_full_stems)) for base, each in (limit.least, limit.enough)
        )
        if allowed is not None and allowed < least:
            raise MemoryShortageError(model, needed=enough, limit=allowed, limit_name=limit.name)


def spare_memory(budget: int = 0) -> int:
    """Bytes that could go to work that is faster with more memory, and does not need it.

    Args:
        budget: Bytes that this process may plan with; 0 for no budget.
    """
    # psutil is imported in 20 ms.
    from stemdock.lib.processes import available_memory  # noqa: PLC0415

    limits = (budget or None, *(each.get() for each in _LIMITS))
    return min([available_memory(), *(limit for limit in limits if limit is not None)])


def memory_shortage(subject: str) -> MemoryShortageError:
    """The error for memory that was refused, with the limit if there is one.

    Args:
        subject: What failed, for people.
    """
    for limit in _LIMITS:
        if (allowed := limit.get()) is not None:
            return MemoryShortageError(subject, limit=allowed, limit_name=limit.name)
    return MemoryShortageError(subject)


def shortage_of(error: Exception, subject: str) -> StemdockError | None:
    """The error for the user, if another one means that memory or threads are short.

    Args:
        error: From any library.
        subject: What failed, for people.
    """
    if is_memory_shortage(error):
        return memory_shortage(subject)
    return ThreadShortageError(subject) if is_thread_shortage(error) else None
