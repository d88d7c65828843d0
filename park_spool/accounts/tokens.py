"""Tokens: keys for programs, each with a label, a role and maybe an end."""

from __future__ import annotations

from sqlite3 import Connection, Row

from park_spool.errors import AccountError, NotFound

from . import secret, users
from .audit import LARGEST
from .roles import Role
from .rows import Token

LONGEST_LABEL = 100
USED_SECONDS = 60.0  # a busy program's token is noted so often
_QUERY = """
SELECT id, user, label, min(tokens.role, users.role) AS role, tokens.made AS made, expires, used
FROM tokens JOIN users ON users.name = tokens.user"""


def make(
    connection: Connection, user: str, label: str, role: Role | None, expires: float | None, now: float
) -> tuple[str, Token]:
    """Return a new token's secret, which is not kept, and the token. Raises AccountError, NotFound."""
    owner, label = users.get(connection, user), label.strip()
    role = owner.role if role is None else role
    if not label or len(label) > LONGEST_LABEL or not label.isprintable():
        raise AccountError(f"expected a label that says what the token is for, got {label[:80]!r}", "label")
    if not Role.VIEWER <= role <= owner.role:
        raise AccountError(f"expected a role that {user} has, up to {owner.role}, got {role}", "role")
    made = secret.new(secret.TOKEN)
    columns = "(digest, user, label, role, made, expires)"
    found = connection.execute(
        f"INSERT INTO tokens {columns} VALUES (?, ?, ?, ?, ?, ?)",
        (secret.digest(made), user, label, role, now, expires),
    )
    return made, _token(connection.execute(f"{_QUERY} WHERE id = ?", (found.lastrowid,)).fetchone())


def every(connection: Connection, user: str | None) -> list[Token]:
    rows = connection.execute(f"{_QUERY} WHERE ? IS NULL OR user = ? ORDER BY user, id", (user, user))
    return [_token(row) for row in rows]


def find(connection: Connection, given: str, now: float) -> Token | None:
    """Return the token of a secret, None if there is none or it has ended."""
    row = connection.execute(f"{_QUERY} WHERE digest = ?", (secret.digest(given),)).fetchone()
    return _token(row) if row is not None and (row["expires"] is None or now < row["expires"]) else None


def note_use(connection: Connection, token: Token, now: float) -> None:
    connection.execute("UPDATE tokens SET used = ? WHERE id = ?", (now, token.id))


def drop(connection: Connection, number: int, user: str | None) -> Token:
    """Drop a token, one of a user if one is given. Raises NotFound."""
    query = f"{_QUERY} WHERE id = ? AND (? IS NULL OR user = ?)"
    row = connection.execute(query, (number, user, user)).fetchone() if abs(number) <= LARGEST else None
    if row is None:
        raise NotFound(f"there is no token {number}" + (f" of {user}" if user else ""))
    connection.execute("DELETE FROM tokens WHERE id = ?", (number,))
    return _token(row)


def _token(row: Row) -> Token:
    numbers = (row["made"], row["expires"], row["used"])
    return Token(row["id"], row["user"], row["label"], Role(row["role"]), *numbers)
