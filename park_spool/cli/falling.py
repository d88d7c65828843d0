"""How the demo shows chi-square falling: a bar where standard error is a terminal, else about a line a second."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from park_spool import demo as words
from park_spool.archive.rows import SessionRow

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

LINE_SECONDS = 1.0
BAR_WIDTH = 20


def progress_shown() -> AbstractContextManager[Callable[[SessionRow], None]]:
    """Give a function that shows progress: a bar where standard error is a terminal, else about a line a second."""
    if not sys.stderr.isatty():
        return nullcontext(functools.partial(_print_line, LineClock()))
    return Barred()


@dataclass(slots=True)
class LineClock:
    """When the last line was printed, and what it said."""

    at: float = float("-inf")
    line: str = ""


def _print_line(clock: LineClock, row: SessionRow) -> None:
    line, now = words.progress_line(row), time.monotonic()
    is_last = row.ok + row.failed == row.jobs
    if line != clock.line and (is_last or now - clock.at >= LINE_SECONDS):
        click.echo(line, err=True)
        clock.at, clock.line = now, line


class Barred:
    """A progress bar on standard error."""

    def __enter__(self) -> Callable[[SessionRow], None]:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        # No thread of its own: daemons are started again from this process, and a fork wants one thread.
        columns = (BarColumn(BAR_WIDTH), TextColumn("{task.description}"))
        self._bar: Bar = Progress(*columns, console=Console(stderr=True), auto_refresh=False)
        self._task = self._bar.add_task("waiting for the first fit", total=None)
        self._bar.start()
        return self._show

    def _show(self, row: SessionRow) -> None:
        done = row.ok + row.failed
        self._bar.update(self._task, total=row.jobs, completed=done, description=words.progress_line(row), refresh=True)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
