"""What goes wrong, as an answer: one sentence in JSON, with the status that tells the asker what to do next.

400 the reference cannot be one    401 no token    403 not for this user    404 not there    416 behind the end
502 the remote cannot or will not  503 ask again   507 the disk is full
"""

from __future__ import annotations

import errno
import json
import logging
from urllib.parse import quote

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from park_spool.data_centre import WHY
from park_spool.errors import DataError, NotFound, ParkError, PermanentError, TemporaryError, is_temporary
from park_spool.sources.source import NotThere, Refused

from .once import Busy
from .ranges import OutOfRange

log = logging.getLogger(__name__)

LONGEST = 1000  # letters of a sentence that a header has
FULL = (errno.ENOSPC, errno.EDQUOT)
RETRY = {"Retry-After": "1"}


class NoToken(PermanentError):
    """The request does not have the token of the spool."""


class NotForUser(PermanentError):
    """The source is not for the user for whom it is asked."""


class Unreachable(TemporaryError):
    """The source did not give what was asked for, by no fault of the asker."""


class Full(TemporaryError):
    """The store has no room, and nothing in it may go."""


def is_full(error: BaseException) -> bool:
    """Say whether an error of the store comes from a full disk."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Full) or (isinstance(cause, OSError) and cause.errno in FULL):
            return True
        cause = cause.__cause__
    return False


def status(error: ParkError) -> int:
    """Return the status of an answer.

    >>> status(Busy("…")), status(DataError("…")), status(NotThere("…")), status(PermanentError("…"))
    (503, 400, 404, 500)
    """
    table: tuple[tuple[type[ParkError], int], ...] = (
        (OutOfRange, 416),
        (NotThere, 404),
        (NotFound, 404),
        (DataError, 400),
        (NoToken, 401),
        (NotForUser, 403),
        (Unreachable, 502),
        (Refused, 502),
    )
    if is_full(error):
        return 507
    found = next((code for kind, code in table if isinstance(error, kind)), None)
    return found or (503 if isinstance(error, TemporaryError) else 500)


def answer(sentence: str, code: int) -> Response:
    """Return a sentence as JSON, with the headers that go with its status; a HEAD has it in a header, quoted."""
    headers = {"WWW-Authenticate": "Bearer"} if code == 401 else RETRY if code in (502, 503) else {}
    text = json.dumps({"error": sentence}, ensure_ascii=False) + "\n"
    return Response(text, code, headers | {WHY: quote(sentence[:LONGEST])}, mimetype="application/json")


def register(app: Flask) -> None:
    """Let an application answer all its errors so."""
    app.register_error_handler(ParkError, _ours)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OSError, _disk)


def _ours(error: ParkError) -> Response:
    code = status(error)
    if code >= 500 and not isinstance(error, Busy):
        log.log(logging.ERROR if code == 500 else logging.WARNING, "%s", error)
    response = answer(str(error), code)
    if isinstance(error, OutOfRange):
        response.headers["Content-Range"] = f"bytes */{error.size}"
    return response


def _disk(error: OSError) -> Response:
    """Answer what the disk, or the system with too many open files, refuses."""
    kind = TemporaryError if is_temporary(error.errno) else PermanentError
    problem = kind(f"{error.filename or 'the store'}: {error.strerror or error}")
    problem.__cause__ = error
    return _ours(problem)


def _http(error: HTTPException) -> Response:
    words = {404: "there is no such place here", 405: "that cannot be done with this place"}
    return answer(words.get(error.code or 0) or error.description or error.name, error.code or 500)


class Rejection:
    """The same as an answer of waitress itself, to a request whose body is not read."""

    def __init__(self, sentence: str, code: int) -> None:
        self._answer = answer(sentence, code)

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        headers = [(name, value) for name, value in self._answer.headers.items() if name != "Content-Length"]
        return self._answer.status, headers, self._answer.get_data()
