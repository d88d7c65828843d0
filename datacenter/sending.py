"""A file as an answer: whole or a part, conditional, and passed on as an open file, so that it is never read here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from flask import Response, request
from werkzeug.http import http_date
from werkzeug.wsgi import wrap_file

from .once import Busy
from .ranges import choose_part, is_unchanged
from .sendfile import SMALL

PIECE = 1 << 18
CONDITIONS = ("If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since")


def send_blob(path: Path, digest: str, fetched: float | None = None) -> Response:
    """Answer with a file that never changes under its digest; `fetched`, if known, is its Last-Modified.

    Raises OutOfRange, and Busy if it was evicted at this moment.
    """
    modified = None if fetched is None else datetime.fromtimestamp(int(fetched), UTC)
    response = _head(digest, modified)
    with ExitStack() as opened:
        file = opened.enter_context(_open(path))
        if _is_conditional() and response.make_conditional(request).status_code != 200:
            return response
        size = os.fstat(file.fileno()).st_size
        start, stop = _part(response, digest, modified, size) or (0, size)
        response.headers["Content-Length"] = str(stop - start)
        if request.method != "HEAD" and stop > start:
            file.seek(start)
            _attach(response, file, stop - start)
            opened.pop_all()  # RACE: it may be evicted from now on; what is open stays readable
    return response


def _is_conditional() -> bool:
    return any(name in request.headers for name in CONDITIONS)


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise Busy(f"{path.name} was evicted at this moment; ask again") from error


def _head(digest: str, modified: datetime | None) -> Response:
    headers = {"ETag": f'"{digest}"', "X-Park-Digest": digest, "Accept-Ranges": "bytes", "Cache-Control": "no-cache"}
    if modified is not None:
        headers["Last-Modified"] = http_date(modified)
    response = Response(None, 200, headers, content_type="application/octet-stream")
    response.automatically_set_content_length = False
    return response


def _part(response: Response, digest: str, modified: datetime | None, size: int) -> tuple[int, int] | None:
    """Return the part that is asked for, and say in the response that it is one; None for the whole file."""
    asked, if_range = request.headers.get("Range"), request.headers.get("If-Range")
    if asked is None or request.method != "GET":
        return None
    modified = response.last_modified
    if if_range is not None and (
        modified is None or not is_unchanged(if_range, response.get_etag()[0] or "", modified)
    ):
        return None
    part = choose_part(asked, size)
    if part is not None:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {part[0]}-{part[1] - 1}/{size}"
    return part


def _attach(response: Response, file: BinaryIO, count: int) -> None:
    """Make an open file the body: waitress's wrapper sends as much of it as is announced, and closes it."""
    if count <= SMALL:
        with file:
            response.response = list(_pieces(file, count))
    elif "wsgi.file_wrapper" in request.environ:
        response.response = wrap_file(request.environ, file, PIECE)
        response.direct_passthrough = True
    else:
        response.response = _pieces(file, count)
        response.call_on_close(file.close)


def _pieces(file: BinaryIO, count: int) -> Iterator[bytes]:
    while count and (piece := file.read(min(PIECE, count))):
        count -= len(piece)
        yield piece
