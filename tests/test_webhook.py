"""Webhooks, posted to a real HTTP server on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from listening import Hook, hook

from park_spool.delivering.webhook import SIGNATURE, post, signature
from park_spool.errors import PermanentError, TemporaryError

EVENT = {"event": "done", "sid": "20261123-025532-k3j9", "name": "film in D₂O"}


@pytest.fixture
def site() -> Iterator[Hook]:
    with hook() as server:
        yield server


def test_an_event_is_posted_and_signed(site: Hook) -> None:
    post(f"{site.address}/200", EVENT, "secret")
    [(_, headers, data)] = site.came
    assert json.loads(data) == EVENT and headers["Content-Type"] == "application/json"
    assert headers[SIGNATURE] == signature("secret", data)


def test_without_a_secret_there_is_no_signature(site: Hook) -> None:
    post(f"{site.address}/204", EVENT)
    assert SIGNATURE not in site.came[0][1]


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_what_may_pass_is_tried_again(site: Hook, status: int) -> None:
    with pytest.raises(TemporaryError, match=f"answered {status}.*; it is tried again"):
        post(f"{site.address}/{status}", EVENT)


@pytest.mark.parametrize("status", [400, 404, 302, 307])
def test_what_will_not_pass_is_not_and_no_redirect_is_followed(site: Hook, status: int) -> None:
    with pytest.raises(PermanentError, match=f"answered {status}"):
        post(f"{site.address}/{status}", EVENT)
    assert [path for path, *_ in site.came] == [f"/{status}"]


def test_nobody_at_home_is_tried_again() -> None:
    with pytest.raises(TemporaryError, match="cannot be reached"):
        post("http://127.0.0.1:9/", EVENT)
