"""Who did what, for administrators: the newest first, page by page."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request

from park_spool.accounts.roles import Role

from ..who import accounts, needs

page = Blueprint("audit", __name__)

SHOWN = 100


@page.get("/audit")
@needs(Role.ADMINISTRATOR)
def audit() -> Response:
    user, before = request.args.get("user") or None, request.args.get("before", type=int)
    found = accounts().audit(user, before, SHOWN)
    more = found[-1].id if len(found) == SHOWN else None
    response = make_response(render_template("audit.html", entries=found, user=user, before=before, more=more))
    response.headers["Cache-Control"] = "no-store"
    return response
