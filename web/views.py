"""The pages: each view asks the core one question and renders the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from flask import Blueprint, Response, current_app, jsonify, make_response, render_template, request

from park_spool.archive.reading import ArchiveReader
from park_spool.progress import sessions_now

from .pictures import Pictures

pages = Blueprint("pages", __name__)


def _archive() -> ArchiveReader:
    reader: ArchiveReader = current_app.extensions["archive"]
    return reader


def _pictures() -> Pictures:
    pictures: Pictures = current_app.extensions["pictures"]
    return pictures


@pages.get("/")
def sessions() -> str:
    return render_template("sessions.html", overview=sessions_now(_archive()))


@pages.get("/sessions/<sid>")
def session(sid: str) -> str:
    return render_template("session.html", page=_archive().session_page(sid))


@pages.get("/sessions/<sid>.json")
def session_json(sid: str) -> Response:
    return jsonify(asdict(_archive().session_page(sid)))


@pages.get("/sessions/<sid>/groups/<int:group>/best.png")
def best_png(sid: str, group: int) -> Response:
    return _picture(_archive().best_version(sid, group), lambda version: _pictures().best(sid, group, version))


@pages.get("/sessions/<sid>/groups/<int:group>/history.png")
def history_png(sid: str, group: int) -> Response:
    return _picture(_archive().history_version(sid, group), lambda version: _pictures().history(sid, group, version))


@pages.get("/nodes")
def nodes() -> str:
    return render_template("nodes.html", nodes=_archive().nodes())


@pages.get("/health")
def health() -> Response:
    return jsonify(page="ok", archive=sessions_now(_archive(), limit=1).why or "ok")


def _picture(version: str, draw: Callable[[str], bytes]) -> Response:
    """Answer with a picture, or with 304 and without drawing if the asker has the picture of this version."""
    response = make_response()
    response.set_etag(version)
    response.headers["Cache-Control"] = "no-cache"
    if response.make_conditional(request).status_code != 304:
        response.data, response.mimetype = draw(version), "image/png"
    return response
