"""What somebody may do: each role may do what those below it may."""

from __future__ import annotations

from enum import IntEnum

from park_spool.errors import AccountError


class Role(IntEnum):
    """A viewer looks, a submitter sends and changes own sessions, an administrator changes everything.

    >>> Role.VIEWER < Role.SUBMITTER, str(Role.ADMINISTRATOR)
    (True, 'administrator')
    """

    NOBODY = 0
    VIEWER = 1
    SUBMITTER = 2
    ADMINISTRATOR = 3

    def __str__(self) -> str:
        return self.name.lower()


MEANINGS = {
    Role.VIEWER: "looks at sessions, nodes and logs",
    Role.SUBMITTER: "also submits sessions, and changes their own",
    Role.ADMINISTRATOR: "also changes sessions of others, nodes and users",
}
WORDS = tuple(map(str, MEANINGS))


def read_role(word: str) -> Role:
    """Return the role of a word. Raises AccountError.

    >>> read_role("viewer").name
    'VIEWER'
    """
    if word not in WORDS:
        raise AccountError(f"expected a role, one of {', '.join(WORDS)}, got {word!r}", "role")
    return Role[word.upper()]
