"""Running a batch for a command: conflicts first, then the songs, with reports as they finish."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from stemdock.batch.events import Done, Failed, Skipped, summarise
from stemdock.batch.planning import conflicts
from stemdock.batch.report import estimated
from stemdock.batch.running import run_batch
from stemdock.cli.json_reporter import JsonReporter
from stemdock.cli.terminal import echo_path
from stemdock.cli.text_reporter import TextReporter
from stemdock.files.staging import remove_abandoned

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stemdock.batch.events import BatchEvent, SongPlan
    from stemdock.batch.pools import Pool
    from stemdock.batch.report import Ledger
    from stemdock.batch.songs import Song
    from stemdock.cli.delivery import Delivery
    from stemdock.cli.options import BatchOptions
    from stemdock.cli.pages import Pages
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


def run_plans(
    plans: Sequence[SongPlan],
    pool: Pool,
    facts: Facts,
    options: BatchOptions,
    may_replace: Callable[[Place, SongPlan], bool],
    delivery: Delivery,
    pages: Pages,
    accounting: Accounting,
) -> int:
    """Separates songs and reports on standard error.

    Args:
        plans: All songs, those of other shards included.
        pool: Separates them.
        facts: Of the model.
        options: How the batch runs.
        may_replace: Whether an existing file of a song may be replaced.
        delivery: Takes each result: prints its places, or copies it to standard output.
        pages: The previews to write.
        accounting: What is reported at the end.

    Returns:
        The exit status: 1 if there were conflicts or a song failed; that of `delivery` if it has one.

    Raises:
        OutputError: Standard output cannot be written.
        StemdockError: The workers cannot start or go on.
    """
    reporter = _reporter(options)
    own = [plan for plan in plans if options.shard.has(plan.song)]
    for folder in sorted({path.parent for plan in own for path in plan.files.values()}):
        remove_abandoned(folder)
    refusals = [
        *conflicts(plans, may_replace=may_replace, shard=options.shard),
        *pages.conflicts(own),
    ]
    for refusal in refusals:
        reporter.refuse(refusal)
    if refusals:
        return 1
    reporter.start(own, facts.model, facts.provider)
    ended: list[BatchEvent] = []
    start = monotonic()
    for event in run_batch(own, pool):
        reporter.show(event)
        accounting.ledger.count(event)
        if isinstance(event, Done):
            delivery.deliver(event, pool.cancel)
            for path in pages.of(event.plan):
                echo_path(path)
        if isinstance(event, Done | Skipped | Failed):
            ended.append(event)
    summary = summarise(own, ended)
    reporter.finish(summary, is_wanted=not delivery.exit_status)
    if accounting.whole is not None:
        songs = [plan.song for plan in own]
        reporter.estimate(estimated(accounting.ledger.report(), songs, accounting.whole))
    elif options.report or options.price is not None:
        reporter.report(accounting.ledger.report(monotonic() - start))
    return delivery.exit_status or int(summary.n_failed > 0)


def _reporter(options: BatchOptions) -> TextReporter | JsonReporter:
    if options.progress == "json":
        return JsonReporter(sys.stderr)
    return TextReporter(sys.stderr, live=options.progress == "auto" and sys.stderr.isatty())
