"""What can be asked of a session now, so that nobody offers what would be refused (control_requests.py)."""

from __future__ import annotations

from dataclasses import dataclass

from park_spool.controls import Controls
from park_spool.looking.standing import Standing
from park_spool.sessions.session import Session
from park_spool.whereabouts import Place


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be asked of a session as it is now; `retry` counts the jobs that failed for good."""

    cancel: bool = False
    pause: bool = False
    resume: bool = False
    delete: bool = False
    resubmit: bool = False
    from_best: bool = False
    reduce: bool = False
    retry: int = 0
    priority: int | None = None


def choices(place: Place | None, one: Standing, said: Controls, session: Session | None, failed: int) -> Choices:
    """Work out what can be asked of a session that stands there, of which that was said; `failed` jobs did for good.

    >>> drafted = Session.of("tester/noop", starts=3)
    >>> paused = Standing("20261123-025532-k3j9", "wei", "film.xml", "paused", 3, 1)
    >>> found = choices("open", paused, Controls(is_paused=True), drafted, 1)
    >>> found.pause, found.resume, found.retry, found.reduce, found.priority
    (False, True, 1, False, 0)
    """
    if place in ("inbox", "admitting"):
        return Choices(cancel=True, delete=True)
    if session is None or one.state == "deleted" or said.is_deleted:
        return Choices()
    is_open = place == "open" and not said.is_stopped
    return Choices(
        cancel=is_open,
        pause=is_open and not said.is_paused,
        resume=is_open and said.is_paused,
        delete=True,
        resubmit=not session.grows,
        from_best=not session.grows and one.best_chisq is not None,
        reduce=any(group.reduce for group in session.groups),
        retry=0 if said.is_stopped or session.grows else failed,
        priority=session.priority if is_open else None,
    )
