"""The first page: all sessions, searched, filtered, sorted and paged; what is on its way, and what was rejected."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, render_template, request

from park_spool.accounts.roles import Role
from park_spool.archive.listing import SORTS, Asked
from park_spool.errors import NotFound, ParkError
from park_spool.looking.standing import STATES
from park_spool.showing.nodes import nodes
from park_spool.showing.overview import Overview, overview

from ..asked import chosen, number
from ..keeping import live
from ..reading import disk, found, found_or_none, reader, settings, shared, shared_with_pages
from ..who import needs, owner, who
from .nodes import centres

page = Blueprint("overview", __name__)
SIZE = 25  # sessions on a page: what one screen shows, painted in under 200 ms


def _asked() -> Asked:
    """Read what the address asks for. Raises BadRequest with a sentence for what it cannot be."""
    args = request.args
    return Asked(
        text=args.get("text", "").strip(),
        user=args.get("user", ""),
        state=chosen("state", ("", *STATES)),
        service=args.get("service", ""),
        sort=chosen("sort", ("received", *SORTS)),
        descending={"": None, "up": False, "down": True}[chosen("order", ("", "up", "down"))],
        page=number("page", 1, least=1),
        size=number("size", SIZE, least=1, most=500),
        owner=owner(),
    )


def _overview(asked: Asked) -> Overview:
    return shared_with_pages(("overview", asked), lambda: _worked_out(asked))


def _worked_out(asked: Asked) -> Overview:
    try:
        return overview(settings(), disk(), found(), asked)
    except NotFound as error:
        return overview(settings(), disk(), None, asked, str(error))


@page.get("/")
@needs(Role.VIEWER)
def sessions() -> str:
    asked = _asked()
    there = nodes(settings(), disk(), found_or_none(), owner())
    return render_template("overview.html", asked=asked, shown=_overview(asked), nodes=there, centre=centres().look())


@page.get("/parts/overview")
@needs(Role.VIEWER)
@live
def part() -> str:
    asked = _asked()
    return shared(
        ("overview part", asked, who().may_submit),
        lambda: render_template("parts/overview.html", asked=asked, shown=_overview(asked)),
    )


@page.get("/health")
def health() -> Response:
    try:
        reader().sessions(limit=1)
    except ParkError as error:
        return jsonify(page="ok", archive=str(error))
    return jsonify(page="ok", archive="ok")
