"""What a user asks of a session that was sent: where the session is, what is said there, and opening it again.

    ask        cancel, pause, resume, priority, delete: a control in the session's folder (controls.py)
    ask_again  retry: a round of jobs that are to be run again (retries.py)
    ask_to_reduce  reduce: reducers are to run again over what is archived

Guarantees: a session that moves meanwhile is looked for again; what still lies in the inbox is taken out to rejected/,
never removed; a wish about a closed session is written first, then the session is opened by one rename, so that a
crash between leaves a wish that saying it again carries out. Says nothing to anybody: the command line and the page do.
"""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from park_spool import controls, naming, retries, whereabouts
from park_spool.controls import Controls
from park_spool.errors import NotFound, PermanentError, TemporaryError
from park_spool.member import Member
from park_spool.retries import Jobs
from park_spool.tending.rejection import reject
from park_spool.whereabouts import Place

LOOKS = 25
LOOK_SECONDS = 0.2
ENDING = ("cancel", "delete")
NOTHING = Controls()

Pause = Callable[[float], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request: where the session was at first, and what had been said of it before."""

    sid: str
    place: Place
    before: Controls = NOTHING


def user_name() -> str:
    """Return the login name of who runs this process."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def ask(
    member: Member, sid: str, verb: str, user: str, argument: int | None = None, pause: Pause = time.sleep
) -> Answer:
    """Say what a user wants of a session. What holds already is not said again.

    Raises NotFound if the session is not there, PermanentError if it is past that, TemporaryError if it is not there
    yet.
    """
    first: Answer | None = None
    for place in _looks(member, sid, pause):
        with suppress(FileNotFoundError):  # RACE: it has moved since the look; the next one finds it
            if place == "inbox":
                if verb not in ENDING:
                    raise TemporaryError(f"session {sid} is not admitted yet; try again when it is")
                if withdraw(member, sid, verb, user):
                    return Answer(sid, "inbox")
                continue
            said = _said(member, sid, place)
            first = first or Answer(sid, place, said)
            if _is_done(sid, verb, argument, place, said, first):
                return first
            _say(member, sid, verb, user, argument, place, said)
    raise TemporaryError(f"session {sid} does not stand still; nothing may have been done, try again")


def _said(member: Member, sid: str, place: Place) -> Controls:
    if place == "deleted":
        return Controls(is_deleted=True)
    folder = whereabouts.folder_of(member.layout, sid, place)
    return controls.read(member.disk.names(folder)) if folder else Controls()


def _is_done(sid: str, verb: str, argument: int | None, place: Place, said: Controls, first: Answer) -> bool:
    """Say whether a wish holds where the session is now. Raises PermanentError if it is too late for it."""
    if verb == "delete":
        return place == "deleted" or (said.is_deleted and place == "open")
    if said.is_stopped:
        _refuse_if(verb != "cancel", sid, "was deleted" if said.is_deleted else "was cancelled, which cannot be undone")
        return True
    holds = {
        "cancel": False,
        "pause": said.is_paused,
        "resume": not said.is_paused,
        "priority": argument is not None and said.priority == argument,
    }[verb]
    if place == "closed":
        is_in_time = verb == "cancel" or (holds and first.place == "open")
        _refuse_if(not is_in_time, sid, "is closed")
        return True
    return holds


def _refuse_if(is_past: bool, sid: str, why: str) -> None:
    if is_past:
        raise PermanentError(f"session {sid} {why}; nothing was changed")


def _say(member: Member, sid: str, verb: str, user: str, argument: int | None, place: Place, said: Controls) -> None:
    folder = whereabouts.folder_of(member.layout, sid, place)
    if folder is None:
        return  # being admitted: the next look finds it open
    if not (verb == "delete" and said.is_deleted):
        controls.say(member, folder, verb, user, argument)
    if verb == "delete" and place == "closed":
        reopen(member, sid)


def reopen(member: Member, sid: str) -> bool:
    """Open a closed session again; False if somebody else moved it first. At this rename it is open."""
    return member.disk.move(member.layout.closed_session(sid), member.layout.session(sid))


def withdraw(member: Member, sid: str, verb: str, user: str) -> bool:
    """Take a session out of the inbox again, to rejected/; False if it is not there any more."""
    for name in member.disk.names(member.layout.inbox):
        chosen, file = naming.split_submitted(name)
        if chosen == sid:
            reason = f"{file}: withdrawn by {user} (`park {verb}`)\nIt would have been session {sid}."
            return reject(member, member.layout.inbox / name, file, reason)
    return False


def ask_again(member: Member, sid: str, jobs: Jobs, user: str, pause: Pause = time.sleep) -> int:
    """Have jobs run again in a round of their own, and open the session if it is closed; return the round.

    Raises PermanentError if the session was cancelled or deleted, or if no round is left.
    """

    def say(folder: Path) -> int:
        try:
            return retries.open_round(member, folder, jobs, user)
        except ValueError as error:
            raise PermanentError(f"session {sid}: {error}; send it again") from error

    return _say_once(member, sid, say, lambda said: refuse_if_stopped(sid, said), pause)


def ask_to_reduce(member: Member, sid: str, group: int | None, user: str, pause: Pause = time.sleep) -> str:
    """Have the reducer of a group (of all groups) run again, and open the session if it is closed; return the wish.

    Raises PermanentError if the session was deleted.
    """

    def say(folder: Path) -> str:
        return controls.say(member, folder, "reduce", user, group)

    return _say_once(member, sid, say, lambda said: _refuse_if(said.is_deleted, sid, "was deleted"), pause)


def _say_once(
    member: Member, sid: str, say: Callable[[Path], T], refuse: Callable[[Controls], None], pause: Pause
) -> T:
    """Say something in a session's folder, once, wherever it moves; open it if it is closed."""
    said: list[T] = []
    for place in _looks(member, sid, pause):
        refuse(_said(member, sid, place))
        folder = whereabouts.folder_of(member.layout, sid, place)
        if folder is None:
            _refuse_if(place == "inbox", sid, "lies in the inbox and is not admitted yet")
            continue
        with suppress(FileNotFoundError):  # RACE: it has moved since the look; the next one finds it
            if not said:
                said.append(say(folder))
                if place == "open":
                    continue  # RACE: it may be closed at this moment: one more look tells
            if place == "open" or reopen(member, sid):
                return said[0]
    raise TemporaryError(f"session {sid} does not stand still; nothing may have been done, try again")


def refuse_if_stopped(sid: str, said: Controls) -> None:
    """Raise PermanentError if no job of a session can be run any more."""
    why = "was deleted" if said.is_deleted else "was cancelled, and cannot go on: send it again"
    _refuse_if(said.is_stopped, sid, why)


def _looks(member: Member, sid: str, pause: Pause) -> Iterator[Place]:
    """Yield where a session is, again and again for a few seconds. Raises NotFound if it is nowhere."""
    missed = 0
    for number in range(LOOKS):
        if number > 1:
            pause(LOOK_SECONDS)
        place = whereabouts.places(member.disk, member.layout).get(sid)
        if place is not None:
            yield place
            continue
        # RACE: what moves between two folders while they are listed is seen in neither.
        missed += 1
        if missed > 2:
            raise NotFound(f"session {sid} is not on the spool any more")
