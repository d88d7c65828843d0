"""The application factory of the page.

Guarantees: no file of a user is served as a page, and nothing of a session, a reply or a file name is executed: scripts
and styles come from this package alone. Requests that name another host are refused, so that no foreign web site can
read the page through a user's browser. What changes the archive is asked of park-reduced by a wish on the spool.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from flask import Flask, Response, current_app, make_response, render_template, request
from werkzeug.exceptions import BadRequest, HTTPException

from park_spool import plots, progress
from park_spool.accounts.accounts import Accounts
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.errors import AccountError, NotFound, ParkError, TemporaryError, TooManyAttempts
from park_spool.plots import tiny

from . import api, asked, changing, framing, pages, words
from .centres import Centres
from .drawn import Drawn
from .identities import Identities
from .live import Live
from .packing import Packing
from .proxy import Proxied
from .reading import note
from .stamping import Stamp
from .who import gate, may_change, owner, who
from .worked import Worked

log = logging.getLogger(__name__)

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
_POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self' {framing.SHEET_HASH}; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
NEXT = {
    403: "An administrator can give you another role, on the page Users or by `park user role`.",
    404: "Perhaps it is on the list of sessions, under another id, or was deleted.",
    413: "Copy large submissions into the inbox of the spool, or send them by `park submit`.",
    500: "The logs say more, and so does `park check`.",
}
AGAIN = (429, 500, 503)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: with that, browsers hide from us that a form is our own (Origin: null).
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def create_app(settings: Config, accounts: Accounts, *, hosts: Sequence[str] | None = LOOPBACK_HOSTS) -> Flask:
    """Make the application of one spool and the users of its page; its archive may come later.

    `hosts` are the names under which a browser may ask for the page, beside the site's own (`page_names`); None allows
    every name.
    """
    app = Flask(__name__)
    app.wsgi_app = Proxied(app.wsgi_app, settings)  # type: ignore[method-assign]
    app.config["HOSTS"] = None if hosts is None else (*hosts, *settings.page_names)
    app.config["SPOOL"] = settings.spool
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["settings"] = settings
    app.extensions["accounts"] = accounts
    app.extensions["disk"] = Disk(settings.layout.tmp, "web")
    app.extensions["drawn"] = Drawn()
    app.extensions["answers"] = Drawn()
    app.extensions["stamp"] = Stamp(settings, app.extensions["disk"])
    app.extensions["worked"] = Worked()
    app.extensions["centres"] = Centres(settings)
    pages.register(app)
    api.register(app)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_submission_bytes
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters |= {
        "duration": progress.duration,
        "rate": progress.rate_words,
        "roughly": progress.roughly,
        "utc": progress.utc,
        "chisq": plots.number_words,
        "counted": words.counted,
        "bytes": words.size,
        "measured": words.measured,
        "percent": words.percent,
        "short": words.short,
        "spark": tiny.sparkline_points,
    }
    app.jinja_env.globals |= {"who": who, "may_change": may_change, "owner": owner, "note": note, "again": asked.again}
    app.jinja_env.globals |= {"api": asked.api, "theme": framing.theme, "sheet": framing.SHEET}
    app.jinja_env.globals["chart_modules"] = _chart_modules(app)
    app.register_error_handler(HTTPException, api.or_page(_refused))
    app.register_error_handler(NotFound, api.or_page(_not_found))
    app.register_error_handler(AccountError, api.or_page(_not_so))
    app.register_error_handler(TooManyAttempts, api.or_page(_too_often))
    app.register_error_handler(TemporaryError, api.or_page(_not_now))
    app.register_error_handler(ParkError, api.or_page(_broken))
    app.before_request(_refuse_foreign_names)
    app.before_request(changing.guard)
    app.before_request(gate)
    app.after_request(_with_headers)
    return app


def lively(app: Flask) -> Flask:
    """Put before an application what answers while nothing changes, behind what proxies say, and sends it small."""
    settings = app.extensions["settings"]
    identities = Identities(settings, app.extensions["accounts"])
    kept = Live(Flask.wsgi_app.__get__(app), app.extensions["stamp"], identities)
    app.wsgi_app = Packing(Proxied(kept, settings), app.static_url_path)  # type: ignore[method-assign,arg-type]
    return app


def _chart_modules(app: Flask) -> list[str]:
    """Return the modules of the charts, which a page loads all at once, not each when another names it."""
    return sorted(f"charts/{path.name}" for path in (Path(app.static_folder or "") / "charts").glob("*.js"))


def _refuse_foreign_names() -> None:
    """Refuse a request under a name that is not ours.

    Flask's TRUSTED_HOSTS would do, but werkzeug cuts a trusted name at its first colon, and so never trusts [::1].
    """
    hosts: tuple[str, ...] | None = current_app.config["HOSTS"]
    if hosts is not None and re.sub(r":\d+$", "", request.host) not in hosts:
        raise BadRequest(f"this page is not known as {request.host}; ask for it as {hosts[0]}")


def _said(title: str, why: str, status: int) -> Response:
    """Say what is wrong as a page; programs are told by the API (api/problem.py)."""
    is_again = status in AGAIN and request.method == "GET"
    back = request.full_path.rstrip("?") if is_again else ""
    words = {"title": title, "why": why, "next": NEXT.get(status, ""), "back": back}
    response = make_response(render_template("problem.html", **words))
    response.status_code = status
    return response


def _not_found(error: NotFound) -> Response:
    return _said("Not found", str(error), 404)


def _not_so(error: AccountError) -> Response:
    return _said("Not so", f"{error}; nothing was changed", 400)


def _too_often(error: TooManyAttempts) -> Response:
    response = _said("Not now", str(error), 429)
    response.headers["Retry-After"] = str(error.seconds)
    return response


def _not_now(error: TemporaryError) -> Response:
    log.warning("%s", error)
    response = _said("Not now", str(error), 503)
    response.headers["Retry-After"] = "5"
    return response


def _broken(error: ParkError) -> Response:
    log.error("%s", error)
    return _said("Out of order", str(error), 500)


def _refused(error: HTTPException) -> Response | HTTPException:
    """Say in words what is wrong with a request; what has no words of its own keeps werkzeug's."""
    if error.response is not None:
        return error  # an answer that was made already, such as the way to the log-in page
    why = {404: "There is no such page here.", 405: "This address does not take that request."}.get(error.code or 0)
    title = "Not found" if error.code == 404 else error.name
    response = _said(title, why or error.description or error.name, error.code or 500)
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value  # such as how to log in
    return response


def _with_headers(response: Response) -> Response:
    if request.method not in changing.SAFE:
        current_app.extensions["stamp"].forget()  # who changed something sees it at the next look
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "private, no-cache")
    return response
