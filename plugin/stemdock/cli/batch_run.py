"""Running a batch for a command: conflicts first, then the songs, with reports as they finish."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, TypeAlias

from stemdock.batch.events import Done, Failed, Skipped, summarise
from stemdock.batch.planning import conflicts
from stemdock.batch.report import estimated
from stemdock.batch.running import run_batch
from stemdock.cli.json_reporter import JsonReporter
from stemdock.cli.terminal import echo_path
from stemdock.cli.text_reporter import TextReporter
from stemdock.errors import CancelledError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stemdock.batch.events import BatchEvent, SongPlan
    from stemdock.batch.looking import Looking
    from stemdock.batch.plans import Plans
    from stemdock.batch.pools import Pool
    from stemdock.batch.report import Ledger
    from stemdock.batch.songs import Song
    from stemdock.cli.delivery import Delivery
    from stemdock.cli.options import BatchOptions
    from stemdock.cli.pages import Pages
    from stemdock.errors import OutputError
    from stemdock.lib.locations import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What people are told about a model that is loaded."""

    model: str
    provider: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounting:
    """What is reported at the end."""

    ledger: Ledger
    whole: Sequence[Song] | None
    """The songs that an estimate is for; None if this is the run itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacles:
    """What is asked about files that are there before the run."""

    may_replace: Callable[[Place, SongPlan], bool]
    """Whether an existing file of a song may be replaced."""
    is_recorded: Callable[[SongPlan], bool]
    """As of `conflicts`."""
    looking: Looking

    def of(self, plans: Sequence[SongPlan], own: Plans) -> list[OutputError]:
        """Every reason not to start; see `conflicts`."""
        return conflicts(
            plans,
            own=own,
            may_replace=self.may_replace,
            is_recorded=self.is_recorded,
            looking=self.looking,
        )


Reporter: TypeAlias = TextReporter | JsonReporter


def run_plans(
    plans: Plans,
    own: Plans,
    pool: Pool,
    facts: Facts,
    options: BatchOptions,
    obstacles: Obstacles,
    delivery: Delivery,
    pages: Pages,
    accounting: Accounting,
    reporter: Reporter,
) -> int:
    """Separates songs and reports on standard error.

    Args:
        plans: All songs, those of other shards included.
        own: Those of this run.
        pool: Separates them.
        facts: Of the model.
        options: How the batch runs.
        obstacles: What may be there already.
        delivery: Takes each result: prints its places, or copies it to standard output.
        pages: The previews to write.
        accounting: What is reported at the end.
        reporter: Tells people or programs.

    Returns:
        The exit status: 1 if there were conflicts or a song failed; that of `delivery` if it has one.

    Raises:
        OutputError: Standard output cannot be written.
        StemdockError: The workers cannot start or go on.
    """
    try:
        # Tags are not read of the songs of others.
        refusals = obstacles.of(own if plans.needs_tags else plans, own)
    except CancelledError:
        reporter.finish_early(len(own))
        return 1
    refusals += pages.conflicts(own)
    for refusal in refusals:
        reporter.refuse(refusal)
    if refusals:
        return 1
    reporter.start(own, facts.model, facts.provider)
    ended: Counter[type[BatchEvent]] = Counter()
    start = monotonic()
    try:
        for event in run_batch(own, pool):
            reporter.show(delivery.told(event) if isinstance(event, Done) else event)
            accounting.ledger.count(event)
            if isinstance(event, Done | Skipped | Failed):
                ended[type(event)] += 1
            if isinstance(event, Done):
                delivery.deliver(event, pool.cancel)
                for path in pages.of(event.plan):
                    echo_path(path)
    finally:
        summary = summarise(len(own), ended)
        reporter.finish(summary, is_wanted=not delivery.exit_status)
    if accounting.whole is not None:
        reporter.estimate(estimated(accounting.ledger.report(), own.songs, accounting.whole))
    elif options.report or options.price is not None:
        reporter.report(accounting.ledger.report(monotonic() - start))
    return delivery.exit_status or int(summary.n_failed > 0)


def reporter_for(options: BatchOptions) -> Reporter:
    """What tells people or programs, on standard error."""
    if options.progress == "json":
        return JsonReporter(sys.stderr)
    return TextReporter(sys.stderr, live=options.progress == "auto" and sys.stderr.isatty())
