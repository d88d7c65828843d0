"""What a reverse proxy says of a request, believed only where the proxy is one of the site's.

From an address of `page_proxy` the page takes who somebody is, the address they have, the name they asked for and
whether by https. From any other address all of that is ignored.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from werkzeug.middleware.proxy_fix import ProxyFix

from park_spool.config import Config
from park_spool.page_settings import is_among

from .live import Application, Environ

USER = "park.proxy_user"  # no header can have this name


def header_key(header: str) -> str:
    """Return under which name WSGI has a header.

    >>> header_key("X-Remote-User")
    'HTTP_X_REMOTE_USER'
    """
    return f"HTTP_{header.upper().replace('-', '_')}"


class Proxied:
    """The middleware: what the application sees is what the trusted proxy says, or the bare request."""

    def __init__(self, application: Application, settings: Config) -> None:
        self.application = application
        self._fixed = ProxyFix(application, x_for=1, x_proto=1, x_host=1)
        self._proxies, self._key = settings.page_proxy, header_key(settings.page_proxy_header)

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        if not is_among(str(environ.get("REMOTE_ADDR", "")), self._proxies):
            return self.application(environ, start_response)
        name = environ.get("REMOTE_USER") or environ.get(self._key) or ""
        # WSGI has headers as bytes in the guise of Latin-1; proxies send names in UTF-8.
        environ[USER] = str(name).encode("latin-1", "replace").decode("utf-8", "replace").strip()
        return self._fixed(environ, start_response)
