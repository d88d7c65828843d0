"""The users of the page, for administrators."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from park_spool.accounts.first import link_address
from park_spool.accounts.roles import MEANINGS, Role, read_role
from park_spool.errors import AccountError

from ..keeping import keep_nowhere
from ..who import accounts, needs, person, record

page = Blueprint("users", __name__)
page.after_request(keep_nowhere)


@page.get("/users")
@needs(Role.ADMINISTRATOR)
@person
def users() -> Response:
    return shown()


@page.post("/users")
@needs(Role.ADMINISTRATOR)
@person
def add() -> Answer:
    form = request.form
    try:
        role = read_role(form.get("role", ""))
        user = accounts().add_user(form.get("name", ""), role, form.get("password") or None)
    except AccountError as error:
        return shown({error.field: str(error)})
    return done("added user", f"{user.name}, {user.role}")


@page.post("/users/role")
@needs(Role.ADMINISTRATOR)
@person
def role() -> Answer:
    name, word = request.form.get("name", ""), request.form.get("role", "")
    accounts().set_role(name, read_role(word))
    return done("set role", f"{name}, {word}")


@page.post("/users/remove")
@needs(Role.ADMINISTRATOR)
@person
def remove() -> Answer:
    name = request.form.get("name", "")
    accounts().remove_user(name)
    return done("removed user", name)


@page.post("/users/logins/end")
@needs(Role.ADMINISTRATOR)
@person
def end_logins() -> Answer:
    name = request.form.get("name", "")
    accounts().end_logins_of(name)
    return done("logged out a user", name)


@page.post("/users/link")
@needs(Role.ADMINISTRATOR)
@person
def link() -> Response:
    name = request.form.get("name", "")
    address = link_address(request.url_root, accounts().make_link(name))
    record("made link", detail=name)
    return shown(link=address, of=name)


def done(what: str, detail: str) -> Answer:
    """Record what was done, and show the users as they are now."""
    record(what, detail=detail)
    return redirect(url_for("users.users"), 303)


def shown(errors: dict[str, str] | None = None, link: str = "", of: str = "") -> Response:
    """Show the users, with what is wrong beside the field where it is."""
    values = {"users": accounts().users(), "roles": MEANINGS, "errors": errors or {}, "link": link, "of": of}
    return make_response(render_template("users.html", **values), 400 if errors else 200)
