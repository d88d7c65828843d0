"""The application factory of the status page.

Guarantees: nothing is written, no file of a user is served, no script runs in the page.  Requests that name
another host are refused, so that no foreign web site can read the page through a user's browser.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from flask import Flask, Response, current_app, render_template, request
from werkzeug.exceptions import BadRequest, HTTPException

from park_spool import plots, progress
from park_spool.archive.reading import ArchiveReader
from park_spool.errors import NotFound, ParkError, TemporaryError

from .pictures import Pictures
from .views import pages

log = logging.getLogger(__name__)

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
_POLICY = "default-src 'none'; img-src 'self' data:; style-src 'self'; base-uri 'none'; form-action 'none'"
_HEADERS = {
    "Content-Security-Policy": f"{_POLICY}; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def create_app(archive: Path, *, hosts: Sequence[str] | None = LOOPBACK_HOSTS, refresh_seconds: int = 5) -> Flask:
    """Make the application over one archive, which may come later.

    `hosts` are the names under which a browser may ask for the page; None allows every name.
    """
    app = Flask(__name__)
    app.config["HOSTS"] = None if hosts is None else tuple(hosts)
    app.config["REFRESH_SECONDS"] = refresh_seconds
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["archive"] = ArchiveReader(archive)
    app.extensions["pictures"] = Pictures(app.extensions["archive"])
    app.register_blueprint(pages)
    app.jinja_env.filters |= {
        "duration": progress.duration,
        "rate": progress.rate_words,
        "roughly": progress.roughly,
        "utc": progress.utc,
        "chisq": plots.number_words,
        "progress": progress.progress,
        "parameters": progress.parameter_rows,
    }
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(NotFound, _not_found)
    app.register_error_handler(TemporaryError, _not_now)
    app.register_error_handler(ParkError, _broken)
    app.before_request(_refuse_foreign_names)
    app.after_request(_with_headers)
    return app


def _refuse_foreign_names() -> None:
    """Refuse a request under a name that is not ours.

    Flask's TRUSTED_HOSTS would do, but werkzeug cuts a trusted name at its first colon, and so never trusts [::1].
    """
    hosts: tuple[str, ...] | None = current_app.config["HOSTS"]
    if hosts is not None and re.sub(r":\d+$", "", request.host) not in hosts:
        raise BadRequest(f"this page is not known as {request.host}; ask for it as {hosts[0]}")


def _not_found(error: NotFound) -> tuple[str, int]:
    return render_template("problem.html", title="Not found", why=str(error)), 404


def _not_now(error: TemporaryError) -> tuple[str, int, dict[str, str]]:
    log.warning("%s", error)
    return render_template("problem.html", title="Not now", why=str(error), is_changing=True), 503, {"Retry-After": "5"}


def _broken(error: ParkError) -> tuple[str, int]:
    log.error("%s", error)
    return render_template("problem.html", title="Out of order", why=str(error)), 500


def _refused(error: HTTPException) -> tuple[str, int] | HTTPException:
    """Say in words what is wrong with a request; what has no words of its own keeps werkzeug's."""
    why = {404: "There is no such page here.", 405: "This page can only be looked at."}.get(error.code or 0)
    title = "Not found" if error.code == 404 else error.name
    return render_template("problem.html", title=title, why=why or error.description), error.code or 500


def _with_headers(response: Response) -> Response:
    response.headers.update(_HEADERS)
    return response
