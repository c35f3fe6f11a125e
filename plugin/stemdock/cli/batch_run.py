"""Running a batch for a command: conflicts first, then the songs, with reports as they finish."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from stemdock.batch.events import Done, Failed, Skipped, summarise
from stemdock.batch.planning import conflicts
from stemdock.batch.running import run_batch
from stemdock.cli.json_reporter import JsonReporter
from stemdock.cli.terminal import echo_path
from stemdock.cli.text_reporter import TextReporter
from stemdock.files.staging import remove_abandoned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock.batch.events import BatchEvent, SongPlan
    from stemdock.batch.resuming import ResumableSeparation
    from stemdock.cli.delivery import Delivery
    from stemdock.cli.options import BatchOptions
    from stemdock.cli.pages import Pages


def run_plans(
    plans: Sequence[SongPlan],
    separation: ResumableSeparation,
    options: BatchOptions,
    delivery: Delivery,
    pages: Pages,
) -> int:
    """Separates songs and reports on standard error.

    Args:
        plans: The songs.
        separation: Separates one of them.
        options: How the batch runs.
        delivery: Takes each result: prints its paths, or copies it to standard output.
        pages: The previews to write.

    Returns:
        The exit status: 1 if there were conflicts or a song failed; that of `delivery` if it has one.

    Raises:
        OutputError: Standard output cannot be written.
    """
    reporter: TextReporter | JsonReporter
    if options.progress == "json":
        reporter = JsonReporter(sys.stderr)
    else:
        reporter = TextReporter(sys.stderr, live=options.progress == "auto" and sys.stderr.isatty())
    for folder in sorted({path.parent for plan in plans for path in plan.targets.values()}):
        remove_abandoned(folder)
    refusals = conflicts(plans, may_replace=separation.may_replace) + pages.conflicts()
    for refusal in refusals:
        reporter.refuse(refusal)
    if refusals:
        return 1
    reporter.start(plans, separation.separator.model, separation.separator.provider)
    ended: list[BatchEvent] = []
    separate = pages.after(separation)
    for event in run_batch(plans, separate, n_at_once=options.n_at_once, cancel=separation.cancel):
        reporter.show(event)
        if isinstance(event, Done):
            delivery.deliver(event.separated, separation.cancel)
            for path in pages.of(event.plan):
                echo_path(path)
        if isinstance(event, Done | Skipped | Failed):
            ended.append(event)
    summary = summarise(plans, ended)
    reporter.finish(summary, is_wanted=not delivery.exit_status)
    return delivery.exit_status or int(summary.n_failed > 0)
