"""What may be kept of answers: the mark of one that stands until something changes (live.py), and that of a secret."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from flask import Response, make_response

from .live import MARK, SPOOL
from .reading import at_once

P = ParamSpec("P")


def live(view: Callable[P, Any]) -> Callable[P, Response]:
    """Let the answers of a view be kept; it must say the same to the same person while nothing has changed."""

    @wraps(view)
    def marked(*args: P.args, **kwargs: P.kwargs) -> Response:
        with at_once():
            response = make_response(view(*args, **kwargs))
        response.headers[MARK] = SPOOL
        response.headers["Cache-Control"] = "private, no-cache"
        return response

    return marked


def keep_nowhere(response: Response) -> Response:
    """Let no browser keep the answers of pages that show what is secret."""
    response.headers["Cache-Control"] = "no-store"
    return response
