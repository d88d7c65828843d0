"""Help in the page: what the words mean, how to send a session, what to do when something does not move."""

from __future__ import annotations

from flask import Blueprint, render_template

from park_spool.accounts.roles import Role

from ..reading import settings
from ..who import needs

page = Blueprint("help", __name__)


@page.get("/help")
@needs(Role.VIEWER)
def help() -> str:  # noqa: A001
    return render_template("help.html", spool=settings().spool)
