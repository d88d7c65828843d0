"""Answers are sent small to those who take it, say the same, and keep their tags; secrets do not show in their length."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
import signed_in
from flask import Flask
from park_spool.web import packing
from park_spool.web.app import create_app, lively
from werkzeug.test import Client, TestResponse

from park_spool import config
from park_spool.accounts.accounts import Accounts


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    config.make_spool(tmp_path / "spool")
    settings = config.load(tmp_path / "spool")
    with Accounts.open(settings.page_accounts) as accounts:
        yield lively(create_app(settings, accounts))


@pytest.fixture
def cookie(app: Flask) -> str:
    return f"park-80={signed_in.cookie_secret(app.extensions['accounts'])}"


def get(app: Flask, path: str, **headers: str) -> TestResponse:
    given = {name.replace("_", "-"): text for name, text in headers.items()}
    with Client(app, use_cookies=False).get(path, headers=given, buffered=True) as answer:
        return answer


def test_static_text_is_compressed_and_not_sent_again(app: Flask) -> None:
    plain, packed = get(app, "/static/park.css"), get(app, "/static/park.css", Accept_Encoding="gzip")
    assert "Content-Encoding" not in plain.headers and packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data and len(packed.data) < len(plain.data) / 2
    assert int(packed.headers["Content-Length"]) == len(packed.data)
    assert packed.headers["ETag"] == f"W/{plain.headers['ETag']}" and "Accept-Encoding" in packed.headers["Vary"]
    assert packed.headers["Cache-Control"] == "no-cache"
    for tag in (packed.headers["ETag"], plain.headers["ETag"]):
        assert get(app, "/static/park.css", Accept_Encoding="gzip", If_None_Match=tag).status_code == 304


@pytest.mark.parametrize("path", ["/static/park.svg", "/health", "/static/none.js"])
def test_what_is_small_or_no_answer_is_sent_as_it_is(app: Flask, path: str) -> None:
    assert "Content-Encoding" not in get(app, path, Accept_Encoding="gzip").headers


def test_a_page_with_a_secret_is_of_a_random_length_and_says_the_same(app: Flask, cookie: str) -> None:
    answers = [get(app, "/help", Accept_Encoding="gzip", Cookie=cookie) for _ in range(20)]
    assert len({gzip.decompress(answer.data) for answer in answers}) == 1
    assert len({len(answer.data) for answer in answers}) > 1


def test_what_is_looked_at_has_no_secret_and_the_same_tag_compressed_or_not(
    app: Flask, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "LEAST", 1)
    look = {"X_Park_Look": "1", "Cookie": cookie}
    plain = get(app, "/parts/overview", **look)
    packed = get(app, "/parts/overview", Accept_Encoding="gzip", **look)
    assert gzip.decompress(packed.data) == plain.data and packed.headers["ETag"] == plain.headers["ETag"]
    login = app.extensions["accounts"].login_of(cookie.partition("=")[2])
    assert login.csrf in get(app, "/", Cookie=cookie).text and login.csrf not in plain.text
    same = get(app, "/parts/overview", Accept_Encoding="gzip", If_None_Match=packed.headers["ETag"], **look)
    assert (same.status_code, same.data) == (304, b"")


def test_all_modules_of_the_charts_are_loaded_at_once(app: Flask) -> None:
    named = app.jinja_env.globals["chart_modules"]
    folder = Path(app.static_folder or "")
    assert {folder / name for name in named} == set((folder / "charts").glob("*.js")) != set()
