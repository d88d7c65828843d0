"""What the page works out once for many: stamps, data centres, pictures, whom an answer is for, and how long pages rest."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from park_spool.web import centres as web_centres
from park_spool.web import stamping
from park_spool.web.centres import Centres
from park_spool.web.drawn import Drawn
from park_spool.web.identities import MOST_SECONDS, Identities
from park_spool.web.pacing import LEAST, MOST, Pace
from park_spool.web.worked import MOST_KEPT, Worked
from world import Clock

from park_spool import config
from park_spool.accounts.accounts import Accounts
from park_spool.accounts.roles import Role
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.delivering.saving import Saved
from park_spool.errors import TemporaryError


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path: Path) -> Config:
    config.make_spool(tmp_path / "spool")
    return config.load(tmp_path / "spool")


@pytest.fixture
def accounts(settings: Config) -> Iterator[Accounts]:
    with Accounts.open(settings.page_accounts) as accounts:
        accounts.add_user("anna", Role.SUBMITTER)
        accounts.add_user("wei", Role.VIEWER)
        yield accounts


def test_the_archive_is_followed_at_once_the_spool_each_second_or_after_a_change(
    settings: Config, clock: Clock
) -> None:
    stamp = stamping.Stamp(settings, Disk(settings.layout.tmp, "web"), clock)
    first = stamp()
    (settings.layout.inbox / "film.xml").touch()
    clock.now += stamping.HOLD
    assert stamp() == first
    clock.now += stamping.SPOOL_HOLD
    second = stamp()
    assert second.spool != first.spool and second.archive == first.archive
    (settings.layout.inbox / "other.xml").touch()
    stamp.forget()
    third = stamp()
    assert third.spool != second.spool
    settings.archive.parent.mkdir(exist_ok=True)
    settings.archive.write_bytes(b"x")
    assert stamp() == third
    clock.now += stamping.HOLD
    assert stamp().archive != second.archive


def test_a_page_that_is_opened_is_told_what_is_now(settings: Config, clock: Clock) -> None:
    stamp = stamping.Stamp(settings, Disk(settings.layout.tmp, "web"), clock)
    first = stamp()
    (settings.layout.inbox / "film.xml").touch()
    assert stamp() == first
    opened = stamp.now()
    assert opened.spool != first.spool and stamp() == opened


def test_data_centres_are_asked_every_few_seconds_by_one_alone(
    settings: Config, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    def centre(_: Config) -> Any:
        asked.append(clock.now)
        if len(asked) == 2:  # while this one asks, another comes, and need not wait
            thread = threading.Thread(target=lambda: seen.append(found.look()))
            thread.start()
            thread.join()
        if len(asked) == 3:
            raise TemporaryError("not now")
        return SimpleNamespace(number=len(asked))

    monkeypatch.setattr(web_centres, "centre", centre)
    seen: list[Any] = []
    found = Centres(settings, clock)
    assert [found.look().number, found.look().number] == [1, 1]
    clock.now += web_centres.HOLD
    assert found.look().number == 2
    assert [one.number for one in seen] == [1]
    clock.now += web_centres.HOLD
    with pytest.raises(TemporaryError):
        found.look()
    assert found.look().number == 4  # who failed holds nobody up


def test_a_picture_is_drawn_once_and_the_oldest_goes() -> None:
    drawn: Drawn[Saved] = Drawn(most_bytes=250)
    made: list[str] = []

    def make(name: str) -> Saved:
        made.append(name)
        return Saved(name, "image/png", b"x" * 100)

    for name in ("a", "b", "a", "c", "a", "b"):
        assert drawn.get(name, lambda name=name: make(name)).name == name
    assert made == ["a", "b", "c", "b"]
    assert drawn.get("large", lambda: Saved("large", "image/png", b"x" * 999)).name == "large"
    with pytest.raises(ZeroDivisionError):
        drawn.get("bad", lambda: 1 / 0)  # type: ignore[arg-type,return-value]
    assert drawn.get("a", lambda: make("a")).name == "a"


def test_log_ins_of_one_person_are_shown_the_same_until_a_right_changes(
    settings: Config, accounts: Accounts, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    identities = Identities(settings, accounts, clock)
    first, second, other = (accounts.begin_login(name) for name in ("anna", "anna", "wei"))

    def of(secret: str, host: str = "127.0.0.1:5400") -> str | None:
        return identities({"HTTP_COOKIE": f"park-5400={secret}", "HTTP_HOST": host, "wsgi.url_scheme": "http"})

    assert of(first) == of(second) is not None and of(other) not in (None, of(first))
    assert of("wrong") is None and of(first, "127.0.0.1:5401") is None
    token, _ = accounts.make_token("anna", "script")
    of_token = identities({"HTTP_AUTHORIZATION": f"Bearer {token}", "wsgi.url_scheme": "http"})
    assert of_token not in (None, of(first))
    with monkeypatch.context() as patched:
        patched.setattr(accounts, "login_of", lambda _: pytest.fail("asked again"))
        assert of(first) is not None
    accounts.end_login(first)
    assert of(first) is None and of(second) is not None
    before = of(second)
    accounts.set_role("anna", Role.ADMINISTRATOR)
    assert of(second) not in (None, before)
    clock.now += MOST_SECONDS + 1

    def fail(_: str) -> None:
        raise TemporaryError("the users cannot be reached now")

    monkeypatch.setattr(accounts, "login_of", fail)
    assert of(second) is None


def test_charts_rest_longer_while_much_is_spent_and_come_back() -> None:
    clock, used = Clock(), Clock()
    pace = Pace(clock, used)

    def second(share: float) -> float:
        clock.now += 1.0
        used.now += share
        return float(pace()) / 1000

    assert second(0.01) == LEAST
    rests = [second(0.5) for _ in range(20)]
    assert rests == sorted(rests) and rests[-1] == MOST and LEAST < rests[0] < MOST
    clock.now += 0.5
    assert float(pace()) / 1000 == MOST  # not looked at yet
    assert [second(0.01) for _ in range(60)][-1] == LEAST


def test_what_is_worked_out_for_one_look_serves_others_until_its_stamp_changes() -> None:
    kept, made = Worked(), []

    def make() -> int:
        made.append(1)
        return len(made)

    assert [kept.get("a", "1", make), kept.get("a", "1", make), kept.get("b", "1", make)] == [1, 1, 2]
    assert [kept.get("a", "2", make), kept.get("a", "1", make)] == [3, 4]
    for number in range(MOST_KEPT + 1):
        kept.get(number, "1", make)
    assert kept.get("b", "1", make) == len(made)


def test_what_cannot_be_worked_out_is_tried_again_by_the_next() -> None:
    kept = Worked()

    def fail() -> int:
        raise ValueError

    with pytest.raises(ValueError):
        kept.get("a", "1", fail)
    assert kept.get("a", "1", lambda: 7) == 7
