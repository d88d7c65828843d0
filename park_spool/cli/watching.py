"""`park watch`: a session live, until it is closed; a picture on a terminal, elsewhere a line for each change."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import click

from park_spool import config, whereabouts
from park_spool.atomic import Disk
from park_spool.cli import waiting
from park_spool.cli.options import FINE, INTERRUPTED, REJECTED, guarded, sid_argument, spool_option
from park_spool.config import Config
from park_spool.errors import NotFound, SessionError
from park_spool.looking import closing
from park_spool.looking.sight import Sight, Watcher

LINE_SECONDS = 1.0

Show = Callable[[Sight], None]


@click.command()
@sid_argument
@spool_option
@guarded
def watch(prefix: str, spool: str | None) -> None:
    """Watch a session live until it is closed: progress, best chisq, what runs and what failed.

    Where standard output is no terminal, a line is printed whenever something changes, at most one a second. Ctrl-C
    stops the watching, not the session. The exit code is that of `park wait`: 0 if all jobs are ok, 1 if some failed or
    the session was cancelled or deleted, 3 if it was rejected.

    \b
    Examples:
      park watch 20261123-025532-k3j9
      park watch $(park submit film.xml)
    """
    settings = config.load(config.find_spool(spool))
    sid = whereabouts.complete(prefix, whereabouts.places(Disk(settings.layout.tmp, "watch"), settings.layout))
    sys.exit(watch_all([sid], settings, is_aside=False))


def watch_all(sids: list[str], settings: Config, is_aside: bool) -> int:
    """Watch sessions one after the other; return the exit code of the worst. `is_aside`: on standard error."""
    code = FINE
    for number, sid in enumerate(sids):
        try:
            code = max(code, _watch(sid, settings, is_aside))
        except KeyboardInterrupt:
            for other in sids[number:]:
                click.echo(waiting.goes_on(other), err=True)
            return INTERRUPTED
    return code


def _watch(sid: str, settings: Config, is_aside: bool) -> int:
    def say(sentence: str) -> None:
        click.echo(sentence, err=is_aside)

    try:
        _watch_until_closed(sid, settings, is_aside)
    except SessionError as error:
        say(str(error))
        return REJECTED
    return waiting.tell_end(sid, settings, say)


def _watch_until_closed(sid: str, settings: Config, is_aside: bool) -> None:
    disk, watcher = Disk(settings.layout.tmp, "watch"), Watcher(settings, sid)
    with shown(is_aside) as show:
        for now in closing.until_closed(sid, settings, disk):
            with suppress(NotFound):  # RACE: what moves while folders are listed is seen in none of them
                show(watcher.look(now))
        show(watcher.look(time.monotonic()))


@contextmanager
def shown(is_aside: bool) -> Iterator[Show]:
    """Give a function that shows each look: a picture where it goes to a terminal, else lines."""
    if not (sys.stderr if is_aside else sys.stdout).isatty():
        lines = Lines(lambda line: click.echo(line, err=is_aside))
        yield lambda sight: lines.show(sight, time.monotonic())
        return
    from park_spool.cli.live import Picture

    with Picture(is_aside) as picture:
        yield picture.show


@dataclass(slots=True)
class Lines:
    """Prints a line whenever something changes, at most one a second, and at the end."""

    echo: Callable[[str], None]
    at: float = float("-inf")
    key: object = None

    def show(self, sight: Sight, now: float) -> None:
        if sight.key == self.key or (now - self.at < LINE_SECONDS and not sight.standing.is_closed):
            return
        self.at, self.key = now, sight.key
        self.echo(line(sight))


def line(sight: Sight) -> str:
    """Say in one line how far a session is."""
    one, running = sight.standing, sight.best_running
    parts = [f"{one.state}: {sight.how_far}", sight.best]
    parts += [f"{one.failed:,} failed"] if one.failed else []
    parts += [f"running job {running.job} is at chisq {running.chisq:.6g}"] if running else []
    return "; ".join(part for part in (*parts, *sight.waits) if part)
