"""What is asked of a session that was sent: each of these is a POST, by its user or by an administrator.

    POST /sessions/SID/{cancel,pause,resume,priority,retry,reduce,resubmit,delete}
    GET  /sessions/SID/confirm/{cancel,delete,resubmit}     asks, where no script opens a dialog

A plain form is answered by 303 back to the session, htmx by the sentence and `HX-Trigger: park:now`.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound as NoPage
from werkzeug.wrappers import Response as Answer

from park_spool import desk as desks
from park_spool import naming
from park_spool.accounts.roles import Role
from park_spool.composing import field_texts
from park_spool.desk import Desk
from park_spool.errors import NotFound, PermanentError, TemporaryError
from park_spool.looking.standing import Look
from park_spool.wishes import MOST_PRIORITY

from ..reading import settings
from ..who import needs, record, require_changing, visible, who

page = Blueprint("controls", __name__)
VERBS = "cancel,pause,resume,priority,retry,reduce,resubmit,delete"
MOST_GROUPS = 999
SEE_OTHER, BAD_REQUEST, CONFLICT, UNAVAILABLE = 303, 400, 409, 503


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is said, and where to go next."""

    sentence: str
    target: str


@page.post(f"/sessions/<sid>/<any({VERBS}):verb>")
@needs(Role.SUBMITTER)
def change(sid: str, verb: str) -> Answer | tuple[str, int]:
    """Do what is asked, or say in a sentence why not."""
    _require(sid)
    try:
        outcome = _done(sid, verb)
    except NotFound:
        raise
    except ValueError as error:
        return _refused(sid, field_texts.sentence(str(error)), BAD_REQUEST)
    except TemporaryError as error:
        return _refused(sid, str(error), UNAVAILABLE)
    except PermanentError as error:
        return _refused(sid, str(error), CONFLICT)
    record(verb, sid, outcome.sentence)
    if not _is_htmx():
        return redirect(outcome.target, SEE_OTHER)
    answer = make_response(render_template("parts/said.html", sentence=outcome.sentence, is_refused=False))
    answer.headers["HX-Trigger"] = "park:now"
    if outcome.target != _session(sid):
        answer.headers["HX-Redirect"] = outcome.target
    return answer


@page.get("/sessions/<sid>/confirm/<any(cancel,delete,resubmit):verb>")
@needs(Role.SUBMITTER)
def confirm(sid: str, verb: str) -> str:
    _require(sid)
    return render_template("confirm.html", sid=sid, verb=verb)


def _require(sid: str) -> None:
    owner = desks.owner(Look(settings()), _checked(sid))
    visible(owner)
    require_changing(owner)


def _checked(sid: str) -> str:
    """Take whole ids alone: a beginning may mean another session by the time that a wish is made."""
    if not naming.is_sid(sid):
        raise NoPage
    return sid


def _done(sid: str, verb: str) -> Outcome:
    desk, back = Desk.open(settings(), who().name), _session(sid)
    match verb:
        case "priority":
            number = field_texts.whole(request.form.get("priority", ""), -MOST_PRIORITY, MOST_PRIORITY)
            return Outcome(desk.ask(sid, verb, number).sentence, back)
        case "retry":
            return Outcome(desk.retry(sid, request.form.getlist("job")).sentence, back)
        case "reduce":
            group = request.form.get("group", "").strip()
            number_of = field_texts.whole(group, 1, MOST_GROUPS) if group else None
            return Outcome(desk.reduce(sid, number_of).sentence, back)
        case "resubmit":
            return _resubmitted(desk, sid)
        case "delete":
            return Outcome(desk.ask(sid, verb).sentence, url_for("overview.sessions"))
    said = desk.ask(sid, verb)
    return Outcome(said.sentence, url_for("overview.sessions") if said.place == "inbox" else back)


def _resubmitted(desk: Desk, sid: str) -> Outcome:
    """Send it once more: `from` is empty (all jobs anew), "best", or a job; `changes` are lines of NAME = VALUE."""
    start = request.form.get("from", "").strip()
    changes = field_texts.assignments(request.form.get("changes", ""))
    job = start if start not in ("", "best") else None
    fresh = desk.resubmit(sid, changes, job, start == "best")
    return Outcome(f"{sid} was sent once more, as {fresh}", _session(fresh))


def _refused(sid: str, why: str, status: int) -> tuple[str, int]:
    if _is_htmx():
        return render_template("parts/said.html", sentence=why, is_refused=True), status
    return render_template("refused.html", title="Nothing was changed", why=why, sid=sid), status


def _session(sid: str) -> str:
    return url_for("session.session", sid=sid)


def _is_htmx() -> bool:
    return "HX-Request" in request.headers
