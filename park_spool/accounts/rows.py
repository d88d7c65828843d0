"""What is kept of users and their ways in, as values. Times are in seconds since 1970; no value holds a secret."""

from __future__ import annotations

from dataclasses import dataclass

from .roles import Role


@dataclass(frozen=True, slots=True)
class User:
    """One who may use the page; without a password, by links, tokens or the reverse proxy alone."""

    name: str
    role: Role
    has_password: bool
    made: float


@dataclass(frozen=True, slots=True)
class Token:
    """A key for programs; `role` is the lower of its own and its user's. It never ends if `expires` is None."""

    id: int
    user: str
    label: str
    role: Role
    made: float
    expires: float | None
    used: float | None


@dataclass(frozen=True, slots=True)
class Login:
    """A browser that is logged in; `csrf` is what each of its forms must bring along."""

    id: int
    user: str
    role: Role
    csrf: str
    made: float
    seen: float
    expires: float
    address: str


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what, when, from where and by which way in; `sid` is the session it was done to."""

    id: int
    at: float
    user: str
    via: str
    address: str
    what: str
    sid: str
    detail: str
