"""Answers that are kept for live pages: each person their own, made once, never older than the stamp, and not for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from park_spool.web import live
from park_spool.web.live import ARCHIVE, MARK, SPOOL, Live
from park_spool.web.pacing import HEADER

Started = tuple[str, dict[str, str]]


class Site:
    """An application that says how often it was asked, its stamps, and the middleware before it."""

    def __init__(self) -> None:
        self.archive, self.spool, self.now = "a", "s", 0.0
        self.asked: list[str] = []
        self.status, self.follows, self.body = "200 OK", SPOOL, b""
        self.meanwhile: Callable[[], object] = lambda: None
        self.live = Live(
            self.application, self.stamps, lambda environ: environ["who"], lambda: self.now, lambda: "1500"
        )

    def stamps(self) -> Any:
        return SimpleNamespace(archive=self.archive, spool=self.spool)

    def application(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        self.asked.append(environ["PATH_INFO"])
        self.meanwhile()
        marks = [(MARK, self.follows)] if self.follows else []
        start(self.status, [("Content-Type", "text/html"), ("Set-Cookie", "park-80=secret"), *marks])
        return [self.body or f"{environ['who']} {len(self.asked)}".encode()]

    def look(
        self, who: str | None = "anna", path: str = "/parts/x", tag: str = "", **more: str
    ) -> tuple[str, str, str]:
        """Return status, body and tag."""
        said: list[Started] = []
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "HTTP_X_PARK_LOOK": "1", "who": who, **more}
        if tag:
            environ["HTTP_IF_NONE_MATCH"] = tag
        body = b"".join(self.live(environ, lambda status, headers: said.append((status, dict(headers)))))
        self.headers = said[0][1]
        return said[0][0][:3], body.decode(), self.headers.get("ETag", "")


@pytest.fixture
def site() -> Site:
    return Site()


def test_an_answer_is_made_once_while_nothing_changes_and_is_not_sent_to_who_has_it(site: Site) -> None:
    status, body, tag = site.look()
    assert (status, body) == ("200", "anna 1")
    assert "Set-Cookie" not in site.headers and MARK not in site.headers and site.headers[HEADER] == "1500"
    assert site.look() == ("200", "anna 1", tag)
    assert site.look(tag=tag) == ("304", "", tag)
    assert site.headers[HEADER] == "1500"
    assert site.look(tag='W/"other"')[0] == "200"
    assert len(site.asked) == 1


def test_what_follows_the_archive_stands_while_the_spool_changes(site: Site) -> None:
    site.follows = ARCHIVE
    site.look()
    site.spool = "t"
    assert site.look()[1] == "anna 1"
    site.archive = "b"
    assert site.look()[1] == "anna 2"
    site.follows = SPOOL
    site.archive, site.spool = "c", "u"
    assert site.look()[1] == "anna 3"
    site.spool = "v"
    assert site.look()[1] == "anna 4"


def test_nobody_gets_what_was_made_for_another(site: Site) -> None:
    tag = site.look("anna")[2]
    assert site.look("wei", tag=tag)[:2] == ("200", "wei 2")
    assert site.look("anna")[1] == "anna 1"
    assert site.look("anna", path="/parts/y")[1] == "anna 3"
    assert site.look("anna", QUERY_STRING="page=2")[1] == "anna 4"
    assert site.look("anna", HTTP_HOST="other")[1] == "anna 5"
    assert site.look("anna", SCRIPT_NAME="/fits")[1] == "anna 6"


def test_for_nobody_nothing_is_kept(site: Site) -> None:
    assert [site.look(None)[1], site.look(None)[1]] == ["None 1", "None 2"]
    assert site.headers["Set-Cookie"] == "park-80=secret"  # the bare answer


@pytest.mark.parametrize("how", [{"REQUEST_METHOD": "POST"}, {"REQUEST_METHOD": "HEAD"}])
def test_what_is_no_look_is_the_applications(site: Site, how: dict[str, str]) -> None:
    site.look()
    assert site.look(**how)[1] == "anna 2"


@pytest.mark.parametrize("status", ["401 Unauthorized", "404 Not Found", "503 Service Unavailable", "303 See Other"])
def test_errors_are_not_kept(site: Site, status: str) -> None:
    site.status = status
    assert [site.look()[0], site.look()[0], len(site.asked)] == [status[:3], status[:3], 2]
    site.status = "200 OK"
    assert site.look()[1] == "anna 3"
    assert site.look()[1] == "anna 3"


def test_what_is_not_marked_or_too_large_is_not_kept(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.follows = ""
    assert [site.look()[1], site.look()[1]] == ["anna 1", "anna 2"]
    site.follows = SPOOL
    monkeypatch.setattr(live, "MOST_BYTES", 3)
    assert [site.look()[1], site.look()[1]] == ["anna 3", "anna 4"]


def test_what_changes_while_an_answer_is_made_is_in_the_next(site: Site) -> None:
    def change() -> None:
        site.spool = "t"

    site.meanwhile = change
    site.look()
    site.meanwhile = lambda: None
    assert site.look()[1] == "anna 2"
    assert site.look()[1] == "anna 2"


def test_an_answer_is_made_anew_after_some_seconds_whatever_the_stamp_says(site: Site) -> None:
    site.look()
    site.now = live.MOST_SECONDS + 0.1
    assert site.look()[1] == "anna 2"


def test_however_many_wait_the_application_is_asked_once(site: Site) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        assert may_end.wait(30)

    site.meanwhile = wait
    bodies: list[str] = []
    threads = [threading.Thread(target=lambda: bodies.append(site.look()[1])) for _ in range(8)]
    threads[0].start()
    assert begun.wait(30)
    for thread in threads[1:]:
        thread.start()
    may_end.set()
    for thread in threads:
        thread.join()
    assert bodies == ["anna 1"] * 8


def test_one_who_waits_does_not_hold_up_what_another_asks(site: Site) -> None:
    def ask_other() -> None:
        site.meanwhile = lambda: None
        assert site.look("wei")[0] == "200"

    site.meanwhile = ask_other
    assert site.look("anna")[0] == "200"


def test_what_is_kept_is_bounded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_KEPT", 10)
    for number in range(40):
        site.look(path=f"/parts/{number}")
    assert len(site.live._kept) == 10 and len(site.live._making) <= 11
    site.look(path="/parts/39")
    assert len(site.asked) == 40
    monkeypatch.setattr(live, "MOST_BYTES_KEPT", 5000)
    site.body = b"x" * 1000
    for number in range(20):
        site.look(path=f"/large/{number}")
    assert site.live._bytes <= 5000
    assert site.live._bytes == sum(len(kept.body) for kept in site.live._kept.values())
    site.spool = "t"
    site.look(path="/large/19")
    assert site.live._bytes == sum(len(kept.body) for kept in site.live._kept.values())


def test_an_application_that_fails_leaves_nothing_behind(site: Site) -> None:
    def fail() -> None:
        raise RuntimeError("no")

    site.meanwhile = fail
    with pytest.raises(RuntimeError):
        site.look()
    site.meanwhile = lambda: None
    assert site.look()[1] == "anna 2"
