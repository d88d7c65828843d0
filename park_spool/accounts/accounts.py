"""`Accounts`: the one way to users, their log-ins, tokens and links, and to the record of who did what.

Every method is one short transaction; passwords are looked at outside of it, for that takes a tenth of a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from park_spool.errors import TemporaryError

from . import audit, failures, logins, secret, tokens, users
from .database import Database
from .roles import Role
from .rows import Entry, Login, Token, User
from .stamp import Stamp

Clock = Callable[[], float]
HOUR = 3600.0


class Accounts:
    """The users of one page. Threads and processes may use the file at once; errors are ParkError, in a sentence."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path, self._clock = path, clock
        self._database = Database(path)
        self._stamp = Stamp(path, clock)

    @classmethod
    def open(cls, path: Path, clock: Clock = time.time) -> Accounts:
        """Open the file, or make it. Raises SpoolError, TemporaryError."""
        return cls(path, clock)

    def close(self) -> None:
        self._stamp.close()
        self._database.close()

    def __enter__(self) -> Accounts:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def stamp(self) -> int:
        """Return a number that changes whenever any right may have changed; cheap enough for every request."""
        return self._stamp()

    # users

    def add_user(self, name: str, role: Role, password: str | None = None) -> User:
        """Add a user; without a password, links, tokens and the proxy are the ways in. Raises AccountError."""
        kept = None if password is None else secret.hashed(password)
        with self._database.changing() as connection:
            return users.add(connection, name, role, kept, self._clock())

    def users(self) -> list[User]:
        """Return all users, by name."""
        with self._database.looking() as connection:
            return users.every(connection)

    def user(self, name: str) -> User | None:
        with self._database.looking() as connection:
            return users.find(connection, name)

    def set_password(self, name: str, password: str, but: str = "") -> None:
        """Set a password and end the user's log-ins, but that of the cookie `but`. Raises AccountError, NotFound."""
        kept = secret.hashed(password)
        with self._database.changing() as connection:
            users.set_password(connection, name, kept)
            logins.end_all(connection, name, but)

    def set_role(self, name: str, role: Role) -> None:
        """Set a user's role, at once. Raises NotFound, AccountError if no administrator would be left."""
        with self._database.changing() as connection:
            users.set_role(connection, name, role)

    def remove_user(self, name: str) -> None:
        """Remove a user with log-ins, tokens and links. Raises as `set_role` does."""
        with self._database.changing() as connection:
            users.remove(connection, name)

    def check_password(self, name: str, password: str, address: str = "") -> User | None:
        """Return the user if name and password are right. Raises TooManyAttempts, which says how long to wait."""
        name = users.as_kept(name)
        with self._database.changing() as connection:
            attempt = failures.begin(connection, name, address, self._clock())
            kept = users.kept_password(connection, name)
        if not secret.is_password(kept, password):
            return None
        with self._database.changing() as connection:
            failures.forget(connection, name, attempt)
            # RACE: the password may have been changed while this one was looked at.
            return users.find(connection, name) if users.kept_password(connection, name) == kept else None

    # log-ins and links

    def begin_login(self, name: str, address: str = "") -> str:
        """Log a user in; return the cookie's secret, which is kept nowhere. Raises NotFound."""
        with self._database.changing() as connection:
            return logins.begin(connection, name, address, self._clock())

    def login_of(self, cookie: str) -> Login | None:
        """Return the log-in of a cookie, None if it has ended; notes that it was seen."""
        now = self._clock()
        with self._database.looking() as connection:
            found = logins.find(connection, cookie, now)
        if found is not None and now - found.seen > logins.SEEN_SECONDS:
            with suppress(TemporaryError), self._database.changing() as connection:
                logins.note_sight(connection, found, now)
        return found

    def logins(self, user: str) -> list[Login]:
        """Return a user's log-ins, the last seen first; `csrf` is empty in them."""
        with self._database.looking() as connection:
            return logins.every(connection, user, self._clock())

    def end_login(self, cookie: str) -> None:
        with self._database.changing() as connection:
            logins.end(connection, cookie)

    def end_logins_of(self, user: str, but: str = "") -> int:
        """End all log-ins of a user, but that of the cookie `but`; return how many they were."""
        with self._database.changing() as connection:
            return logins.end_all(connection, user, but)

    def make_link(self, user: str, role: Role | None = None, seconds: float = HOUR) -> str:
        """Return the secret of a link that logs a user in once; with a role, one who is not there is made with it.

        Raises NotFound, AccountError.
        """
        with self._database.changing() as connection:
            return logins.make_link(connection, user, role, seconds, self._clock())

    def make_first_link(self, user: str) -> str | None:
        """Return the secret of a link for the first administrator, good for a day; None if there are users."""
        with self._database.changing() as connection:
            if users.every(connection):
                return None
            return logins.make_link(connection, user, Role.ADMINISTRATOR, logins.LONGEST_LINK, self._clock())

    def is_link(self, given: str) -> bool:
        """Say whether a link may still be redeemed; it stays as it is."""
        with self._database.looking() as connection:
            return logins.is_link(connection, given, self._clock())

    def redeem_link(self, given: str) -> User | None:
        """Use a link up, and return whose it was; None if it was used, has ended, or never was."""
        with self._database.changing() as connection:
            return logins.redeem_link(connection, given, self._clock())

    # tokens

    def make_token(
        self, user: str, label: str, role: Role | None = None, seconds: float | None = None
    ) -> tuple[str, Token]:
        """Return a new token's secret, to be shown once, and the token. Raises NotFound, AccountError."""
        now = self._clock()
        with self._database.changing() as connection:
            return tokens.make(connection, user, label, role, None if seconds is None else now + seconds, now)

    def tokens(self, user: str | None = None) -> list[Token]:
        """Return the tokens of a user, or of all; those that have ended, too."""
        with self._database.looking() as connection:
            return tokens.every(connection, user)

    def drop_token(self, number: int, user: str | None = None) -> Token:
        """Drop a token, which must be the user's if one is given. Raises NotFound."""
        with self._database.changing() as connection:
            return tokens.drop(connection, number, user)

    def user_of_token(self, given: str) -> Token | None:
        """Return the token, with its user and role, of a secret; None if it is none; notes that it was used."""
        now = self._clock()
        with self._database.looking() as connection:
            found = tokens.find(connection, given, now)
        if found is not None and now - (found.used or 0.0) > tokens.USED_SECONDS:
            with suppress(TemporaryError), self._database.changing() as connection:
                tokens.note_use(connection, found, now)
        return found

    # the record, and what forms need

    def record(self, user: str, via: str, what: str, sid: str = "", detail: str = "", address: str = "") -> None:
        """Record that somebody did something."""
        with self._database.changing() as connection:
            audit.record(connection, self._clock(), user, via, address, what, sid, detail)

    def audit(self, user: str | None = None, before: int | None = None, limit: int = 100) -> list[Entry]:
        """Return a page of the record, the newest first: all or a user's, from below the entry `before`."""
        with self._database.looking() as connection:
            return audit.page(connection, user, before, limit)

    def csrf_of_proxy(self, user: str) -> str:
        """Return what the forms of one must bring along whom a reverse proxy logged in."""
        with self._database.looking() as connection:
            (key,) = connection.execute("SELECT key FROM rights").fetchone()
        return secret.csrf(key, user)
