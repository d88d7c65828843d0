"""One session: its fits, jobs, messages, XML and provenance, each under an address of its own."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, g, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from park_spool import naming
from park_spool.accounts.roles import Role
from park_spool.showing.batch import batch
from park_spool.showing.parameters import tables
from park_spool.showing.session import SessionPage
from park_spool.showing.session import session as look_at

from ..keeping import live
from ..reading import disk, found_or_none, reader, session_row, settings, shared
from ..who import may_change, needs, visible

page = Blueprint("session", __name__)
FIRST = 12  # data sets of a batch beside all else


def shown(sid: str) -> SessionPage:
    """Return the session that is shown. Raises NotFound if nothing is known of it, or it is not for who asks to see."""
    if "session_page" not in g:
        found = shared(("session", sid), lambda: look_at(settings(), found_or_none(), sid))
        visible(found.session.user)
        g.session_page = found
    kept: SessionPage = g.session_page
    return kept


def to_whole_id() -> Answer | None:
    """Send who gave only the beginning of an id to the whole one."""
    sid = (request.view_args or {}).get("sid")
    if request.endpoint is None or sid is None or naming.is_sid(sid) or sid.endswith(".json"):
        return None
    whole = session_row(sid).sid
    return redirect(url_for(request.endpoint, **{**request.args, **(request.view_args or {}), "sid": whole}))


def head_of() -> dict[str, Any]:
    """Give the head of every page of a session what it shows."""
    return {"page": g.session_page} if "session_page" in g else {}


page.before_request(to_whole_id)
page.context_processor(head_of)


def _beside(one: SessionPage) -> dict[str, Any]:
    """Return what stands beside the groups: tables of parameters, and of batches the first data sets."""
    return shared(("beside", one.session.sid), lambda: _worked_out(one))


def _worked_out(one: SessionPage) -> dict[str, Any]:
    there, sid = found_or_none(), one.session.sid
    of_batches = [group.group for group in one.groups if group.kind == "batch"] if there else []
    first = {number: batch(settings(), disk(), reader(), sid, number, 1, FIRST) for number in of_batches}
    return {"tables": tables(there, one), "batches": first}


@page.get("/sessions/<sid>")
@needs(Role.VIEWER)
def session(sid: str) -> str:
    one = shown(sid)
    return render_template("session.html", **_beside(one), tab="session.session")


@page.get("/parts/sessions/<sid>")
@needs(Role.VIEWER)
@live
def part(sid: str) -> str:
    one = shown(sid)
    return shared(
        ("session part", sid, may_change(one.session.user)),
        lambda: render_template("parts/session.html", **_beside(one), tab="session.session"),
    )


@page.get("/parts/sessions/<sid>/head")
@needs(Role.VIEWER)
@live
def head(sid: str) -> str:
    shown(sid)
    return render_template("parts/session_head.html")


@page.get("/sessions/<sid>.json")
@needs(Role.VIEWER)
def session_json(sid: str) -> Response:
    return jsonify(asdict(reader().session_page(session_row(sid).sid)))
