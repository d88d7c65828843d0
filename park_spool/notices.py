"""What is said to nodes, masters and hosts by a name in notices/: who said it, and when, stands in it for people."""

from __future__ import annotations

from pathlib import Path

from park_spool import control_requests, controls, wishes
from park_spool.member import Member


def say(member: Member, name: str, verb: str) -> bool:
    """Tell a node or a master to do something (wishes.notice_name); return whether that is news."""
    return put_up(member, member.layout.notices / wishes.notice_name(name, verb))


def put_up(member: Member, path: Path) -> bool:
    """Create a notice. At this create whom it concerns is told."""
    return member.disk.create(path, controls.signed(member, control_requests.user_name()))
