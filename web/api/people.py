"""Who asks, and who may: oneself, one's tokens; for administrators the users and the record of what was done."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPMethod
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from park_spool.accounts.roles import Role, read_role
from park_spool.accounts.rows import Entry, Token, User

from .. import who
from ..who import accounts
from .kinds import Text
from .operation import Operation, address

TAG = "people"
DAY = 86400.0

TokenNumber = Annotated[int, Meta(ge=1, le=2**53, description="The number of a token, as GET /tokens lists it.")]


@dataclass(frozen=True, slots=True)
class Me:
    """Who asks; `csrf` is what a browser that is logged in must send as X-CSRF-Token with what changes something."""

    name: str
    role: str
    via: str
    csrf: str


@dataclass(frozen=True, slots=True)
class TokenShown:
    """A token: a key for programs. It never ends if `expires` is null; `used` is when it was used last."""

    id: int
    label: str
    role: str
    made: float
    expires: float | None
    used: float | None


@dataclass(frozen=True, slots=True)
class Tokens:
    """One's own tokens."""

    tokens: tuple[TokenShown, ...]


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made: its secret is said here, and never again."""

    secret: str
    token: TokenShown
    href: str


@dataclass(frozen=True, slots=True)
class UserShown:
    """One who may use the page."""

    name: str
    role: str
    has_password: bool
    made: float


@dataclass(frozen=True, slots=True)
class Users:
    """All who may use the page, by name."""

    users: tuple[UserShown, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """What was done, by whom and from where, the newest first."""

    entries: tuple[Entry, ...]


class TokenWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a token is for, what it may, and after how many days it ends; 0 is never. An empty role is one's own."""

    label: Annotated[str, Meta(min_length=1, max_length=100)]
    role: Literal["", "viewer", "submitter", "administrator"] = ""
    days: Annotated[float, Meta(ge=0, le=36500)] = 0.0


class AuditQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose, and from where on."""

    user: Annotated[Text, Meta(description="Whose; empty is everybody's.")] = ""
    before: Annotated[int, Meta(ge=0, le=2**53, description="Only entries with a smaller id; 0 is all.")] = 0
    limit: Annotated[int, Meta(ge=1, le=1000, description="How many at most.")] = 100


def me() -> Me:
    """Say who asks, and what they may."""
    one = who.who()
    return Me(one.name, str(one.role), one.via, one.csrf)


def tokens() -> Tokens:
    """List one's own tokens."""
    return Tokens(tuple(map(_token, accounts().tokens(who.who().name))))


@who.person
def make_token(body: TokenWanted) -> NewToken:
    """Make a token of one's own.

    Only who is logged in can: a token makes no other.
    """
    role = read_role(body.role) if body.role else None
    secret, token = accounts().make_token(who.who().name, body.label, role, body.days * DAY or None)
    who.record("made token", detail=f"{token.id}: {token.label}, {token.role}")
    return NewToken(secret, _token(token), address("/tokens"))


def drop_token(number: TokenNumber) -> None:
    """Drop a token of one's own."""
    token = accounts().drop_token(number, who.who().name)
    who.record("dropped token", detail=f"{token.id}: {token.label}")


def users() -> Users:
    """List all who may use the page."""
    return Users(tuple(map(_user, accounts().users())))


def audit(query: AuditQuery) -> Audit:
    """List what was done, by whom and from where, the newest first."""
    return Audit(tuple(accounts().audit(query.user or None, query.before or None, query.limit)))


def _token(one: Token) -> TokenShown:
    return TokenShown(one.id, one.label, str(one.role), one.made, one.expires, one.used)


def _user(one: User) -> UserShown:
    return UserShown(one.name, str(one.role), one.has_password, one.made)


OPERATIONS = (
    Operation("GET", "/me", me, TAG),
    Operation("GET", "/tokens", tokens, TAG),
    Operation("POST", "/tokens", make_token, TAG, status=201),
    Operation(HTTPMethod.DELETE, "/tokens/{number}", drop_token, TAG, status=204),
    Operation("GET", "/users", users, TAG, Role.ADMINISTRATOR),
    Operation("GET", "/audit", audit, TAG, Role.ADMINISTRATOR),
)
