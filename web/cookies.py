"""The cookie of a log-in: it holds a secret that means something to the server alone, and no script can read it."""

from __future__ import annotations

import re

from werkzeug.wrappers import Request, Response

from park_spool.accounts.logins import LOGIN_SECONDS


def name_of(request: Request) -> str:
    """Return the cookie's name: browsers keep cookies by host alone, so two pages on one host differ by their port.

    With `__Host-` a browser takes it by https alone, from this very host, and lets no other host set it.
    """
    named = re.search(r":(\d{1,5})$", request.host)
    port = named[1] if named else "443" if request.is_secure else "80"
    return f"__Host-park-{port}" if request.is_secure else f"park-{port}"


def given(request: Request) -> str:
    """Return the secret that a request brings along, empty for none."""
    return request.cookies.get(name_of(request), "")


def give(response: Response, request: Request, secret: str) -> None:
    response.set_cookie(
        name_of(request),
        secret,
        max_age=int(LOGIN_SECONDS),
        path="/",
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )


def take_back(response: Response, request: Request) -> None:
    response.delete_cookie(name_of(request), path="/", secure=request.is_secure, httponly=True, samesite="Lax")
