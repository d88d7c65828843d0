"""Telling a site's own address of an event: one POST of JSON, signed if the site has a secret for it."""

from __future__ import annotations

import hashlib
import hmac
import json
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import Any

import park_spool
from park_spool.errors import PermanentError, TemporaryError

TIMEOUT = 15.0
SIGNATURE = "X-Park-Signature"
_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other: what was said to one address is for nobody else."""

    def redirect_request(self, *_: Any) -> None:
        return None


def post(address: str, value: dict[str, Any], secret: str = "") -> None:
    """Send one event.

    Raises TemporaryError if another try can help, PermanentError if the address does not take it.
    """
    data = json.dumps(value, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "User-Agent": f"park-spool/{park_spool.__version__}"}
    if secret:
        headers[SIGNATURE] = signature(secret, data)
    request = urllib.request.Request(address, data, headers, method="POST")
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT):
            return
    except urllib.error.HTTPError as error:
        error.close()
        words = f"the webhook {address} answered {error.code} {error.reason}"
        if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR or error.code in _PASSING:
            raise TemporaryError(f"{words}; it is tried again") from error
        raise PermanentError(words) from error
    except OSError as error:  # URLError is one
        raise TemporaryError(f"the webhook {address} cannot be reached: {error}; it is tried again") from error


def signature(secret: str, data: bytes) -> str:
    """Sign what is sent, so that who gets it knows that it comes from this site.

    >>> signature("secret", b"{}")[:23]
    'sha256=77325902caca812d'
    """
    return f"sha256={hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()}"
