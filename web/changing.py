"""Nothing is changed for a browser that another web site has sent: the gate before every request that may change.

A request must come from our own pages, as far as the browser says where it comes from (Sec-Fetch-Site, Origin); and
where the browser logs in by itself (cookie, proxy), it must bring along what only our own forms know.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import request
from werkzeug.exceptions import Forbidden

from park_spool.accounts.secret import is_same

from .who import LOGIN, who

SAFE = ("GET", "HEAD", "OPTIONS")
FIELD, HEADER = "csrf", "X-CSRF-Token"


def guard() -> None:
    """Refuse a change that did not come from a form of ours. Raises Forbidden."""
    if request.method in SAFE:
        return
    if not is_own_site():
        raise Forbidden("this was sent by another web site, and nothing was changed")
    if request.blueprint == LOGIN or who().via not in ("login", "proxy"):
        return
    if not is_same(request.headers.get(HEADER) or request.form.get(FIELD, ""), who().csrf):
        raise Forbidden("this form is of an earlier log-in, and nothing was changed: load the page again")


def is_own_site() -> bool:
    """Say whether a request comes from a page of ours, or not from a browser at all."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host
