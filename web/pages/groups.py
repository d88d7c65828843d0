"""One group of a session: a batch with its data sets, trends and table."""

from __future__ import annotations

from flask import Blueprint, Response, render_template

from park_spool.accounts.roles import Role
from park_spool.plots import tiny
from park_spool.showing.batch import BatchPage, batch, thumbnail

from ..asked import number
from ..keeping import live
from ..reading import disk, reader, settings
from ..who import needs
from . import session

page = Blueprint("groups", __name__)
page.before_request(session.to_whole_id)
page.context_processor(session.head_of)
A_PAGE = 60


def _batch(sid: str, group: int) -> BatchPage:
    session.shown(sid)
    return batch(settings(), disk(), reader(), sid, group, number("page", 1, least=1), A_PAGE)


@page.get("/sessions/<sid>/groups/<int:group>")
@needs(Role.VIEWER)
def group(sid: str, group: int) -> str:
    return render_template("group.html", shown=_batch(sid, group), tab="session.session")


@page.get("/parts/sessions/<sid>/groups/<int:group>")
@needs(Role.VIEWER)
@live
def part(sid: str, group: int) -> str:
    return render_template("parts/group.html", shown=_batch(sid, group))


@page.get("/sessions/<sid>/groups/<int:group>/sets/<int:number>.svg")
@needs(Role.VIEWER)
@live
def set_svg(sid: str, group: int, number: int) -> Response:
    session.shown(sid)
    one = thumbnail(settings(), disk(), reader(), sid, group, number)
    return Response(tiny.thumbnail_svg(one.curve), mimetype="image/svg+xml")
