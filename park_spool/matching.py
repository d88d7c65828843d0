"""Which files of a source match a pattern: asked of the data centres in their order, else of the source itself.

It waits for whoever answers, up to their time-outs: for who may wait, so for threads of a daemon (tending/listings.py).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from park_spool.catalog.suggestions import quoted
from park_spool.config import Config
from park_spool.errors import DataError, TemporaryError
from park_spool.sources.paths import split


def ask(settings: Config, href: str, user: str, environment: Mapping[str, str] = os.environ) -> Sequence[str]:
    """Return the paths in a source that match a pattern SOURCE:/PATH, for a user.

    Raises DataError, or another PermanentError where the site is not let in; TemporaryError where another try can help.
    """
    name, pattern = split(href) or ("", "")
    if settings.datacenter:
        try:
            return _centre(settings, name, pattern, user)
        except TemporaryError:
            if not settings.direct_fallback:
                raise
    return _source(settings, name, pattern, environment)


# Imported late: most sessions name no source, and spoold needs no HTTP for them.
def _centre(settings: Config, name: str, pattern: str, user: str) -> Sequence[str]:
    from park_spool.data_centre import DataCentre

    if not settings.secret.exists():
        raise TemporaryError(f"{settings.secret} is not there: the data centre makes it when it starts first")
    return DataCentre(settings, user).names(name, pattern)


def _source(settings: Config, name: str, pattern: str, environment: Mapping[str, str]) -> Sequence[str]:
    from park_spool.sources.opening import open_source

    found = next((source for source in settings.sources if source.name == name), None)
    if found is None:
        raise DataError(f"{quoted(name)} is no source of this site")
    return open_source(found, environment).names(pattern)
