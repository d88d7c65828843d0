"""What went wrong, in the one shape that the API has for it: `{"error": "a sentence", "status": 404}`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import msgspec
from flask import Response, request
from werkzeug.exceptions import HTTPException

from park_spool.errors import (
    AccountError,
    ConfigError,
    DataError,
    NotFound,
    ParkError,
    PermanentError,
    ServiceError,
    SessionError,
    SpoolError,
    TemporaryError,
    TooManyAttempts,
)

from .operation import JSON

log = logging.getLogger(__name__)

RETRY_SECONDS = "5"


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why something was not done. `line` and `column` count from 1: where in the XML that was sent."""

    error: str
    status: int
    line: int | None = None
    column: int | None = None


class Refused(ParkError):
    """What was asked cannot be understood, or may not be said like this."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


# The first that fits counts.
_STATUSES: tuple[tuple[type[ParkError], int], ...] = (
    (TooManyAttempts, 429),
    (TemporaryError, 503),
    (NotFound, 404),
    (ConfigError, 404),  # what a site has not set up is not there
    (SessionError, 422),
    (ServiceError, 422),
    (DataError, 422),
    (AccountError, 422),
    (SpoolError, 503),
    (PermanentError, 409),
)
_WORDS = {
    404: "there is nothing at this address; GET /api/v1/openapi.json lists what there is",
    405: "this address does not take that method; the header Allow names those that it takes",
    413: "this is more than may be sent at once",
}


def is_asked() -> bool:
    """Say whether this request is one to the API."""
    return f"{request.path}/".startswith("/api/")


def or_page(page: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Answer an error to the API in its shape; any other as the page does."""
    return lambda error: answer(error) if is_asked() else page(error)


def answer(error: ParkError | HTTPException) -> Response | HTTPException:
    """Return the answer that tells of an error."""
    if isinstance(error, HTTPException):
        return _of_http(error)
    status = status_of(error)
    if status >= 500:
        log.warning("%s", error)
    place = (error.line, error.column) if isinstance(error, SessionError) else (None, None)
    response = _response(Problem(str(error), status, *place))
    if status == 503:
        response.headers["Retry-After"] = RETRY_SECONDS
    return response


def of_disk(error: OSError) -> Response | HTTPException:
    """Return the answer that tells of a disk that is full, or of a file system that has gone."""
    return answer(TemporaryError(f"the spool cannot be used now: {error.strerror or error}; nothing is lost"))


def status_of(error: ParkError) -> int:
    """Return the status that stands for an error.

    >>> status_of(NotFound("no such session")), status_of(TemporaryError("look again"))
    (404, 503)
    """
    if isinstance(error, Refused):
        return error.status
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 503)


def _of_http(error: HTTPException) -> Response | HTTPException:
    if error.response is not None or error.code is None or error.code < 400:
        return error  # a redirection, or an answer that is made already
    sentence = _WORDS.get(error.code) or error.description or error.name
    response = _response(Problem(sentence, error.code))
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _response(problem: Problem) -> Response:
    return Response(msgspec.json.encode(problem) + b"\n", problem.status, mimetype=JSON)
