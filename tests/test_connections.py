"""Connections to park-web: open after a 304, closed when asked to be, and large bodies from those alone who are known."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest
import signed_in
from page_site import PageSite
from park_spool.web import connections
from park_spool.web.server import STRANGER_BYTES

from park_spool.accounts.roles import Role


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageSite]:
    with PageSite(tmp_path_factory.mktemp("connections"), "web") as site:
        yield site


@pytest.fixture
def connection(site: PageSite) -> Iterator[http.client.HTTPConnection]:
    made = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    yield made
    made.close()


def test_a_connection_stays_open_after_an_answer_without_a_body(
    site: PageSite, connection: http.client.HTTPConnection
) -> None:
    headers = {"Cookie": "=".join(signed_in.cookie(site.config, site.address, Role.VIEWER)), "X-Park-Look": "1"}
    connection.request("GET", "/parts/overview", headers=headers)
    answer = connection.getresponse()
    answer.read()
    port = connection.sock.getsockname()[1]
    for _ in range(3):
        connection.request("GET", "/parts/overview", headers={**headers, "If-None-Match": answer.headers["ETag"]})
        same = connection.getresponse()
        assert (same.status, same.read()) == (304, b"")
        assert connection.sock is not None and connection.sock.getsockname()[1] == port
    connection.request("GET", "/parts/overview", headers={**headers, "Connection": "close"})
    last = connection.getresponse()
    assert last.status == 200 and last.headers["Connection"] == "close"


@pytest.mark.parametrize("is_chunked", [False, True])
def test_who_is_not_known_sends_little(
    site: PageSite, connection: http.client.HTTPConnection, *, is_chunked: bool
) -> None:
    body = b"x" * (STRANGER_BYTES + 1)
    sent = iter([body[:60_000], body[60_000:]]) if is_chunked else body
    connection.request("POST", "/api/v1/sessions", body=sent, encode_chunked=is_chunked, headers={"Expect": ""})
    assert connection.getresponse().status == 413


def test_who_is_known_sends_much(site: PageSite, connection: http.client.HTTPConnection) -> None:
    headers = {"Cookie": "=".join(signed_in.cookie(site.config, site.address, Role.VIEWER))}
    connection.request("POST", "/api/v1/sessions", body=b"x" * (STRANGER_BYTES + 1), headers=headers)
    assert connection.getresponse().status == 403  # the application's own answer


def test_a_log_in_is_small_enough_for_anybody(site: PageSite, connection: http.client.HTTPConnection) -> None:
    connection.request("POST", "/login", body="name=anna&password=wrong", headers={"Content-Type": FORM})
    assert connection.getresponse().status in (400, 401, 403)


def test_as_many_connections_as_there_may_be_files() -> None:
    assert 100 <= connections.most_connections() <= connections.MOST_CONNECTIONS


def test_many_connections_are_served_together() -> None:
    rests: list[float] = []
    connections.turn({}, rests.append)
    assert rests == []


FORM = "application/x-www-form-urlencoded"
