"""The names in a folder, read from the page that nginx or Apache makes of it.

Guarantees: only links that are one plain name count, with a '/' behind it for a folder; whatever else a page
has (sorting links, the way up, other sites) is skipped.
"""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import unquote

from park_spool.errors import DataError
from park_spool.sources.paths import is_clean_name


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, bool] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        entry = _entry(dict(attrs).get("href") or "") if tag == "a" else None
        if entry is not None:
            self.found[entry[0]] = entry[1]


def entries(page: str) -> list[tuple[str, bool]]:
    """Return (name, whether it is a folder) of each entry. Raises DataError if it is no HTML at all.

    >>> entries('<a href="../">../</a><a href="?C=N;O=D">Name</a><a href="run%207/">run 7/</a><a href="a.ort">a</a>')
    [('run 7', True), ('a.ort', False)]
    """
    links = _Links()
    try:
        links.feed(page)
        links.close()
    except AssertionError as error:  # html.parser's own, for what it does not know behind '<!['
        raise DataError(f"the list of the folder is no HTML: {error}") from error
    return list(links.found.items())


def _entry(href: str) -> tuple[str, bool] | None:
    """Return what a link names.

    >>> _entry("./12:30.ort"), _entry("a:b"), _entry("http://x/y"), _entry("/etc/"), _entry("..%2fx")
    (('12:30.ort', False), None, None, None, None)
    """
    bare = href.removeprefix("./")
    if bare == href and ":" in href:
        return None  # a scheme
    if "?" in bare or "#" in bare:
        return None
    try:
        name = unquote(bare.removesuffix("/"), errors="strict")
    except UnicodeDecodeError:
        return None
    return (name, bare.endswith("/")) if is_clean_name(name) else None
