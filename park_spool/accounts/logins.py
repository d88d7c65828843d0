"""Log-ins: browsers that hold a cookie, and the one-time links that are another way to one."""

from __future__ import annotations

from sqlite3 import Connection, Row

from park_spool.errors import AccountError

from . import secret, users
from .roles import Role
from .rows import Login, User

DAY = 86400.0
LOGIN_SECONDS = 30 * DAY
SEEN_SECONDS = 300.0  # a page that is open is noted so often
SHORTEST_LINK, LONGEST_LINK = 600.0, DAY
_QUERY = """
SELECT id, user, role, logins.made AS made, seen, expires, address FROM logins JOIN users ON users.name = logins.user"""


def begin(connection: Connection, user: str, address: str, now: float) -> str:
    """Return a new cookie's secret, which is not kept; what has ended is forgotten. Raises NotFound."""
    users.get(connection, user)
    connection.execute("DELETE FROM logins WHERE expires <= ?", (now,))
    made, columns = secret.new(), "(digest, user, made, seen, expires, address)"
    values = (secret.digest(made), user, now, now, now + LOGIN_SECONDS, address)
    connection.execute(f"INSERT INTO logins {columns} VALUES (?, ?, ?, ?, ?, ?)", values)
    return made


def find(connection: Connection, given: str, now: float) -> Login | None:
    """Return the log-in of a cookie, None if there is none or it has ended."""
    row = connection.execute(f"{_QUERY} WHERE digest = ?", (secret.digest(given),)).fetchone()
    return _login(row, secret.csrf(given)) if row is not None and now < row["expires"] else None


def every(connection: Connection, user: str, now: float) -> list[Login]:
    """Return a user's log-ins, the last seen first, without what their forms need."""
    rows = connection.execute(f"{_QUERY} WHERE user = ? AND expires > ? ORDER BY seen DESC, id DESC", (user, now))
    return [_login(row, "") for row in rows]


def note_sight(connection: Connection, login: Login, now: float) -> None:
    connection.execute("UPDATE logins SET seen = ? WHERE id = ?", (now, login.id))


def end(connection: Connection, given: str) -> None:
    connection.execute("DELETE FROM logins WHERE digest = ?", (secret.digest(given),))


def end_all(connection: Connection, user: str, but: str) -> int:
    """End a user's log-ins, but that of one cookie; return how many they were."""
    kept = secret.digest(but)
    return connection.execute("DELETE FROM logins WHERE user = ? AND digest <> ?", (user, kept)).rowcount


def make_link(connection: Connection, user: str, role: Role | None, seconds: float, now: float) -> str:
    """Return a new link's secret. With a role, the user is made when it is redeemed. Raises AccountError, NotFound."""
    if not SHORTEST_LINK <= seconds <= LONGEST_LINK:
        raise AccountError(f"expected a link for 10 minutes to one day, got {seconds:g} s")
    name = users.clean_name(user) if role is not None else users.get(connection, user).name
    connection.execute("DELETE FROM links WHERE expires <= ?", (now,))
    made = secret.new()
    values = (secret.digest(made), name, role, now, now + seconds)
    connection.execute("INSERT INTO links VALUES (?, ?, ?, ?, ?)", values)
    return made


def is_link(connection: Connection, given: str, now: float) -> bool:
    """Say whether a link may still be redeemed."""
    query = "SELECT 1 FROM links WHERE digest = ? AND expires > ?"
    return connection.execute(query, (secret.digest(given), now)).fetchone() is not None


def redeem_link(connection: Connection, given: str, now: float) -> User | None:
    """Return whose link it was, None if it is none any more. RACE: the row is gone for whoever comes second."""
    query = "DELETE FROM links WHERE digest = ? RETURNING user, role, expires"
    row = connection.execute(query, (secret.digest(given),)).fetchone()
    if row is None or now >= row["expires"]:
        return None
    found = users.find(connection, row["user"])
    if found is None and row["role"] is not None:
        return users.add(connection, row["user"], Role(row["role"]), None, now)
    return found


def _login(row: Row, csrf: str) -> Login:
    times = (row["made"], row["seen"], row["expires"])
    return Login(row["id"], row["user"], Role(row["role"]), csrf, *times, row["address"])
