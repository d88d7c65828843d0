"""What is waited for: the attribute `after` of a session or a group. Pure.

    SID      another session: group g starts from its group g, else from its last one
    SID.2    group 2 of another session
    1        an earlier group of the same session

A beginning of a session's id will not do: what is written must mean the same for ever.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from park_spool.patterns import PATTERNS
from park_spool.sessions.session import Session

_GROUP = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class After:
    """A session, one of its groups, or (without `sid`) a group of the same session."""

    sid: str | None
    group: int | None = None

    @property
    def name(self) -> str:
        """Say what it is.

        >>> After(None, 1).name, After("20261123-025532-k3j9", 2).name
        ('group 1', 'group 2 of session 20261123-025532-k3j9')
        """
        group = "" if self.group is None else f"group {self.group}"
        return " of ".join(part for part in (group, f"session {self.sid}" if self.sid else "") if part)


def parse_after(text: str) -> After | None:
    """Read what is waited for; None if it has none of the forms.

    >>> parse_after("20261123-025532-k3j9.2"), parse_after("1"), parse_after("20261123-02"), parse_after("01")
    (After(sid='20261123-025532-k3j9', group=2), After(sid=None, group=1), None, None)
    """
    if _GROUP.fullmatch(text):
        return After(None, int(text))
    sid, dot, group = text.partition(".")
    if not PATTERNS["SID"].fullmatch(sid) or (dot and not _GROUP.fullmatch(group)):
        return None
    return After(sid, int(group) if dot else None)


def after_of(session: Session, group_number: int) -> After | None:
    """Return what a group waits for: what it says itself, else what its session says."""
    text = session.groups[group_number - 1].after or session.after
    return parse_after(text) if text else None
