"""A small site for charts: the static folder, one page with a figure, and JSON that a test can change, on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, request
from markupsafe import Markup
from waitress import create_server, wasyncore

STATIC = Path(__file__).parents[1] / "web" / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEAD = Markup(
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Charts</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="htmx-config" content="includeIndicatorCSS:false">'
    '<link rel="icon" href="/static/park.svg"><link rel="stylesheet" href="/static/park.css">'
    '<link rel="stylesheet" href="/static/vendor/uPlot.min.css"><link rel="stylesheet" href="/static/charts.css">'
    '<script type="module" src="/static/charts/charts.js"></script></head><body><main><h1>A chart</h1>'
)
HTMX = Markup('<script src="/static/vendor/htmx.min.js"></script>')
PART = Markup('<div id="part" hx-get="/" hx-trigger="park:look from:body" hx-swap="innerMorph">{}</div>')


class Site:
    """What the site answers, and what it was asked."""

    def __init__(self) -> None:
        self.address = ""
        self.answers: dict[str, Any] = {}
        self.figures: list[dict[str, str]] = []
        self.asked: list[tuple[str, int]] = []
        self.is_part = False

    def figure(self, kind: str, answer: Any, **attributes: str) -> str:
        """Make the page show one figure over one answer; gives the page's address."""
        self.answers = {kind: answer}
        self.figures = [{"data-chart": kind, "data-src": f"/json/{kind}", "data-live": "", **named(attributes)}]
        return f"{self.address}/"

    def app(self) -> Flask:
        """Make the application."""
        app = Flask(__name__, static_folder=str(STATIC), static_url_path="/static")
        app.add_url_rule("/", view_func=self._page)
        app.add_url_rule("/json/<name>", view_func=self._json)
        app.add_url_rule("/jobs/<job>", view_func=_job)
        app.add_url_rule("/file.png", view_func=_file)
        app.after_request(_with_policy)
        return app

    def _page(self) -> str:
        figures = [
            Markup("<figure class='chart' {}><figcaption>What the page says of it.</figcaption></figure>").format(
                Markup(" ").join(Markup('{}="{}"').format(*pair) for pair in figure.items())
            )
            for figure in self.figures
        ]
        shown = Markup("").join(figures)
        if self.is_part:
            shown = shown if "HX-Request" in request.headers else HTMX + PART.format(shown)
        return shown if "HX-Request" in request.headers else HEAD + shown + Markup("</main></body></html>")

    def _json(self, name: str) -> Response:
        if name not in self.answers:
            self.asked.append((name, 404))
            abort(404)
        answer = self.answers[name]
        text = answer if isinstance(answer, str) else json.dumps(answer, allow_nan=False)
        response = Response(text, mimetype="application/json")
        response.add_etag()
        made = response.make_conditional(request)
        self.asked.append((name, made.status_code))
        return made


def _job(job: str) -> str:
    return Markup('<!doctype html><link rel="icon" href="/static/park.svg"><title>job {}</title>').format(job)


def _file() -> Response:
    return Response(b"\x89PNG", mimetype="image/png")


def named(attributes: dict[str, str]) -> dict[str, str]:
    """Turn data_job_href into data-job-href."""
    return {name.replace("_", "-"): value for name, value in attributes.items()}


def _with_policy(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    return response


@contextmanager
def serving() -> Iterator[Site]:
    """Serve the site on a free port of loopback until the end."""
    site = Site()
    sockets: dict[int, Any] = {}
    server = create_server(site.app(), host="127.0.0.1", port=0, map=sockets, threads=8)
    site.address = f"http://127.0.0.1:{server.effective_port}"
    is_over = threading.Event()

    def serve() -> None:
        while not is_over.is_set():
            wasyncore.loop(timeout=1.0, use_poll=True, map=sockets, count=1)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield site
    finally:
        is_over.set()
        server.pull_trigger()
        thread.join()
        server.task_dispatcher.shutdown()
        wasyncore.close_all(sockets)
