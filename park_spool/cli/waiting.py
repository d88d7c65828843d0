"""`park wait`, and the waiting of `park submit --wait`: until a session is closed, and how it ended."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from park_spool import config, whereabouts
from park_spool.atomic import Disk
from park_spool.cli.options import FAILED, FINE, INTERRUPTED, REJECTED, guarded, spool_option
from park_spool.config import Config
from park_spool.errors import SessionError
from park_spool.looking import alive, closing, failed, standing
from park_spool.looking.answers import counted_jobs
from park_spool.looking.standing import Look, Standing

SHOWN_FAILURES = 3

Say = Callable[[str], None]


@click.command()
@click.argument("sids", metavar="SID...", nargs=-1, required=True)
@spool_option
@guarded
def wait(sids: tuple[str, ...], spool: str | None) -> None:
    """Wait until sessions are closed, and say how each ended. A unique beginning of a session's id will do.

    The exit code is 0 if all jobs are ok, 1 if some failed or the session was cancelled or deleted, 3 if it was
    rejected.

    \b
    Examples:
      park wait 20261123-025532-k3j9
      park wait $(park submit film.xml)
    """
    settings = config.load(config.find_spool(spool))
    known = whereabouts.places(Disk(settings.layout.tmp, "wait"), settings.layout)
    names = [whereabouts.complete(sid, known) for sid in sids]
    sys.exit(wait_for_all(names, settings, click.echo))


def wait_for_all(sids: list[str], settings: Config, say: Say) -> int:
    """Wait for sessions one after the other, say how each ended, and return the exit code of the worst.

    Ctrl-C ends the waiting alone.
    """
    code = FINE
    for number, sid in enumerate(sids):
        try:
            code = max(code, _wait_for(sid, settings, say))
        except KeyboardInterrupt:
            for other in sids[number:]:
                click.echo(goes_on(other), err=True)
            return INTERRUPTED
    return code


def goes_on(sid: str) -> str:
    """Say what becomes of a session that nobody waits for any more."""
    return f"{sid} goes on: `park watch {sid}` shows it, `park wait {sid}` waits again, `park cancel {sid}` ends it"


def _wait_for(sid: str, settings: Config, say: Say) -> int:
    try:
        wait_until_closed(sid, settings)
    except SessionError as error:
        say(str(error))
        return REJECTED
    return tell_end(sid, settings, say)


def tell_end(sid: str, settings: Config, say: Say) -> int:
    """Say how a closed session ended; return its exit code."""
    look = Look(settings)
    ending = standing.ended(look, sid)
    say(sentence(ending))
    for line in (*([f"  {ending.why}"] if ending.why else []), *failures(look, ending)):
        say(line)
    return FINE if ending.state == "done" else FAILED


def wait_until_closed(sid: str, settings: Config) -> None:
    """Return when a session is closed or deleted. Raises SessionError if it was rejected, NotFound if it is gone."""
    disk = Disk(settings.layout.tmp, "wait")
    with _progress() as show:
        for _ in closing.until_closed(sid, settings, disk):
            show(lambda: _how_far(disk, settings, sid))


def sentence(ending: Standing) -> str:
    """Say how a session ended.

    >>> sentence(Standing("20261123-025532-k3j9", "w", "film.xml", "done", 48, 48, 48, 0, 966.19, "1.1.2"))
    '20261123-025532-k3j9 is done: 48 of 48 jobs ok, best chisq 966.19 (job 1.1.2)'
    """
    if ending.state == "deleted":
        return f"{ending.sid} was deleted"
    verb = {"done": "is done", "cancelled": "was cancelled"}.get(ending.state, ending.state)
    return f"{ending.sid} {verb}: {counted_jobs(ending)}"


def failures(look: Look, ending: Standing) -> list[str]:
    """Name the first jobs that failed, with the reason, as far as that can be read from here."""
    rows = (failed.failures(look, ending, SHOWN_FAILURES) or []) if ending.failed else []
    return [f"  job {row.job} {row.status}: {row.why or 'no reason is known'}" for row in rows]


def _how_far(disk: Disk, settings: Config, sid: str) -> str:
    crew = alive.look(disk, settings.layout)
    final = standing.final_jobs(disk, settings.layout, sid)
    return "; ".join([f"{sid}: {final:,} jobs have their result", *crew.missing()])


@contextmanager
def _progress() -> Iterator[Callable[[Callable[[], str]], None]]:
    """Give a function that shows how far it is, which asks and shows nothing unless standard error is a terminal."""
    if not sys.stderr.isatty():
        yield lambda words: None
        return
    from rich.console import Console

    with Console(stderr=True).status("waiting") as status:
        yield lambda words: status.update(words())
