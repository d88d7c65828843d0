"""Where a redirect leads: to a path below the root of the same server, or nowhere.

Guarantees: what comes out is a path for the gate's own root; nothing of the Location is used as it stands.
"""

from __future__ import annotations

from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from park_spool.catalog.suggestions import quoted
from park_spool.errors import DataError
from park_spool.sources.paths import clean
from park_spool.sources.settings import root_path

PORTS = {"http": 80, "https": 443}


def inside(root: str, asked: str, location: str) -> str:
    """Return the path in the source to which a Location leads, seen from the URL `asked`; a folder's ends with '/'.

    Raises DataError, whose words begin with where it leads instead.

    >>> inside("http://x/data/", "http://x/data/a.ort", "b%20c.ort"), inside("http://x/", "http://x/a", "/a/")
    ('/b c.ort', '/a/')
    """
    if not location or any(not "!" <= letter <= "~" or letter == "\\" for letter in location):
        raise DataError(f"to {quoted(location)}, which is no URL")
    try:
        target = urlsplit(urljoin(asked, location))
        is_here = _server(target) == _server(urlsplit(root))
        path = unquote(target.path, errors="strict")
    except ValueError as error:
        raise DataError(f"to {quoted(location)}, which is no URL") from error
    if not is_here:
        raise DataError(f"to {quoted(location)}, which is not the same scheme, host and port")
    if "?" in location or "#" in location:
        raise DataError(f"to {quoted(location)}, which has a '?' or '#'")
    return _below(root_path(root), path, location)


def _server(url: SplitResult) -> tuple[str, str | None, int | None, str | None]:
    user = url.netloc.rpartition("@")[0] or None
    return url.scheme, url.hostname, url.port or PORTS.get(url.scheme), user


def _below(root: str, path: str, location: str) -> str:
    if not path.startswith(f"{root}/"):
        raise DataError(f"to {quoted(location)}, which is not below the root of the source")
    rest = path.removeprefix(root)
    try:
        return rest if rest == "/" else clean(rest.removesuffix("/")) + "/" * rest.endswith("/")
    except DataError as error:
        raise DataError(f"to {quoted(location)}: {error}") from error
