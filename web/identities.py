"""Whom an answer is for, known without asking the application: the same for those who are shown the same.

Who somebody is is asked of the accounts once, and again when any right may have changed or half a minute has passed, so
that a log-out, or another role, holds for the next request. Two log-ins of one person are shown the same, which two
people never are.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from werkzeug.wrappers import Request

from park_spool.accounts.accounts import Accounts
from park_spool.config import Config
from park_spool.errors import TemporaryError

from .live import Environ
from .proxy import USER
from .who import find

MOST_KEPT = 2000
MOST_SECONDS = 30.0  # the accounts note when a log-in was seen last
ANYBODY, SESSIONS = "whoever may look", "/api/v1/sessions/"
TELLING = ("HTTP_COOKIE", "HTTP_AUTHORIZATION", "HTTP_HOST", "wsgi.url_scheme", USER)


@dataclass(frozen=True, slots=True)
class _Known:
    rights: int
    found: float
    identity: str


class Identities:
    """May be asked by several threads at once."""

    def __init__(self, settings: Config, accounts: Accounts, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._accounts, self._clock = settings, accounts, clock
        self._kept: OrderedDict[tuple[str, ...], _Known] = OrderedDict()
        self._lock = Lock()

    def __call__(self, environ: Environ) -> str | None:
        """Return who asks, in a text; None where that is nobody, or cannot be known now: nothing is kept for them."""
        key = tuple(str(environ.get(name, "")) for name in TELLING)
        # RACE: the rights before who it is: if they change between, the next one asks anew.
        rights, now = self._accounts.stamp(), self._clock()
        with self._lock:
            known = self._kept.get(key)
        if known is None or known.rights != rights or now - known.found > MOST_SECONDS:
            known = _Known(rights, now, self._find(environ))
            self._keep(key, known)
        if known.identity and self._is_for_all(str(environ.get("PATH_INFO", ""))):
            return ANYBODY
        return known.identity or None

    def _is_for_all(self, path: str) -> bool:
        """Say whether the answer is the same for all who may look: what the API tells of sessions, unless private."""
        return path.startswith(SESSIONS) and not self._settings.page_private

    def _find(self, environ: Environ) -> str:
        try:
            one = find(self._settings, self._accounts, Request(environ))
        except TemporaryError:
            return ""
        return f"{one.via} {one.role} {one.name}" if one.role else ""

    def _keep(self, key: tuple[str, ...], known: _Known) -> None:
        with self._lock:
            self._kept[key] = known
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
