"""What users have said about a session after it was sent: `control.SEQ.RANDOM.VERB[.ARG]` in its folder.

    cancel, delete        for good: nothing undoes them
    pause, resume         the newest counts
    priority ARG          the newest counts
    reduce [GROUP]        each counts, once: the reducer runs again over what is archived

Nothing is removed to undo something, and no name has two writers: who says something takes the next SEQ and a RANDOM of
its own. What stands in the file (who, when) is for people; the name alone decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from park_spool import naming
from park_spool.atomic import Disk
from park_spool.member import Member
from park_spool.wishes import Control, parse_control

Note = Mapping[str, object]
NOTHING: Note = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Controls:
    """What counts of all that was said; `priority` is None while the session's own counts."""

    is_cancelled: bool = False
    is_deleted: bool = False
    is_paused: bool = False
    priority: int | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether no job of the session is to be run any more."""
        return self.is_cancelled or self.is_deleted


def read(names: Iterable[str]) -> Controls:
    """Work out what counts from the names in a session's folder.

    >>> read(["control.000000001.aaaaaa.pause", "control.000000002.aaaaaa.resume", "session.json"])
    Controls(is_cancelled=False, is_deleted=False, is_paused=False, priority=None)
    >>> read(["control.000000001.aaaaaa.priority.-5", "control.000000001.bbbbbb.priority.7"]).priority
    7
    """
    said = sorted(control for control in map(parse_control, names) if control is not None)
    newest = {_kind(control.verb): control for control in said}
    verbs = {control.verb for control in said}
    return Controls(
        is_cancelled="cancel" in verbs,
        is_deleted="delete" in verbs,
        is_paused="flow" in newest and newest["flow"].verb == "pause",
        priority=newest["priority"].argument if "priority" in newest else None,
    )


def reductions(names: Iterable[str]) -> list[Control]:
    """Return the wishes that reducers run again, the first one first.

    >>> [one.argument for one in reductions(["control.000000002.aaaaaa.reduce.2", "control.000000001.aaaaaa.reduce"])]
    [None, 2]
    """
    said = (control for control in map(parse_control, names) if control is not None)
    return sorted((one for one in said if one.verb == "reduce"), key=lambda one: (one.seq, one.random))


def _kind(verb: str) -> str:
    return {"cancel": "end", "delete": "end", "pause": "flow", "resume": "flow"}.get(verb, verb)


def why_cancelled(disk: Disk, folder: Path, names: Iterable[str]) -> str | None:
    """Return why a session was cancelled, if who first said it said so: the reducer does, users need not."""
    said = sorted(control for control in map(parse_control, names) if control and control.verb == "cancel")
    try:
        return str(json.loads(disk.read(folder / said[0].name) or b"")["why"]) if said else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def say(
    member: Member,
    folder: Path,
    verb: str,
    user: str,
    argument: int | None = None,
    note: Note = NOTHING,
) -> str:
    """Say something about the session in `folder`; return the control's name.

    `note` is what else people should know: that is published durably, since it is said nowhere else.

    At the instant of the create, or of the rename, it is said. FileNotFoundError if the session has moved: look where
    it is, say it again.
    """
    said = [control.seq for control in map(parse_control, member.disk.names(folder)) if control is not None]
    control = Control(max(said, default=0) + 1, naming.random_word(member.choose), verb, argument)
    words = signed(member, user, note)
    if note:
        member.disk.publish(folder / control.name, words, durable=True)
    else:
        member.disk.create(folder / control.name, words)
    return control.name


def signed(member: Member, user: str, note: Note = NOTHING) -> bytes:
    """Return what stands in a wish or a notice, for people: who said it, when, and what else they should know."""
    return json.dumps({"by": user, "at": member.wall(), **note}, ensure_ascii=False).encode() + b"\n"
