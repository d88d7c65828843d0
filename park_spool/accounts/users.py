"""Users: their names, roles and what is kept of their passwords."""

from __future__ import annotations

import unicodedata
from sqlite3 import Connection, Row

from park_spool.errors import AccountError, NotFound

from .roles import Role
from .rows import User

LONGEST = 64
_COLUMNS = "name, role, password IS NOT NULL AS has_password, made"


def as_kept(name: str) -> str:
    """Return a name with its accents as they are kept, however they were typed."""
    return unicodedata.normalize("NFC", name[: LONGEST * 4])


def clean_name(name: str) -> str:
    """Return a name as it is kept. Raises AccountError if it will not do.

    >>> clean_name("anna"), clean_name("wei@lab.example")
    ('anna', 'wei@lab.example')
    """
    name = as_kept(name)
    if not name or len(name) > LONGEST or not name.isprintable() or any(letter.isspace() for letter in name):
        raise AccountError(f"expected a name of 1 to {LONGEST} characters without blanks, got {name[:80]!r}", "name")
    return name


def add(connection: Connection, name: str, role: Role, password: str | None, now: float) -> User:
    """Add a user with what is kept of a password. Raises AccountError if the name is taken."""
    name = clean_name(name)
    if find(connection, name) is not None:
        raise AccountError(f"there is a user {name} already", "name")
    connection.execute("INSERT INTO users VALUES (?, ?, ?, ?)", (name, role, password, now))
    return get(connection, name)


def find(connection: Connection, name: str) -> User | None:
    if not name.isprintable():
        return None  # nobody has such a name, and SQLite takes no text that is not Unicode
    row = connection.execute(f"SELECT {_COLUMNS} FROM users WHERE name = ?", (name,)).fetchone()
    return None if row is None else _user(row)


def get(connection: Connection, name: str) -> User:
    """Return a user. Raises NotFound."""
    found = find(connection, name)
    if found is None:
        raise NotFound(f"there is no user {name}; `park user list` shows those there are")
    return found


def every(connection: Connection) -> list[User]:
    return [_user(row) for row in connection.execute(f"SELECT {_COLUMNS} FROM users ORDER BY name")]


def kept_password(connection: Connection, name: str) -> str | None:
    row = connection.execute("SELECT password FROM users WHERE name = ?", (name,)).fetchone()
    return None if row is None else row["password"]


def set_password(connection: Connection, name: str, password: str) -> None:
    get(connection, name)
    connection.execute("UPDATE users SET password = ? WHERE name = ?", (password, name))


def set_role(connection: Connection, name: str, role: Role) -> None:
    """Raises AccountError if nobody could look after the users any more."""
    if get(connection, name).role is Role.ADMINISTRATOR and role is not Role.ADMINISTRATOR:
        _require_another(connection, name)
    connection.execute("UPDATE users SET role = ? WHERE name = ?", (role, name))


def remove(connection: Connection, name: str) -> None:
    """Remove a user, with tokens, log-ins and links. Raises AccountError as `set_role` does."""
    if get(connection, name).role is Role.ADMINISTRATOR and len(every(connection)) > 1:
        _require_another(connection, name)
    connection.execute("DELETE FROM users WHERE name = ?", (name,))
    connection.execute("DELETE FROM links WHERE user = ?", (name,))


def _require_another(connection: Connection, name: str) -> None:
    if not any(user.role is Role.ADMINISTRATOR for user in every(connection) if user.name != name):
        raise AccountError(f"{name} is the only administrator: make another one first", "role")


def _user(row: Row) -> User:
    return User(row["name"], Role(row["role"]), bool(row["has_password"]), row["made"])
