"""Somebody who is logged in at the page, with a role: as Flask's test client, and as the cookie of a browser or a program."""

from __future__ import annotations

import urllib.request
from collections.abc import Sequence
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from park_spool.web.app import LOOPBACK_HOSTS, create_app

from park_spool.accounts.accounts import Accounts
from park_spool.accounts.roles import Role
from park_spool.config import Config

PASSWORD = "a long enough one"


def client(
    settings: Config,
    role: Role = Role.ADMINISTRATOR,
    name: str = "",
    hosts: Sequence[str] | None = LOOPBACK_HOSTS,
) -> FlaskClient:
    """Return a client of a new application that is logged in; what it posts is taken for the page's own forms."""
    accounts = Accounts.open(settings.page_accounts)
    found = create_app(settings, accounts, hosts=hosts).test_client()
    if role is not Role.NOBODY:
        log_in(found, accounts, role, name)
    return found


def log_in(client: FlaskClient, accounts: Accounts, role: Role, name: str = "") -> None:
    """Log a client in that may be another's by now."""
    secret = cookie_secret(accounts, role, name)
    client.set_cookie("park-80", secret)
    login = accounts.login_of(secret)
    assert login is not None
    client.environ_base["HTTP_X_CSRF_TOKEN"] = login.csrf


def cookie_secret(accounts: Accounts, role: Role = Role.ADMINISTRATOR, name: str = "") -> str:
    """Return the cookie's secret of somebody with this role, who is made if they are not there."""
    name = name or str(role)
    if accounts.user(name) is None:
        accounts.add_user(name, role)
    return accounts.begin_login(name, "127.0.0.1")


def cookie(settings: Config, page: str, role: Role = Role.ADMINISTRATOR, name: str = "") -> tuple[str, str]:
    """Return name and value of the cookie with which a browser is logged in at a page of a running park-web, by http."""
    with Accounts.open(settings.page_accounts) as accounts:
        return f"park-{urlsplit(page).port or 80}", cookie_secret(accounts, role, name)


def asking(settings: Config, page: str, role: Role = Role.ADMINISTRATOR, name: str = "") -> urllib.request.Request:
    """Return a request of a page by somebody who is logged in."""
    return urllib.request.Request(page, headers={"Cookie": "=".join(cookie(settings, page, role, name))})
