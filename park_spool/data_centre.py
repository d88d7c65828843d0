"""What people ask of a data centre, by its HTTP interface (docs/datacenter.md): the first that answers is asked."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from http import HTTPMethod, HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, unquote, urlencode, urlsplit

from park_spool import notice_settings
from park_spool.config import Config
from park_spool.errors import ConfigError, DataError, PermanentError, TemporaryError
from park_spool.sources.http_source import HttpSource
from park_spool.sources.settings import SourceSettings
from park_spool.store.facts import Facts

FOR_SESSION, FOR_USER, WHY = "X-Park-Session", "X-Park-User", "X-Park-Error"
TIMEOUT = 60.0
PIECE = 1 << 20
MOST_METRICS = 1 << 20
_METRIC = re.compile(r'park_datad_(\w+)(?:\{\w+="([^"]*)"\})? (\d+(?:\.\d+)?(?:e[+-]?\d+)?)', re.ASCII)


class CentreSource(HttpSource):
    """A source as it is read through a data centre, which says in a header what went wrong."""

    def _checked(self, response: http.client.HTTPResponse, path: str) -> Facts:
        try:
            return super()._checked(response, path)
        except (DataError, PermanentError, TemporaryError) as error:
            said = response.getheader(WHY)
            if said is None:
                raise
            raise type(error)(f"the data centre says: {unquote(said)}") from error


def source_at(address: str, name: str, settings: Config, headers: Mapping[str, str], timeout: float) -> CentreSource:
    """Return what reads a source through a data centre: each file's ETag is its digest."""
    root, token = f"{address.rstrip('/')}/data/{name}/", f"file:{settings.secret}"
    return CentreSource(SourceSettings(name, root, token=token, timeout=timeout), {}, headers)


class DataCentre:
    """The data centre of a site, asked for `user`. Raises ConfigError where none is set up."""

    def __init__(self, settings: Config, user: str) -> None:
        if not settings.datacenter:
            raise ConfigError(f"{settings.layout.settings}: this site has set up no data centre: see `datacenter`")
        self._settings, self._user = settings, user

    def files(self, source: str | None = None, prefix: str = "") -> list[dict[str, Any]]:
        """List what its store holds: digest, size, used, hrefs, is_pinned, holders."""
        query = {"source": source, "prefix": prefix} if source else {}
        found: list[dict[str, Any]] = self._ask("GET", "/list", query)["files"]
        return found

    def names(self, source: str, pattern: str) -> list[str]:
        """List the paths in a source that match a pattern."""
        found: list[str] = self._ask("GET", f"/names/{source}", {"pattern": pattern})["names"]
        return found

    def put(self, name: str, path: Path) -> dict[str, Any]:
        """Have it keep a file as `put:/NAME`; return its href, digest and size."""
        with path.open("rb") as file:
            return self._ask("PUT", f"/put/{quote(name.lstrip('/'))}", {}, file)

    def pin(self, digest: str, is_pinned: bool) -> dict[str, Any]:
        """Keep a file until it is unpinned; or let it go again."""
        return self._ask(HTTPMethod.POST if is_pinned else HTTPMethod.DELETE, f"/pins/{digest}")

    def evict(self, needed: int) -> list[dict[str, Any]]:
        """Have it make room for so many bytes; return what went."""
        found: list[dict[str, Any]] = self._ask("POST", "/evict", {"bytes": str(needed)})["evicted"]
        return found

    def verify(self) -> list[dict[str, Any]]:
        """Have it read every file again; return the faults that were found and put aside."""
        found: list[dict[str, Any]] = self._ask("POST", "/verify")["faults"]
        return found

    def sources(self, name: str) -> Iterator[CentreSource]:
        """Yield what reads a source, by one data centre after the other."""
        for address in self._settings.datacenter:
            yield source_at(address, name, self._settings, {FOR_USER: self._user}, TIMEOUT)

    def _ask(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: BinaryIO | None = None
    ) -> dict[str, Any]:
        target = f"{path}?{urlencode(query)}" if query else path
        reasons = []
        for address in self._settings.datacenter:
            try:
                return self._exchange(address, method, target, body)
            except TemporaryError as error:
                reasons.append(str(error))
                if body is not None:
                    body.seek(0)
        raise TemporaryError("; ".join(reasons))

    def _exchange(self, address: str, method: str, target: str, body: BinaryIO | None) -> dict[str, Any]:
        parts = urlsplit(address)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        token = notice_settings.secret(f"file:{self._settings.secret}", self._settings.spool)
        headers = {"Authorization": f"Bearer {token}", FOR_USER: self._user}
        if body is not None:
            headers["Content-Length"] = str(body.seek(0, 2))
            body.seek(0)
        try:
            with closing(kind(parts.hostname or "", parts.port, timeout=TIMEOUT, blocksize=PIECE)) as connection:
                connection.request(method, f"{parts.path.rstrip('/')}{target}", body, headers)
                response = connection.getresponse()
                return _understood(address, response.status, response.read())
        except (OSError, http.client.HTTPException) as error:
            raise TemporaryError(f"the data centre {address} cannot be reached: {error}") from error


def numbers(address: str, timeout: float) -> dict[tuple[str, str], float]:
    """Ask one data centre how it is: its numbers for Prometheus, by name (without `park_datad_`) and label.

    Raises TemporaryError, in a sentence, if it does not answer within `timeout` seconds.
    """
    parts = urlsplit(address)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    try:
        with closing(kind(parts.hostname or "", parts.port, timeout=timeout)) as connection:
            connection.request("GET", f"{parts.path.rstrip('/')}/metrics")
            response = connection.getresponse()
            data = response.read(MOST_METRICS)
    except (OSError, http.client.HTTPException) as error:
        raise TemporaryError(f"the data centre {address} cannot be reached: {error}") from error
    if response.status != HTTPStatus.OK:
        raise TemporaryError(f"the data centre {address} answered {response.status} when asked how it is")
    found = map(_METRIC.fullmatch, data.decode(errors="replace").splitlines())
    return {(one[1], one[2] or ""): float(one[3]) for one in found if one is not None}


def _understood(address: str, status: int, data: bytes) -> dict[str, Any]:
    """Return what a data centre said. Raises what its status means."""
    try:
        said = json.loads(data)
        sentence = str(said.get("error", ""))
    except (ValueError, AttributeError):
        raise PermanentError(f"the data centre {address} answered {status}, and no JSON") from None
    if status < HTTPStatus.BAD_REQUEST:
        found: dict[str, Any] = said
        return found
    words = f"the data centre {address} says: {sentence}"
    if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND):
        raise DataError(words)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.INTERNAL_SERVER_ERROR:
        raise TemporaryError(words)
    raise PermanentError(words)
