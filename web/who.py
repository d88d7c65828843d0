"""Who asks, and what they may: the one gate before every page and every answer of the API.

A token counts before what a trusted proxy says, that before the cookie of a log-in; without any of them one is nobody,
or a viewer where the site lets everybody look (`page_open`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Literal, ParamSpec, TypeVar

from flask import abort, current_app, g, redirect, request, url_for
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized
from werkzeug.wrappers import Request

from park_spool.accounts.accounts import Accounts
from park_spool.accounts.roles import Role
from park_spool.accounts.users import clean_name
from park_spool.config import Config
from park_spool.errors import AccountError, NotFound

from . import cookies
from .live import is_look
from .proxy import USER

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks; `csrf` is what a form must send back, empty where the browser adds nothing by itself (tokens)."""

    name: str
    role: Role
    csrf: str = ""
    via: Literal["login", "token", "proxy", "open"] = "open"

    @property
    def may_submit(self) -> bool:
        return self.role >= Role.SUBMITTER

    @property
    def is_administrator(self) -> bool:
        return self.role >= Role.ADMINISTRATOR


NOBODY = Who("", Role.NOBODY)
LOGIN = "login"  # the pages where nobody is anybody yet
PUBLIC = ("static", "overview.health", "account.logout")


def accounts() -> Accounts:
    found: Accounts = current_app.extensions["accounts"]
    return found


def who() -> Who:
    """Return who asks."""
    found: Who
    if "who" not in g:
        g.who = NOBODY  # should the next line fail, the page that says so must not ask again
        found = find(current_app.extensions["settings"], accounts(), request)
        # What live.py keeps is shown to all of somebody's log-ins, so it must not have the secret of one in it.
        g.who = replace(found, csrf="") if is_look(request.environ) else found
    found = g.who
    return found


def find(settings: Config, accounts: Accounts, request: Request) -> Who:
    """Find out who asks."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        token = accounts.user_of_token(given.strip())
        return Who(token.user, token.role, via="token") if token else Who("", Role.NOBODY, via="token")
    if request.environ.get(USER):
        return _of_proxy(settings, accounts, request.environ[USER])
    cookie = cookies.given(request)
    login = accounts.login_of(cookie) if cookie else None
    if login is not None:
        return Who(login.user, login.role, login.csrf, "login")
    return Who("", Role.VIEWER) if settings.page_open else NOBODY


def _of_proxy(settings: Config, accounts: Accounts, given: str) -> Who:
    try:
        name = clean_name(given)
    except AccountError as error:
        log.warning("the proxy names somebody who cannot be: %s", error)
        return NOBODY
    user = accounts.user(name)
    role = user.role if user is not None else Role[settings.page_proxy_role.upper()]
    return Who(name, role, accounts.csrf_of_proxy(name), "proxy")


def needs(role: Role) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let a view be asked only by those who have at least this role."""

    def wrap(view: Callable[P, T]) -> Callable[P, T]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            require(role)
            return view(*args, **kwargs)

        return guarded

    return wrap


def require(role: Role) -> None:
    """Refuse who has less than this role: by the log-in page if they are nobody yet, else by a sentence."""
    asking = who()
    if asking.role >= role:
        return
    if asking.name:
        raise Forbidden(f"this needs the role {role}; {asking.name} is {asking.role}")
    if asking.via == "token" or is_program():
        raise Unauthorized(
            "this token is none, or has ended" if asking.via == "token" else "log in first, or send a token",
            www_authenticate=WWWAuthenticate("bearer", {"realm": "park-spool"}),
        )
    back = request.full_path.rstrip("?") if request.method == "GET" else "/"
    abort(redirect(url_for("login.login", next=None if back == "/" else back), 303))


def gate() -> None:
    """Refuse everything to nobody but the way in, before any page looks at what is asked for."""
    if request.endpoint is not None and request.endpoint not in PUBLIC and request.blueprint != LOGIN:
        require(Role.VIEWER)


def is_program() -> bool:
    """Say whether a program or a script of ours asks, which a log-in page would not help."""
    headers = ("X-Park-Look", "HX-Request")
    return request.path.startswith("/api/") or any(header in request.headers for header in headers)


def person(view: Callable[P, T]) -> Callable[P, T]:
    """Keep tokens away from a view: what is lost with a token must not grow to be more than a token."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        if who().via == "token":
            raise Forbidden("this is for people who are logged in, not for tokens")
        return view(*args, **kwargs)

    return guarded


def may_change(user: str) -> bool:
    """Say whether who asks may change a session of this user."""
    return who().is_administrator or (who().may_submit and bool(user) and who().name == user)


def require_changing(user: str) -> None:
    """Refuse who may not change a session of this user."""
    if not may_change(user):
        raise Forbidden(f"this session is {user or 'nobody'}'s: only they and administrators may change it")


def owner() -> str:
    """Return whose sessions alone may be seen; empty if everybody's may."""
    settings: Config = current_app.extensions["settings"]
    return who().name if settings.page_private and not who().is_administrator else ""


def visible(user: str) -> None:
    """Refuse who may not see a session of this user, as if it were not there. Raises NotFound."""
    if owner() not in ("", user):
        raise NotFound("there is no such session, or it is another user's")


def require_everybody() -> None:
    """Refuse who sees own sessions only, where everybody's are told of. Raises Forbidden."""
    if owner():
        raise Forbidden("logs tell of everybody's sessions; here you see your own only")


def record(what: str, sid: str = "", detail: str = "") -> None:
    """Keep what was done, by whom and from where."""
    asking = who()
    accounts().record(asking.name, asking.via, what, sid, detail, request.remote_addr or "")
