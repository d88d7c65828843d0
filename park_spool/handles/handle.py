"""One session, for Python: how far it is, what came out of it, what is wished of it, and what comes after it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from park_spool import control_requests, job_names, member, resubmission
from park_spool import submit as sending
from park_spool.archive.rows import FailureRow, MessageRow
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.delivering.answer import GroupAnswer
from park_spool.errors import NotFound
from park_spool.handles import found, parcels, update
from park_spool.handles.found import Curve, Fit
from park_spool.handles.update import Update
from park_spool.looking import closing, outcome, standing
from park_spool.looking.outcome import PARAMETERS, RESULTS, Gathered
from park_spool.looking.sight import Watcher
from park_spool.looking.standing import Look, Standing
from park_spool.sessions.drafting import text_of
from park_spool.sessions.session import Session

if TYPE_CHECKING:
    from park_spool.handles.found import Column


class SessionHandle:
    """A session on a spool, by its id. Every property looks anew; nothing is kept here.

    Raises NotFound where it is not (any more), or what is asked for cannot be read from this host.
    """

    def __init__(self, settings: Config, sid: str) -> None:
        self._settings = settings
        self.sid = sid

    def __repr__(self) -> str:
        try:
            return f"<session {self.sid} {self.status.file!r}: {self.status.state}>"
        except NotFound:
            return f"<session {self.sid}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SessionHandle) and (self.sid, self._settings.spool) == (
            other.sid,
            other._settings.spool,
        )

    def __hash__(self) -> int:
        return hash(self.sid)

    # how far it is

    @property
    def status(self) -> Standing:
        """Where it stands: state, jobs, final, ok, failed, best_chisq, best_job."""
        return Look(self._settings).one(self.sid)

    @property
    def state(self) -> str:
        """Its state: queued, running, paused, done, failed, cancelled or deleted.

        `closed` where the archive alone could say how it ended, and cannot be read from here.
        """
        return self.status.state

    def watch(self) -> Iterator[Update]:
        """Yield what changes until it is closed; the last one says how it ended.

        Raises SessionError if it was rejected.
        """
        watcher, last = Watcher(self._settings, self.sid), None
        for now in closing.until_closed(self.sid, self._settings, self._disk):
            with suppress(NotFound):  # RACE: what moves while folders are listed is seen in none of them
                sight = watcher.look(now)
                if sight.key != last and not sight.standing.is_closed:
                    last = sight.key
                    yield update.of_sight(sight)
        yield update.of_sight(watcher.look(time.monotonic()))

    def wait(self, timeout: float | None = None) -> str:
        """Wait until it is closed, and return its state.

        Raises TimeoutError after `timeout` seconds, SessionError if it was rejected.
        """
        begun = time.monotonic()
        for now in closing.until_closed(self.sid, self._settings, self._disk):
            if timeout is not None and now - begun > timeout:
                raise TimeoutError(f"session {self.sid} is not closed after {timeout:g} s")
        return standing.ended(Look(self._settings), self.sid).state

    # what came out

    @property
    def best(self) -> Fit:
        """The best fit of its first group, so far or at its end."""
        return self.best_of(1)

    def best_of(self, group: int) -> Fit:
        """Return the best fit of a group. Raises NotFound if no job gave a chisq."""
        there = self._outcome()
        if isinstance(there, Gathered):
            one = there.gathering.best(group)
            fit = None if one is None else found.fit(_shown(one), one.curve)
        else:
            fit = next((found.fit(shown) for shown in there.best() if shown["group"] == group), None)
        if fit is None:
            raise NotFound(f"no job of group {group} of {self.sid} gave a chisq")
        return fit

    def fit(self, job: str) -> Fit:
        """Return the fit of any job, as "1.1.17". Raises NotFound if it gave no chisq."""
        one, _ = self._gathered().gathering.fit(job)
        return found.fit(_shown(one), one.curve)

    def fits(self, group: int = 1) -> dict[str, Fit]:
        """Return of a batch the best fit of each data set that has one, by its label; else the best fit."""
        answer = self._group(self._gathered(), group)
        shown = answer.batch or ({answer.best.label: answer.best} if answer.best else {})
        return {label: found.fit(_shown(one), one.curve) for label, one in shown.items() if one is not None}

    def curves(self, group: int = 1) -> dict[str, Curve]:
        """Return the best curves, by what they are of: one, or of a batch one for each data set."""
        return {label: one.curve for label, one in self.fits(group).items() if one.curve is not None}

    def results(self) -> dict[str, Column]:
        """Return all jobs that have a result: an array for each column of results.csv."""
        return found.columns(self._outcome().table(RESULTS))

    def parameters(self) -> dict[str, Column]:
        """Return the parameters of all best fits: an array for each column of parameters.csv."""
        return found.columns(self._outcome().table(PARAMETERS))

    def batch(self, group: int = 1) -> dict[str, Column]:
        """Return of a batch a row for each data set: an array for each column of batch-G.csv; empty if it is none."""
        return found.columns(self._outcome().table(f"batch-{group}"))

    def history(self, group: int = 1) -> dict[str, Column]:
        """Return how the best chisq fell: arrays `finished` (Unix time), `chisq` and `job`."""
        import numpy

        steps = Look(self._settings).archive().history(self.sid, group)
        numbers = numpy.array([(step.finished, step.chisq) for step in steps], dtype=float).reshape(-1, 2).T
        jobs = numpy.array([step.job for step in steps], dtype=object)
        return {"finished": numbers[0], "chisq": numbers[1], "job": jobs}

    @property
    def summary(self) -> dict[str, Any]:
        """What summary.json says."""
        return self._outcome().summary()

    @property
    def messages(self) -> list[MessageRow]:
        """What its reducers said, the first thing first: group, number, at, text."""
        return Look(self._settings).archive().messages(self.sid, limit=10**6)

    @property
    def failures(self) -> list[FailureRow]:
        """The jobs that failed for good: job, status, why, stderr and so on."""
        return Look(self._settings).archive().failures(self.sid, limit=10**6)

    @property
    def outbox(self) -> Path | None:
        """The folder of its newest answer in the outbox; None while there is none."""
        return outcome.newest(self._disk, self._settings.layout, self.sid)

    # what is wished of it

    def cancel(self) -> None:
        """Cancel it: what runs is killed, what is done stays. Raises PermanentError if it was deleted."""
        self._ask("cancel")

    def pause(self) -> None:
        """Start nothing more of it; what runs goes on."""
        self._ask("pause")

    def resume(self) -> None:
        """Let it go on."""
        self._ask("resume")

    def set_priority(self, priority: int) -> None:
        """Give it another priority, −100 to 100: the higher one goes first."""
        self._ask("priority", priority)

    def delete(self) -> None:
        """Delete it with all its results."""
        self._ask("delete")

    def retry(self, *jobs: str) -> int:
        """Have jobs that failed for good run again: those that are named (`1.1.17`, `1.1.3-7`, `1.1`), else all.

        Return the round. Raises NotFound if a name means none of them.
        """
        look = Look(self._settings)
        control_requests.refuse_if_stopped(self.sid, look.said(self.sid))
        wanted = job_names.chosen(standing.failed_jobs(look, self.sid), jobs, self.sid)
        return control_requests.ask_again(self._member(), self.sid, wanted, control_requests.user_name())

    def reduce(self, group: int | None = None) -> None:
        """Have the reducers of a group, or of all, run again over what is archived."""
        control_requests.ask_to_reduce(self._member(), self.sid, group, control_requests.user_name())

    # what comes after it

    def after(self, session: Session, group: int | None = None) -> SessionHandle:
        """Send a session that waits for this one, and starts from the best fits here (of one group, if it is said)."""
        waiting = replace(session, after=self.sid if group is None else f"{self.sid}.{group}")
        parcel = parcels.parcel(waiting, self._settings.places)
        return SessionHandle(self._settings, sending.send_checked(self._settings, parcel))

    def resubmit(
        self, *, from_best: bool = False, from_job: str | None = None, for_user: str | None = None, **changes: object
    ) -> SessionHandle:
        """Send it once more: as it was, or from its best fits, or from that of a job; `changes` are set in every input.

        The new session is the sender's, or `for_user`'s (see `Spool.submit`). Raises NotFound if there is no such fit,
        SessionError for a change that cannot be made.
        """
        texts = {name: text_of(value) for name, value in changes.items()}
        parcel = resubmission.parcel(Look(self._settings), self.sid, texts, from_job, from_best)
        return SessionHandle(self._settings, sending.send_checked(self._settings, parcel, for_user))

    # inner matters

    @property
    def _disk(self) -> Disk:
        return Disk(self._settings.layout.tmp, "python")

    def _member(self) -> member.Member:
        return member.join(self._settings)

    def _ask(self, verb: str, argument: int | None = None) -> None:
        control_requests.ask(self._member(), self.sid, verb, control_requests.user_name(), argument)

    def _outcome(self) -> Gathered | outcome.Delivered:
        return outcome.find(Look(self._settings), self.sid)

    def _gathered(self) -> Gathered:
        look = Look(self._settings)
        there = outcome.find(look, self.sid)
        if not isinstance(there, Gathered):
            raise NotFound(look.note)
        return there

    def _group(self, there: Gathered, group: int) -> GroupAnswer:
        for one in there.answer.groups:
            if one.number == group:
                return one
        raise NotFound(f"session {self.sid} has no group {group}")


def _shown(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__slots__}
