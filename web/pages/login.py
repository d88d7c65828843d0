"""The way in: by name and password, or by a link that is good once. Who comes here is nobody yet."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from park_spool.errors import TooManyAttempts

from .. import cookies
from ..keeping import keep_nowhere
from ..who import accounts, who

page = Blueprint("login", __name__)
page.after_request(keep_nowhere)

WRONG = "name or password is wrong"
USED_UP = "this link was used already, or has ended: `park user link` prints a new one"


@page.get("/login")
def login() -> Answer:
    """Show the form; of a link, a button: what only looks at links, to show what they lead to, must not use them up."""
    link = request.args.get("link", "")
    if link and accounts().is_link(link):
        return make_response(render_template("opening.html", link=link, next=local(request.args.get("next"))))
    if who().name:
        return redirect(local(request.args.get("next")), 303)
    return form(USED_UP if link else "", 410 if link else 200)


@page.post("/login")
def enter() -> Answer:
    name, password = request.form.get("name", ""), request.form.get("password", "")
    address = request.remote_addr or ""
    try:
        user = accounts().check_password(name, password, address)
    except TooManyAttempts as error:
        response = form(str(error), 429)
        response.headers["Retry-After"] = str(error.seconds)
        return response
    if user is None:
        known = accounts().user(name)
        told = known.name if known else ""  # not what was typed: now and then it is a password
        accounts().record(told, "login", "failed to log in", detail="" if known else "no such name", address=address)
        return form(WRONG, 403)
    return begin(user.name, "logged in")


@page.post("/login/link")
def redeem() -> Answer:
    user = accounts().redeem_link(request.form.get("link", ""))
    if user is None:
        return form(USED_UP, 410)
    return begin(user.name, "logged in by a link")


def begin(name: str, what: str) -> Answer:
    """Log somebody in, and go where they wanted to."""
    earlier, address = cookies.given(request), request.remote_addr or ""
    if earlier:
        accounts().end_login(earlier)
    response = redirect(local(request.form.get("next")), 303)
    cookies.give(response, request, accounts().begin_login(name, address))
    accounts().record(name, "login", what, address=address)
    return response


def form(error: str = "", status: int = 200) -> Response:
    given = request.form if request.method == "POST" else request.args
    has_users = bool(accounts().users())
    shown = {"error": error, "name": request.form.get("name", ""), "next": local(given.get("next"))}
    return make_response(render_template("login.html", **shown, has_users=has_users), status)


def local(where: str | None) -> str:
    """Return where to go next, if it is a path of ours; else the first page.

    Browsers take `\\` for `/` and drop control characters, so neither may be in it.
    """
    home = url_for("overview.sessions")
    if not where or not re.fullmatch(r"/[^\\\x00-\x20\x7f]*", where) or where.startswith("//"):
        return home
    parts = urlsplit(where)
    return home if parts.scheme or parts.netloc or parts.path.startswith("/login") else where
