"""The port of a daemon that answers requests: taken in one place, and refused in one sentence."""

from __future__ import annotations

import socket
from ipaddress import ip_address

from park_spool.errors import ConfigError, TemporaryError


def listen(host: str, port: int, what: str = "the page") -> socket.socket:
    """Take the port. Raises TemporaryError if another program has it, ConfigError if the address is not ours."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except OSError as error:
        raise ConfigError(f"{what} cannot listen on {host}: {error.strerror}") from error
    try:
        listening.bind(place)
        listening.listen()
    except OSError as error:
        listening.close()
        raise _taken(error, host, port) from error
    return listening


def _taken(error: OSError, host: str, port: int) -> TemporaryError:
    return TemporaryError(
        f"port {port} of {host} cannot be taken: {error.strerror}; give another one with --port, or 0 for any free one"
    )


def is_loopback(listening: socket.socket) -> bool:
    return _is_loopback(listening.getsockname()[0])


def is_loopback_host(host: str) -> bool:
    """Say whether only this machine reaches what listens on a host, by name or address."""
    try:
        return _is_loopback(str(socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0][4][0]))
    except OSError:
        return False


def _is_loopback(address: str) -> bool:
    return ip_address(address.partition("%")[0]).is_loopback


def address(listening: socket.socket) -> str:
    """Return the URL under which a socket is asked."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
