"""One's own account: password, tokens, and the browsers that are logged in."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from park_spool.accounts.roles import MEANINGS, Role, read_role
from park_spool.errors import AccountError, TooManyAttempts

from .. import cookies
from ..keeping import keep_nowhere
from ..who import accounts, needs, person, record, who

page = Blueprint("account", __name__)
page.after_request(keep_nowhere)

DAY = 86400.0


@page.get("/account")
@needs(Role.VIEWER)
@person
def account() -> Response:
    return shown()


@page.post("/account/password")
@needs(Role.VIEWER)
@person
def password() -> Response:
    """Set one's own password; who has one must know it, whatever browser they left open."""
    name, chosen, again = who().name, request.form.get("password", ""), request.form.get("again", "")
    user = accounts().user(name)
    try:
        if chosen != again:
            return shown({"again": "the two are not the same"})
        if user is not None and user.has_password and not knows(name):
            return shown({"old": "this is not your password"})
        accounts().set_password(name, chosen, but=cookies.given(request))
    except AccountError as error:
        return shown({"password": str(error)})
    except TooManyAttempts as error:
        return shown({"old": str(error)}, status=429)
    record("set own password")
    return shown(done="Your password is set; all other browsers are logged out.")


def knows(name: str) -> bool:
    return accounts().check_password(name, request.form.get("old", ""), request.remote_addr or "") is not None


@page.post("/account/tokens")
@needs(Role.VIEWER)
@person
def make_token() -> Response:
    name, label = who().name, request.form.get("label", "")
    try:
        role, seconds = read_role(request.form.get("role", "")), read_days(request.form.get("days", ""))
        secret, token = accounts().make_token(name, label, role, seconds)
    except AccountError as error:
        return shown({error.field: str(error)})
    record("made token", detail=f"{token.id}: {token.label}, {token.role}")
    return shown(secret=secret)


def read_days(text: str) -> float | None:
    """Return after how many seconds a token ends, None for never. Raises AccountError."""
    if not text.strip():
        return None
    try:
        days = float(text)
    except ValueError:
        days = 0.0
    if not 0 < days <= 36500:
        raise AccountError(f"expected a number of days, or nothing, got {text[:40]!r}", "days")
    return days * DAY


@page.post("/account/tokens/<int:number>/drop")
@needs(Role.VIEWER)
@person
def drop_token(number: int) -> Answer:
    token = accounts().drop_token(number, who().name)
    record("dropped token", detail=f"{token.id}: {token.label}")
    return redirect(url_for("account.account"), 303)


@page.post("/account/logins/end")
@needs(Role.VIEWER)
@person
def end_logins() -> Response:
    count = accounts().end_logins_of(who().name, but=cookies.given(request))
    record("logged out everywhere else", detail=str(count))
    return shown(done="All other browsers are logged out.")


@page.post("/logout")
def logout() -> Answer:
    if who().via == "login":
        accounts().end_login(cookies.given(request))
        record("logged out")
    response = redirect(url_for("login.login"), 303)
    cookies.take_back(response, request)
    return response


def shown(errors: dict[str, str] | None = None, done: str = "", secret: str = "", status: int = 0) -> Response:
    """Show the account, with what is wrong beside the field where it is."""
    name = who().name
    values: dict[str, Any] = {
        "user": accounts().user(name),
        "tokens": accounts().tokens(name),
        "logins": accounts().logins(name),
        "roles": [(role, meaning) for role, meaning in MEANINGS.items() if role <= who().role],
    }
    page = render_template("account.html", **values, errors=errors or {}, done=done, secret=secret)
    return make_response(page, status or (400 if errors else 200))
