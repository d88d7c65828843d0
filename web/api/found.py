"""The session that an address names, if who asks may see it; and whether they may change it."""

from __future__ import annotations

from park_spool import desk
from park_spool.errors import NotFound

from ..reading import look, reader, shared
from ..who import require_changing, visible


def session(prefix: str) -> str:
    """Return the id of the session that a prefix means. Raises NotFound where there is none that may be seen."""
    sid, user = shared(("whose", prefix), lambda: _named(prefix))
    visible(user)
    return sid


def changeable(prefix: str) -> str:
    """Return the id of a session that who asks may change. Raises NotFound, Forbidden."""
    sid, user = _named(prefix)
    visible(user)
    require_changing(user)
    return sid


def _named(prefix: str) -> tuple[str, str]:
    """Return id and user of a session: from the archive, or of one that it does not know yet, from the spool."""
    try:
        row = reader().session(prefix)
    except NotFound:
        sid = look().one(prefix).sid
        return sid, desk.owner(look(), sid)
    return row.sid, row.user
