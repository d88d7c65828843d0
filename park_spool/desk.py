"""Where wishes about sessions are made, by the command line and by the page alike: each done, and told in a sentence.

Desk(settings, member, user)     in whose name; who may is for the caller to say
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from park_spool import control_requests, intervals, job_names, member, resubmission, senders, submit
from park_spool.admitted import Admitted
from park_spool.config import Config
from park_spool.errors import NotFound
from park_spool.looking import answers, standing
from park_spool.looking.standing import Look
from park_spool.member import Member
from park_spool.tending import begun
from park_spool.whereabouts import Place


@dataclass(frozen=True, slots=True)
class Said:
    """What became of a wish; `place` is where the session was, `is_closed` whether it was closed then."""

    sid: str
    sentence: str
    place: Place | None = None
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class Desk:
    """One user's, or one command's; `user` is written beside every wish."""

    settings: Config
    member: Member
    user: str

    @classmethod
    def open(cls, settings: Config, user: str) -> Desk:
        return cls(settings, member.join(settings), user)

    def ask(self, sid: str, verb: str, argument: int | None = None) -> Said:
        """Cancel, pause, resume, delete, or give another priority. Raises what control_requests.ask raises."""
        before = Look(self.settings).admitted(sid)
        answer = control_requests.ask(self.member, sid, verb, self.user, argument)
        if answer.place == "inbox":  # it is nowhere now
            return Said(sid, f"{sid} {answers.WITHDRAWN}", answer.place)
        priority = None if before is None else before.session.priority
        words = answers.words_of(verb, answer, Look(self.settings).one(sid), priority, argument)
        return Said(sid, f"{sid} {words}", answer.place)

    def retry(self, sid: str, jobs: Collection[str] = ()) -> Said:
        """Run jobs that failed for good once more: those of these names, or all."""
        look = Look(self.settings)
        one = look.one(sid)
        control_requests.refuse_if_stopped(sid, look.said(sid))
        wanted = job_names.chosen(standing.failed_jobs(look, sid), jobs, sid)
        round_ = control_requests.ask_again(self.member, sid, wanted, self.user)
        number = sum(map(intervals.total, wanted.values()))
        again = "; the session is open again" if one.is_closed else ""
        words = f"{number:,} {'job' if number == 1 else 'jobs'} will be run again, in round {round_}{again}"
        return Said(sid, f"{sid}: {words}", look.places.get(sid), one.is_closed)

    def reduce(self, sid: str, group: int | None = None) -> Said:
        """Run the reducers of a session, or of one group, again over what is archived."""
        look = Look(self.settings)
        one = look.one(sid)
        chosen = reducers(look.admitted(sid), sid, group)
        control_requests.ask_to_reduce(self.member, sid, group, self.user)
        return Said(
            sid, f"{sid}: {chosen} will run again over {one.final:,} results", look.places.get(sid), one.is_closed
        )

    def resubmit(self, sid: str, changes: Mapping[str, str], job: str | None = None, is_from_best: bool = False) -> str:
        """Send a session once more, for the desk's user; return the new session's id."""
        parcel = resubmission.parcel(Look(self.settings), sid, changes, job, is_from_best)
        return submit.send_checked(self.settings, parcel, self.user)


def reducers(session: Admitted | None, sid: str, group: int | None) -> str:
    """Name the reducers that run again. Raises NotFound if there is none."""
    groups = [] if session is None else list(enumerate(session.session.groups, 1))
    found = [f"{one.reduce} of group {number}" for number, one in groups if one.reduce and group in (None, number)]
    if not found:
        which = f"session {sid}" if group is None else f"group {group} of session {sid}"
        raise NotFound(f"{which} has no reducer; nothing was changed")
    return ", ".join(found)


def owner(look: Look, sid: str) -> str:
    """Return whose a session is, wherever it lies by now; empty if nobody knows. Raises NotFound if it is nowhere."""
    spool = look.settings.layout
    match look.places.get(sid):
        case "inbox":
            mine = [name for name in look.disk.names(spool.inbox) if name.startswith(f"{sid}.")]
            return senders.sender(look.disk, spool.inbox / mine[0], spool.root) if mine else ""
        case "admitting":
            return begun.owner_of(look.disk, spool.admitting(sid), spool.root)
    return look.one(sid).user
