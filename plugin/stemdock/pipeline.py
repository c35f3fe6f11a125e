"""Work on several things at once whose results come in order."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def in_order(
    work: Callable[[_Item], _Result], items: Iterable[_Item], n_at_once: int
) -> Iterator[_Result]:
    """What the work makes of each item, in the items' order.

    Args:
        work: What is done to an item, in a thread; items must not depend on one another.
        items: Taken as they are needed, at most one more than are under way.
        n_at_once: Items under way at once.
    """
    pending: deque[Future[_Result]] = deque()
    with ThreadPoolExecutor(n_at_once, thread_name_prefix="stemdock") as pool:
        try:
            for item in items:
                pending.append(pool.submit(work, item))
                if len(pending) > n_at_once:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            # Whoever stops listening need not wait for what has not begun.
            pool.shutdown(wait=True, cancel_futures=True)
