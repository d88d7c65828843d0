"""Sending a session: as XML, as a zip, or by the form of a service's command (submit_form.py).

GET  /submit            the text, and the commands that have a form
POST /submit/check      what would become of it, at the lines where it stands
POST /submit            sends it, if it would be admitted
POST /submit/demo       sends the session that `park demo` runs
"""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as Answer

from park_spool import submit as sending
from park_spool.accounts.roles import Role
from park_spool.catalog.registry import Registry
from park_spool.composing import demonstration, form
from park_spool.composing.checking import Checked, Finding, check_for, check_text, encoded, listing
from park_spool.errors import SessionError
from park_spool.submit import Parcel

from ..reading import settings
from ..uploads import Uploaded, bound, plain_name, session_file, uploaded
from ..who import needs, record, who

page = Blueprint("submit", __name__)
ZIP = ".zip"
SEE_OTHER, UNPROCESSABLE = 303, 422


@page.url_value_preprocessor
def _bound(endpoint: str | None, values: object) -> None:
    """Bound a request as early as Flask lets us: before anybody looks for the token in its form."""
    bound()


@page.get("/submit")
@needs(Role.SUBMITTER)
def submit() -> str:
    return shown()


@page.post("/submit/check")
@needs(Role.SUBMITTER)
def check() -> str:
    """Say what would become of a session; the names of files that would go along are told, if they are not sent."""
    with uploaded() as files:
        one = _sent(files)
        names = frozenset({*files.names, *filter(None, map(str.strip, request.form.get("names", "").splitlines()))})
        verdict = _checked(one) if one.xml is None else check_text(settings(), one.xml, who().name, names)
        return _judged(_text(one), verdict)


@page.post("/submit")
@needs(Role.SUBMITTER)
def send() -> Answer | tuple[str, int]:
    """Send what was written or uploaded, and show the new session; or say at its lines what is wrong with it."""
    with uploaded() as files:
        one = _sent(files)
        verdict = _checked(one)
        return sent(one) if verdict.is_fine else (shown(_text(one), verdict), UNPROCESSABLE)


@page.post("/submit/demo")
@needs(Role.SUBMITTER)
def demo() -> Answer | tuple[str, int]:
    xml = demonstration.session(who().name)
    with uploaded() as none:
        one = none.parcel(xml, "demo.xml")
        verdict = _checked(one)
        return sent(one) if verdict.is_fine else (shown(xml.decode(), verdict), UNPROCESSABLE)


def shown(text: str = "", verdict: Checked | None = None, note: str = "") -> str:
    """Return the page with a text, and what was found in it."""
    commands = form.offered(Registry.load(settings().service_folders))
    lines = listing(text, verdict.findings) if verdict else ()
    return render_template("submit.html", text=text, verdict=verdict, lines=lines, commands=commands, said=note)


def refused(error: SessionError) -> tuple[str, int]:
    """Say why something cannot be sent at all, and keep its text."""
    return _judged(request.form.get("xml", ""), Checked((Finding(str(error), True),))), UNPROCESSABLE


page.register_error_handler(SessionError, refused)


def _judged(text: str, verdict: Checked) -> str:
    if "HX-Request" in request.headers:
        return render_template("parts/verdict.html", verdict=verdict, lines=listing(text, verdict.findings))
    return shown(text, verdict)


def sent(parcel: Parcel) -> Answer:
    """Send a submission for who asks, and go to its session. Raises SessionError if it would not be admitted."""
    sid = sending.send_checked(settings(), parcel, who().name)
    record("submit", sid, parcel.name)
    return redirect(url_for("session.session", sid=sid), SEE_OTHER)


def _checked(parcel: Parcel) -> Checked:
    return check_for(settings(), parcel, who().name)


def _sent(files: Uploaded) -> Parcel:
    """Return what was sent: the file as it came, unless its text was changed. Raises SessionError if it is nothing."""
    text, file = request.form.get("xml", ""), session_file()
    if file is not None and file.filename is not None and file.filename.lower().endswith(ZIP):
        return _zip(file, files, text)
    if file is None:
        return files.parcel(encoded(text), "session.xml")
    came = file.read()
    name = Path(plain_name(file.filename or "")).with_suffix(".xml").name
    is_same = not text.strip() or _unified(came.decode(errors="replace")) == _unified(text)
    return files.parcel(came if is_same else encoded(text), name)


def _zip(file: FileStorage, files: Uploaded, text: str) -> Parcel:
    if text.strip() or files.files:
        raise SessionError(
            "a zip goes alone: it holds the session and its data; take it back, or empty the other fields"
        )
    path = files.folder / "zip"
    file.save(path)
    return Parcel(path, plain_name(file.filename or ""), None)


def _text(parcel: Parcel) -> str:
    return "" if parcel.xml is None else parcel.xml.decode(errors="replace")


def _unified(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
