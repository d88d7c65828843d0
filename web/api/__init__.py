"""JSON under /api/v1: the same as the pages show, and all that can be done on them. See docs/api.md."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from flask import Blueprint, Flask, Response

from ..live import ARCHIVE
from ..reading import at_once
from ..who import needs
from . import answering, asking, changes, groups, jobs, nodes, people, problem, sessions, site, submitting
from .operation import Operation

OPERATIONS = (
    *site.OPERATIONS,
    *sessions.OPERATIONS,
    *groups.OPERATIONS,
    *jobs.OPERATIONS,
    *nodes.OPERATIONS,
    *submitting.OPERATIONS,
    *changes.OPERATIONS,
    *people.OPERATIONS,
)
or_page = problem.or_page


def register(app: Flask) -> None:
    """Put all operations into an application."""
    blueprint = Blueprint("api", __name__)
    for one in OPERATIONS:
        blueprint.add_url_rule(one.rule, one.name, _view(one), methods=[one.method], strict_slashes=False)
    blueprint.register_error_handler(OSError, problem.of_disk)
    app.register_blueprint(blueprint)


def _view(operation: Operation) -> Any:
    @needs(operation.role)
    def serve(**places: str) -> Response:
        with at_once() if operation.is_live else nullcontext():
            arguments = asking.arguments(operation, places)
            is_shared = operation.follows == ARCHIVE and "sid" in arguments
            value = answering.shared(operation, arguments) if is_shared else operation.run(**arguments)
            return answering.answered(operation, value)

    return serve
