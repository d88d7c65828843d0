"""The application factory of the data centre.

Guarantees: without the token nothing is answered but /health and /metrics; no path is made of a request except by
the gate for paths in sources and by the store's naming; what goes wrong is one sentence in JSON.
"""

from __future__ import annotations

from flask import Flask, Response, current_app, request

from . import problems
from .auth import is_allowed
from .centre import Centre
from .upkeep_views import upkeep
from .views import files

OPEN = ("upkeep.health", "upkeep.metrics")
NO_TOKEN = "expected the header `Authorization: Bearer TOKEN` with the token in the spool's secret file"


def create_app(centre: Centre, secret: str) -> Flask:
    """Make the application over one centre; `secret` is the token."""
    app = Flask(__name__, static_folder=None)
    app.config["SECRET"] = secret
    app.url_map.merge_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["centre"] = centre
    app.register_blueprint(files)
    app.register_blueprint(upkeep)
    problems.register(app)
    app.before_request(_ask_for_token)
    app.after_request(_count)
    return app


def _ask_for_token() -> None:
    if request.endpoint in OPEN:
        return
    if not is_allowed(request.headers.get("Authorization"), current_app.config["SECRET"]):
        raise problems.NoToken(NO_TOKEN)


def _count(response: Response) -> Response:
    counts = current_app.extensions["centre"].downloads.counts
    counts.add("requests_total", code=str(response.status_code))
    return response
