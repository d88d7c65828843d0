"""The picture that `park watch` draws on a terminal; rich is imported here and only then."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from park_spool.cli.status import table
from park_spool.looking.reports import RunningJob
from park_spool.looking.sight import Sight
from park_spool.progress import duration, sparkline

SHOWN_JOBS = 12
BAR_WIDTH = 40


class Picture:
    """Draws each look over the one before; the last one stays."""

    def __init__(self, is_aside: bool, console: Console | None = None) -> None:
        # No thread of its own: it is drawn when there is something to draw.
        self._live = Live(console=console or Console(stderr=is_aside), auto_refresh=False)

    def __enter__(self) -> Picture:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, sight: Sight) -> None:
        self._live.update(picture(sight), refresh=True)


def picture(sight: Sight) -> RenderableType:
    """Draw one look: name and state, a bar, the best fit with its history, what runs, what failed."""
    one = sight.standing
    bar = ProgressBar(total=one.jobs or 1, completed=one.final, width=BAR_WIDTH)
    lines = Text("\n".join(texts(sight)))
    return Group(
        Text(f"{one.sid} {one.file or 'session'}{f' of {one.user}' if one.user else ''}: {one.state}"), bar, lines
    )


def texts(sight: Sight) -> Iterator[str]:
    """Yield the lines below the bar."""
    one = sight.standing
    yield sight.how_far + (f"; {one.failed:,} failed" if one.failed else "")
    if sight.best:
        yield f"{sight.best}  {sparkline(sight.story.chisqs)}"
    if sight.running:
        yield "running"
        yield from table([_cells(job) for job in sight.running[:SHOWN_JOBS]], "  ")
        yield from [f"  and {len(sight.running) - SHOWN_JOBS:,} more"] if len(sight.running) > SHOWN_JOBS else []
    if sight.story.failures:
        yield "failed"
        yield from table([(row.job, row.status, _first_line(row.why)) for row in sight.story.failures], "  ")
    yield from sight.waits


def _cells(job: RunningJob) -> tuple[str, ...]:
    best = "" if job.chisq is None else f"best so far chisq {job.chisq:.6g}"
    return job.job, job.node, "" if job.seconds is None else duration(job.seconds), best


def _first_line(why: str | None) -> str:
    return (why or "no reason is known").partition("\n")[0]
