"""Where a session's results come from: the XML as received, what ran it, which data, and what happened to it."""

from __future__ import annotations

from flask import Blueprint, Response, render_template

from park_spool.accounts.roles import Role
from park_spool.showing import origin

from ..reading import disk, found_or_none, reader, settings
from ..who import needs
from . import session

page = Blueprint("provenance", __name__)
page.before_request(session.to_whole_id)
page.context_processor(session.head_of)


def _xml(sid: str) -> bytes:
    session.shown(sid)
    found = found_or_none()
    return origin.xml(settings(), disk(), found.reader if found else None, sid)


@page.get("/sessions/<sid>/xml")
@needs(Role.VIEWER)
def xml(sid: str) -> str:
    text = _xml(sid).decode(errors="replace")
    return render_template("session_xml.html", lines=text.splitlines(), tab="provenance.xml")


@page.get("/sessions/<sid>/session.xml")
@needs(Role.VIEWER)
def raw(sid: str) -> Response:
    response = Response(_xml(sid), mimetype="application/xml")
    response.headers["Content-Disposition"] = f'attachment; filename="{sid}.xml"'
    return response


@page.get("/sessions/<sid>/provenance")
@needs(Role.VIEWER)
def provenance(sid: str) -> str:
    session.shown(sid)
    return render_template("provenance.html", shown=origin.origin(reader(), sid), tab="provenance.provenance")
