"""The logs of daemons: they tell of everybody's sessions."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from park_spool.accounts.roles import Role
from park_spool.showing.logs import LEVELS, LogTail, tail
from park_spool.showing.logs import logs as look_at

from ..asked import chosen, number
from ..reading import disk, settings
from ..who import needs, require_everybody

page = Blueprint("logs", __name__)


def _tail(name: str) -> LogTail:
    require_everybody()
    level, text = chosen("level", ("", *LEVELS)), request.args.get("text", "").strip()
    return tail(settings(), disk(), name, number("lines", 200, least=1, most=2000), level, text)


@page.get("/logs")
@needs(Role.VIEWER)
def logs() -> str:
    require_everybody()
    return render_template("logs.html", files=look_at(settings(), disk()))


@page.get("/logs/<name>")
@needs(Role.VIEWER)
def log(name: str) -> str:
    return render_template("log.html", shown=_tail(name), levels=LEVELS)


@page.get("/parts/logs/<name>")
@needs(Role.VIEWER)
def part(name: str) -> str:
    return render_template("parts/log.html", shown=_tail(name))
