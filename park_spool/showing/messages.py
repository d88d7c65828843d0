"""What reducers say, across all sessions: the newest first and page by page, or what came after a place, live."""

from __future__ import annotations

from dataclasses import dataclass

from park_spool.archive.reading import ArchiveReader
from park_spool.archive.said_queries import EVER, Placed, SaidWanted
from park_spool.errors import NotFound

MOST = 1000


@dataclass(frozen=True, slots=True)
class MessagesAsked:
    """Which messages: of one session, with a text in them, of `owner`'s sessions alone; empty is any.

    `before`: those older than this place, the newest first (0: from the newest on). `after`: those that came later than
    this place, the first one first (None: not so). At most `limit`.
    """

    sid: str = ""
    text: str = ""
    owner: str = ""
    before: int = 0
    after: int | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class SaidShown:
    """A message; `place` is where it stands in the order in which all came, `number` counts in its group."""

    place: int
    sid: str
    group: int
    number: int
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class MessagesPage:
    """Messages, the newest first. `last` is the place to ask for what comes `after`, `next` to ask `before` (0: none).

    `is_anew`: the place that was asked for is gone, and all stands here as if nothing had been seen.
    """

    messages: tuple[SaidShown, ...]
    last: int
    next: int
    is_anew: bool = False


def messages(reader: ArchiveReader, asked: MessagesAsked) -> MessagesPage:
    """Return messages. Raises NotFound if more are asked for than are given at once."""
    if not 1 <= asked.limit <= MOST:
        raise NotFound(f"expected 1 to {MOST} messages at once, got {asked.limit}")
    wanted = SaidWanted(asked.sid or None, asked.owner or None, asked.text or None)
    if asked.after is not None:
        found, last = reader.said_after(wanted, asked.after, asked.limit)
        if asked.after <= last:
            shown = tuple(map(_shown, reversed(found)))
            seen = shown[0].place if len(shown) == asked.limit else last
            return MessagesPage(shown, seen, 0)
    is_anew = asked.after is not None
    found, last = reader.said_before(wanted, (not is_anew and asked.before) or EVER, asked.limit)
    following = found[-1][0] if len(found) == asked.limit else 0
    return MessagesPage(tuple(map(_shown, found)), last, following, is_anew)


def _shown(placed: Placed) -> SaidShown:
    place, sid, row = placed
    return SaidShown(place, sid, row.group, row.number, row.at, row.text)
