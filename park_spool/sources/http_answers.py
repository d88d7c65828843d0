"""What a web server's answer says: whether it may be used, of which version it is, and which bytes it holds.

Guarantees: headers that contradict each other, or that are not what RFC 9110 has, are never guessed at. The words of
all errors go on after "… HOST".
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPResponse

from park_spool.errors import DataError, TemporaryError
from park_spool.sources.source import Changed, Later, NotThere, Refused
from park_spool.store.facts import Facts

_ETAG = re.compile(r'(W/)?"[!\x23-\x7e]{0,200}"')
_NUMBER = re.compile(r"[0-9]{1,18}")
_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")

_SHUT = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED)
_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
_LATER = (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS)
_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY)
_GOOD = (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT)


def checked(response: HTTPResponse) -> Facts:
    """Return of which version an answer is; raise what its status means if it is not the file."""
    _check_status(response.status)
    coding = (response.getheader("Content-Encoding") or "identity").strip().lower()
    if coding != "identity":
        raise DataError(f"sends it as {coding[:20]!r}, though it was asked for as it is")
    transfer = (response.getheader("Transfer-Encoding") or "chunked").strip().lower()
    if transfer != "chunked":
        raise DataError(f"sends it as {transfer[:20]!r}, though it was asked for as it is")
    return Facts(_size(response), _etag(response), _modified(response))


def _check_status(status: int) -> None:
    words = f"answered {status} {_phrase(status)}".rstrip()
    if status in _GOOD:
        return
    if status in _SHUT:
        raise Refused(f"{words}: see user, secret and token of this source")
    if status in _GONE:
        raise NotThere(words)
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        raise Changed(f"{words}: the file ends before what is here of it")
    if status in _LATER:
        raise Later(words)
    if status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise TemporaryError(words)
    raise DataError(words)


def _phrase(status: int) -> str:
    """Return the standard's words, not the server's."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def begin(response: HTTPResponse) -> int:
    """Return the first byte of the file that an answer holds."""
    return _content_range(response)[0] if response.status == HTTPStatus.PARTIAL_CONTENT else 0


def length(response: HTTPResponse) -> int | None:
    """Return how many bytes the body has by its Content-Length; None if it does not say, or is sent in chunks."""
    if response.getheader("Transfer-Encoding"):
        return None
    given = set(response.headers.get_all("Content-Length", []))
    if len(given) > 1 or not all(_NUMBER.fullmatch(number) for number in given):
        raise TemporaryError(f"gives a length that is none: {', '.join(sorted(given))[:40]!r}")
    return int(given.pop()) if given else None


def _size(response: HTTPResponse) -> int | None:
    if response.status == HTTPStatus.PARTIAL_CONTENT:
        return _content_range(response)[1]
    return length(response)


def _content_range(response: HTTPResponse) -> tuple[int, int | None]:
    """Return the first byte and the size of the whole file."""
    given = response.getheader("Content-Range") or ""
    found = _RANGE.fullmatch(given)
    if not found:
        raise TemporaryError(f"sends a part and does not say which: {given[:40]!r}")
    first, last = int(found[1]), int(found[2])
    size = None if found[3] == "*" else int(found[3])
    body = length(response)
    if first > last or (size is not None and last >= size) or (body is not None and body != last - first + 1):
        raise TemporaryError(f"sends a part that cannot be: {given[:40]!r}")
    return first, size


def _etag(response: HTTPResponse) -> str:
    given = (response.getheader("ETag") or "").strip()
    return given if _ETAG.fullmatch(given) else ""


def _modified(response: HTTPResponse) -> float | None:
    try:
        return parsedate_to_datetime(response.getheader("Last-Modified") or "").timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
