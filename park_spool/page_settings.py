"""The settings of the page: what they may be."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from park_spool.accounts.roles import WORDS
from park_spool.errors import ConfigError

PROXY_ROLES = ("nobody", *WORDS)
_HEADER = re.compile(r"[A-Za-z0-9-]+")
_NAME = re.compile(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]")


def check(
    is_open: bool, is_private: bool, proxies: Iterable[str], header: str, role: str, names: Iterable[str]
) -> None:
    """Raise ConfigError for what cannot be meant."""
    if is_open and is_private:
        raise ConfigError("page_private: expected false where page_open is true: who is not logged in has no sessions")
    for proxy in proxies:
        try:
            ip_network(proxy)
        except ValueError as error:
            raise ConfigError(f"page_proxy: expected addresses or networks of them, got {proxy!r}") from error
    if not _HEADER.fullmatch(header):
        raise ConfigError(f"page_proxy_header: expected the name of a header, got {header!r}")
    if role not in PROXY_ROLES:
        raise ConfigError(f"page_proxy_role: expected {', '.join(PROXY_ROLES)}, got {role!r}")
    for name in names:
        if not _NAME.fullmatch(name):
            raise ConfigError(f"page_names: expected names of hosts without a port, got {name!r}")


def is_among(address: str, networks: Iterable[str]) -> bool:
    """Say whether an address is one of these, or in one of these networks.

    >>> is_among("10.0.0.7", ["10.0.0.0/24"]), is_among("::ffff:10.0.0.7", ["10.0.0.7"]), is_among("", ["10.0.0.7"])
    (True, True, False)
    """
    try:
        asked = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    asked = getattr(asked, "ipv4_mapped", None) or asked  # how a socket for both families sees an IPv4 address
    return any(asked in ip_network(network) for network in networks)
