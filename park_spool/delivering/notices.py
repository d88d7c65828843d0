"""Who is told what, and in which words: that a session has started, is done, failed or was cancelled.

    told.EDITION.EVENT.CHANNEL in the session's folder      it was sent (or never will be: its note says why)

What is due follows from the session's state, the names in its folder, and the settings: pure. A notice is sent before
its name is made, so a crash in between sends it twice rather than never.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from park_spool.config import Config
from park_spool.progress import duration, parameter_rows, utc
from park_spool.sessions.session import Session
from park_spool.wishes import EVENTS, MAIL, WEBHOOK, Told, parse_told

STARTED = "started"
OLDEST = 86_400.0  # s since a session was closed, beyond which nobody waits for the notice any more
_ADDRESS = re.compile(r"[^@\s<>,;\"]{1,64}@[^@\s<>,;\"]{1,255}", re.ASCII)
_BETWEEN = re.compile(r"[\s,;]+")
MOST_ADDRESSES = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who wants to be told of which events: mail addresses, and whether the site has a webhook."""

    addresses: tuple[str, ...] = ()
    has_webhook: bool = False
    events: frozenset[str] = frozenset()

    def channels(self, event: str) -> list[str]:
        """Return the ways on which people are told of an event."""
        if event not in self.events:
            return []
        return [MAIL] * bool(self.addresses) + [WEBHOOK] * self.has_webhook


def wanted(
    email: str, attributes: Mapping[str, str], default: Sequence[str], has_mail: bool, has_webhook: bool
) -> Wanted:
    """Work out who is told of a session: its `email`, its `notify`, and what the site has.

    >>> wanted("w@x.org", {"notify": "started"}, ("done",), True, False)
    Wanted(addresses=('w@x.org',), has_webhook=False, events=frozenset({'started'}))
    """
    words = _BETWEEN.split(attributes["notify"].lower()) if "notify" in attributes else default
    return Wanted(addresses(email) if has_mail else (), has_webhook, frozenset(words) & frozenset(EVENTS))


def wanted_by(session: Session, config: Config) -> Wanted:
    """Work out who is told of a session at this site."""
    return wanted(session.email, session.attributes, config.notify, bool(config.smtp), bool(config.webhook))


def addresses(email: str) -> tuple[str, ...]:
    """Read the addresses in the attribute `email`; what is none is left out.

    >>> addresses("w@x.org, wei"), addresses("[email protected]")
    (('w@x.org',), ())
    """
    words = [word for word in _BETWEEN.split(email.strip()) if _ADDRESS.fullmatch(word)]
    return tuple(dict.fromkeys(words))[:MOST_ADDRESSES]


def due(state: str, is_closed: bool, edition: int, names: Iterable[str], who: Wanted) -> list[Told]:
    """Say of what people are still to be told, and how.

    >>> who = Wanted(("w@x.org",), True, frozenset({"started", "done"}))
    >>> due("running", False, 1, ["told.000001.started.mail"], who)
    [Told(edition=1, event='started', channel='webhook')]
    >>> due("failed", True, 1, [], who), due("done", True, 1, ["told.000001.done.mail"], who)
    ([], [Told(edition=1, event='done', channel='webhook')])
    """
    is_start = not is_closed and state == "running" and edition == 1
    event = state if is_closed and state in EVENTS else STARTED if is_start else ""
    told = set(map(parse_told, names))
    wanted = [Told(edition, event, channel) for channel in who.channels(event)]
    return [one for one in wanted if one not in told]


def is_stale(closed: float | None, now: float) -> bool:
    """Say whether a session was closed so long ago that nobody waits for the notice any more."""
    return closed is not None and now - closed > OLDEST


def subject(event: str, answer: Mapping[str, Any]) -> str:
    """Write the subject of a mail: one line that says the most important.

    >>> subject("done", {"sid": "S", "file": "film.xml", "groups": [{"best": {"chisq": 966.193, "dof": 399}}]})
    'film.xml: done, best chisq 966.193'
    """
    words = f"{answer.get('name') or answer.get('file') or answer['sid']}: {event}"
    found = [group["best"] for group in answer.get("groups", ()) if group.get("best")]
    if event == STARTED or not found:
        return " ".join(words.split())
    best = min(found, key=lambda one: float(one["chisq"]))
    words += f", best chisq {best['chisq']:.6g}"
    words += f" (chisq/dof {best['reduced_chisq']:.4g})" if best.get("reduced_chisq") is not None else ""
    return " ".join(words.split())


def body(event: str, answer: Mapping[str, Any], place: str, best: Sequence[Mapping[str, Any]] = ()) -> str:
    """Write the text of a mail; `place` is where the files are, `best` what best.json says."""
    sid = answer["sid"]
    if event == STARTED:
        more = [f"park watch {sid}     how it goes", f"park cancel {sid}    ends it"]
        return "\n".join([f"Session {sid} ({answer['file']}) has started: {answer['jobs']:,} jobs.", "", *more, ""])
    lines = [f"Session {sid} ({answer['file']}) is over: {event}.", _counts(answer)]
    for fit in best:
        lines += ["", *_fit_lines(fit)]
    if place:
        lines += ["", f"All files, with a report: {place}"]
    if answer["failed"]:
        lines += ["", f"park why {sid}      why jobs failed", f"park retry {sid}    runs them again"]
    return "\n".join([*lines, ""])


def _counts(answer: Mapping[str, Any]) -> str:
    words = f"{answer['ok']:,} of {answer['jobs']:,} jobs ok"
    words += f", {answer['failed']:,} failed" if answer["failed"] else ""
    started, finished = answer.get("started"), answer.get("finished")
    words += f", in {duration(finished - started)}" if started is not None and finished is not None else ""
    return words + (f"; closed {utc(answer['closed'])}" if answer.get("closed") is not None else "")


def _fit_lines(fit: Mapping[str, Any]) -> list[str]:
    reduced = (
        f", chisq/dof {fit['reduced_chisq']:.4g} (dof {fit['dof']})" if fit.get("reduced_chisq") is not None else ""
    )
    head = f"{fit['name']}: best fit is job {fit['job']}, chisq {fit['chisq']:.6g}{reduced}"
    return [head, *(f"  {row.name}: {row.value} {row.unit}".rstrip() for row in parameter_rows(fit["parameters"]))]
