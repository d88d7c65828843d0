"""What can be saved of a session: pictures, tables, the whole answer."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Blueprint, Response, current_app, make_response, request

from park_spool.accounts.roles import Role
from park_spool.delivering.gathering import Gathering
from park_spool.delivering.saving import Saved, Saving
from park_spool.delivering.zipping import zipped
from park_spool.errors import NotFound
from park_spool.looking import outcome

from ..drawn import Drawn
from ..reading import disk, reader, session_row, settings
from ..who import needs
from . import session

page = Blueprint("files", __name__)
page.before_request(session.to_whole_id)
# A report has styles and pictures of its own, and no script; nothing that it shows may act on this page.
_REPORT_POLICY = "sandbox allow-downloads; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def _saving(sid: str) -> Saving:
    return Saving(Gathering(reader(), disk(), settings().layout, sid), reader(), sid)


@page.get("/sessions/<sid>/groups/<int:group>/<what>.<kind>")
@needs(Role.VIEWER)
def of_group(sid: str, group: int, what: str, kind: str) -> Response:
    sid = session_row(sid).sid
    version = reader().history_version(sid, group) if what != "best" else reader().best_version(sid, group)
    return _file(f"{version}.{what}.{kind}", lambda: _saving(sid).of_group(group, what, kind))


@page.get("/sessions/<sid>/jobs/<job>/<what>.<kind>")
@needs(Role.VIEWER)
def of_job(sid: str, job: str, what: str, kind: str) -> Response:
    sid = session_row(sid).sid
    version = reader().history_version(sid, int(re.sub(r"\D.*", "", job) or 0))
    return _file(f"{version}.{job}.{what}.{kind}", lambda: _saving(sid).of_job(job, what, kind))


@page.get("/sessions/<sid>/answer.zip")
@needs(Role.VIEWER)
def answer(sid: str) -> Response:
    sid = session_row(sid).sid
    folder = outcome.newest(disk(), settings().layout, sid)
    if folder is None:
        raise NotFound(f"nothing of {sid} stands in the outbox yet: that comes when it is closed")
    response = Response(zipped(folder, folder.name), mimetype="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="{folder.name}.zip"'
    return response


@page.get("/sessions/<sid>/report.html")
@needs(Role.VIEWER)
def report(sid: str) -> Response:
    sid = session_row(sid).sid
    folder = outcome.newest(disk(), settings().layout, sid)
    data = None if folder is None else disk().read(folder / "report.html")
    if data is None:
        raise NotFound(f"there is no report of {sid} yet: it comes when the session is closed")
    return Response(data, mimetype="text/html", headers={"Content-Security-Policy": _REPORT_POLICY})


def _file(version: str, make: Callable[[], Saved]) -> Response:
    """Answer with a file, or with 304 and without making it if the asker has the one of this version."""
    response = make_response()
    response.set_etag(version)
    response.headers["Cache-Control"] = "private, no-cache"
    if response.make_conditional(request).status_code != 304:
        kept: Drawn[Saved] = current_app.extensions["drawn"]
        saved = kept.get(version, make)
        response.data, response.mimetype = saved.data, saved.mimetype
        is_shown = saved.mimetype.startswith("image/") and "save" not in request.args
        response.headers["Content-Disposition"] = f'{"inline" if is_shown else "attachment"}; filename="{saved.name}"'
    return response
