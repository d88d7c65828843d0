"""What reducers say: of all sessions, and of one."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from park_spool.accounts.roles import Role
from park_spool.showing.messages import MessagesAsked, MessagesPage
from park_spool.showing.messages import messages as look_at

from ..asked import number
from ..keeping import live
from ..reading import reader
from ..who import needs, owner
from . import session

page = Blueprint("messages", __name__)
page.before_request(session.to_whole_id)
page.context_processor(session.head_of)


def _messages(sid: str = "") -> MessagesPage:
    text = request.args.get("text", "").strip()
    return look_at(reader(), MessagesAsked(sid, text, owner(), before=number("before", 0), limit=200))


@page.get("/messages")
@needs(Role.VIEWER)
def messages() -> str:
    return render_template("messages.html", shown=_messages())


@page.get("/parts/messages")
@needs(Role.VIEWER)
@live
def part() -> str:
    return render_template("parts/messages.html", shown=_messages(), endpoint="messages.messages")


@page.get("/sessions/<sid>/messages")
@needs(Role.VIEWER)
def of_session(sid: str) -> str:
    session.shown(sid)
    return render_template("session_messages.html", shown=_messages(sid), tab="messages.of_session")


@page.get("/parts/sessions/<sid>/messages")
@needs(Role.VIEWER)
@live
def part_of_session(sid: str) -> str:
    session.shown(sid)
    return render_template("parts/messages.html", shown=_messages(sid), endpoint="messages.of_session")
