"""A source on a web server: http:// and https://, by the standard library alone.

Guarantees: whatever a path or an answer says, only the scheme, host and port of the root are connected to, and only
what lies below the root is asked for. A redirect is taken apart, checked by the gate for paths, and made anew.
A body that is shorter than its Content-Length, or that has no sure end, is not taken for the file.
"""

from __future__ import annotations

import http.client
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote, urlsplit

import park_spool
from park_spool import notice_settings
from park_spool.errors import ConfigError, DataError, TemporaryError
from park_spool.sources import autoindex, http_answers, redirects
from park_spool.sources.expanding import expand
from park_spool.sources.paths import clean
from park_spool.sources.settings import SourceSettings
from park_spool.sources.source import CHUNK, Changed, NotThere, Refused
from park_spool.store.facts import Facts

_HERE = Path("/")  # settings.py has made the paths of secrets absolute
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
MOST_REDIRECTS = 5
LONGEST_LISTING = 8_000_000  # bytes of HTML, some 40 000 entries

_REDIRECTS = (301, 302, 303, 307, 308)
_NO_HEAD = (HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED)


class HttpSource:
    """One web server; `headers` are sent along with each request."""

    def __init__(
        self, settings: SourceSettings, environment: Mapping[str, str], headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        parts = urlsplit(settings.root)
        self.name = settings.name
        self._settings = settings
        self._root = parts.path
        self._context = ssl.create_default_context() if parts.scheme == "https" else None
        # Always with a port: http.client takes the last part of an IPv6 address for one.
        self._host, self._port = parts.hostname or "", parts.port or redirects.PORTS[parts.scheme]
        self._headers = {
            "User-Agent": f"park-spool/{park_spool.__version__}",
            "Accept-Encoding": "identity",
            "Connection": "close",
            **_credentials(settings, environment),
            **headers,
        }

    def facts(self, path: str) -> Facts:
        with self._asked("HEAD", clean(path), {}) as response:
            if response.status not in _NO_HEAD:
                return self._checked(response, path)
        with self._asked("GET", path, {}) as response:
            return self._checked(response, path)

    @contextmanager
    def open(self, path: str, offset: int, facts: Facts) -> Iterator[Iterator[bytes]]:
        with self._asked("GET", clean(path), _range(offset, facts)) as response:
            length = self._begun(response, path, offset, facts)
            yield self._chunks(response, path, length, facts)

    def names(self, pattern: str) -> list[str]:
        return expand(pattern, self._listing)

    def _chunks(
        self, response: http.client.HTTPResponse, path: str, length: int | None, facts: Facts
    ) -> Iterator[bytes]:
        yield from self._body(response, path, length)
        if facts.is_same(self.facts(path)) is False:
            raise Changed(f"{self.name}:{path} changed while it was read")

    def _body(self, response: http.client.HTTPResponse, path: str, length: int | None) -> Iterator[bytes]:
        left = length  # counted here: read1 of Python 3.11 would wait for more than there is
        while left != 0 and (data := self._read(response, path, CHUNK if left is None else min(left, CHUNK))):
            left = None if left is None else left - len(data)
            yield data
        if left:
            raise TemporaryError(f"{self.name}:{path}: {self._host} cut the connection {left} bytes before the end")

    def _read(self, response: http.client.HTTPResponse, path: str, most: int) -> bytes:
        try:
            return response.read1(most)
        except (OSError, http.client.HTTPException) as error:
            raise self._trouble(path, error) from error

    def _begun(self, response: http.client.HTTPResponse, path: str, offset: int, facts: Facts) -> int | None:
        """Check that an answer holds the bytes that were asked for; return how many follow, None for chunks."""
        found = self._checked(response, path)
        is_same = facts.is_same(found)
        if is_same is False:
            raise Changed(f"{self.name}:{path} is another version now")
        if offset and (response.status != HTTPStatus.PARTIAL_CONTENT or is_same is None):
            raise Changed(f"{self.name}:{path}: {self._host} does not continue the version that was begun")
        begin = http_answers.begin(response)
        if begin != offset:
            raise TemporaryError(f"{self.name}:{path}: {self._host} sent bytes from {begin} on, not from {offset} on")
        if response.chunked:
            return None
        length = http_answers.length(response)
        if length is None:
            raise DataError(
                f"{self.name}:{path}: {self._host} does not say how long it is, so that a cut connection "
                "could not be told from its end"
            )
        return length

    def _checked(self, response: http.client.HTTPResponse, path: str) -> Facts:
        try:
            return http_answers.checked(response)
        except (DataError, Refused, TemporaryError) as error:
            raise type(error)(f"{self.name}:{path}: {self._host} {error}") from error

    def _listing(self, folder: str) -> list[tuple[str, bool]]:
        with self._asked("GET", f"{folder}/", {}) as response:
            self._checked(response, f"{folder}/")
            if response.headers.get_content_type() not in ("text/html", "application/xhtml+xml"):
                raise DataError(f"{self.name}:{folder}/: {self._host} gives no list of this folder")
            page = bytearray()
            for data in self._body(response, f"{folder}/", http_answers.length(response)):
                page += data
                if len(page) > LONGEST_LISTING:
                    raise DataError(f"{self.name}:{folder}/: its list has more than {LONGEST_LISTING} bytes")
        return autoindex.entries(page.decode(errors="replace"))

    @contextmanager
    def _asked(self, method: str, path: str, headers: dict[str, str]) -> Iterator[http.client.HTTPResponse]:
        """Ask, and follow redirects; the connection is closed in every case."""
        with ExitStack() as stack:
            place = path
            for _ in range(MOST_REDIRECTS + 1):
                response = self._exchanged(stack, method, place, headers)
                if response.status not in _REDIRECTS:
                    break
                place = self._redirected(response, path, place)
            else:
                raise Refused(f"{self.name}:{path}: {self._host} redirects more than {MOST_REDIRECTS} times")
            yield response

    def _exchanged(
        self, stack: ExitStack, method: str, place: str, headers: dict[str, str]
    ) -> http.client.HTTPResponse:
        try:
            connection = stack.enter_context(closing(self._connection()))
            connection.request(method, self._root + quote(place[1:]), headers=self._headers | headers)
            return stack.enter_context(closing(connection.getresponse()))
        except (OSError, http.client.HTTPException) as error:
            raise self._trouble(place, error) from error

    def _connection(self) -> http.client.HTTPConnection:
        timeout = self._settings.timeout
        if self._context is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._context)

    def _redirected(self, response: http.client.HTTPResponse, path: str, place: str) -> str:
        root = self._settings.root
        try:
            found = redirects.inside(root, root + quote(place[1:]), response.getheader("Location") or "")
        except DataError as error:
            raise Refused(f"{self.name}:{path}: {self._host} redirects {error}; that is not followed") from error
        if found.endswith("/") and not path.endswith("/"):
            raise NotThere(f"{self.name}:{path} is a folder")
        return found

    def _trouble(self, path: str, error: Exception) -> Exception:
        words = f"{self.name}:{path}: {self._host}"
        match error:
            case ssl.SSLCertVerificationError():
                return Refused(f"{words} has a certificate that is not trusted here: {error.verify_message}")
            case TimeoutError():
                return TemporaryError(f"{words} did not answer within {self._settings.timeout:g} s")
            case http.client.RemoteDisconnected() | http.client.IncompleteRead():
                return TemporaryError(f"{words} cut the connection")
            case OSError():
                return TemporaryError(f"{words} cannot be reached: {error.strerror or error}")
        return TemporaryError(f"{words} answers what is no HTTP: {type(error).__name__}")


def _credentials(settings: SourceSettings, environment: Mapping[str, str]) -> dict[str, str]:
    """Build the header that lets this site in; ConfigError if a secret is not there, or cannot stand in a header."""
    if settings.token:
        token = notice_settings.secret(settings.token, _HERE, environment)
        if not token or not all("!" <= letter <= "~" for letter in token):
            raise ConfigError(f"sources.{settings.name}.token: expected ASCII letters without blanks, got others")
        return {"Authorization": f"Bearer {token}"}
    if settings.user:
        pair = f"{settings.user}:{notice_settings.secret(settings.secret, _HERE, environment)}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
    return {}


def _range(offset: int, facts: Facts) -> dict[str, str]:
    """Ask for the rest of a file; only a strong ETag says surely of which version.

    >>> _range(7, Facts(9, '"a"')), _range(7, Facts(9, 'W/"a"')), _range(0, Facts(9, '"a"'))
    ({'Range': 'bytes=7-', 'If-Range': '"a"'}, {'Range': 'bytes=7-'}, {})
    """
    if not offset:
        return {}
    condition = {"If-Range": facts.etag} if facts.etag.startswith('"') else {}
    return {"Range": f"bytes={offset}-"} | condition
