"""The first log-in at a page, on one's own machine: one click on a link that is good once, as Jupyter does it."""

from __future__ import annotations

from park_spool.listening import is_loopback_host

from .accounts import Accounts


def link_address(page: str, link: str) -> str:
    """Return the address that redeems a link.

    >>> link_address("http://127.0.0.1:5400/", "x1")
    'http://127.0.0.1:5400/login?link=x1'
    """
    return f"{page.rstrip('/')}/login?link={link}"


def first_address(accounts: Accounts, page: str, host: str, user: str) -> str:
    """Return a page's address; while there is no user, and on loopback, one that makes `user` the first."""
    link = accounts.make_first_link(user) if is_loopback_host(host) else None
    return page if link is None else link_address(page, link)


def advice(accounts: Accounts, host: str) -> str:
    """Say what to do before anybody can log in; empty if somebody can, or will by a link."""
    if is_loopback_host(host) or accounts.users():
        return ""
    return "nobody can log in yet: make a user with `park user add NAME --role administrator`"
