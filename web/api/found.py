"""The session that an address names, if who asks may see it; and whether they may change it."""

from __future__ import annotations

from park_spool import desk
from park_spool.errors import NotFound
from park_spool.progress import progress

from ..reading import look, reader, shared
from ..who import require_changing, visible


def session(prefix: str) -> str:
    """Return the id of the session that a prefix means. Raises NotFound where there is none that may be seen."""
    sid, user = shared(("whose", prefix), lambda: _named(prefix))
    visible(user)
    return sid


def is_open(sid: str) -> bool:
    """Say whether results of a session may still come; yes of one that the archive does not know yet."""
    return shared(("open", sid), lambda: _is_open(sid))


def _is_open(sid: str) -> bool:
    try:
        return progress(reader().session(sid)).is_open
    except NotFound:
        return True


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
