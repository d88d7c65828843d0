"""What is asked of a session by the page is done in the name of who asks, or refused in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from submitting import ME, Desk, at
from test_submit_page import ALONE, HTMX, seen
from world import World

from park_spool import controls, senders, submit
from park_spool.accounts.roles import Role
from park_spool.atomic import Disk
from park_spool.config import load
from park_spool.desk import owner
from park_spool.looking.choices import Choices
from park_spool.looking.standing import Look
from park_spool.showing.coming import coming, rejected
from park_spool.showing.session import session
from park_spool.tending.admission import Admission

OTHER = "20261123-025532-k3j9"
CONTROL_VERBS = ("cancel", "pause", "resume", "priority", "delete")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def page(world: World) -> Desk:
    return at(world.root)


@pytest.fixture
def sid(world: World) -> str:
    return world.admit(4, 2)


def said(world: World, sid: str) -> list[tuple[str, str]]:
    """Return what was said of a session, and by whom."""
    folder = world.layout.session(sid)
    found = [path for path in folder.iterdir() if path.name.startswith("control.")]
    return sorted((path.name.split(".", 3)[3], json.loads(path.read_bytes())["by"]) for path in found)


@pytest.mark.parametrize(
    ("verb", "data", "kept"),
    [
        ("cancel", {}, "cancel"),
        ("pause", {}, "pause"),
        ("priority", {"priority": "-5"}, "priority.-5"),
        ("reduce", {}, "reduce"),
        ("reduce", {"group": "1"}, "reduce.1"),
        ("delete", {}, "delete"),
    ],
)
def test_a_wish_is_said_in_the_name_of_who_asks(
    page: Desk, world: World, sid: str, verb: str, data: dict[str, str], kept: str
) -> None:
    answer = page.post(f"/sessions/{sid}/{verb}", data)
    assert answer.status_code == 303
    assert answer.location == ("/" if verb == "delete" else f"/sessions/{sid}")
    assert said(world, sid) == [(kept, ME)]


def test_htmx_gets_the_sentence_and_looks_again(page: Desk, sid: str) -> None:
    answer = page.post(f"/sessions/{sid}/pause", **HTMX)
    assert (answer.status_code, answer.headers["HX-Trigger"]) == (200, "park:now")
    assert "is paused: nothing more of it is started" in answer.text
    assert "<html" not in answer.text
    again = page.post(f"/sessions/{sid}/resume", **HTMX)
    assert "goes on" in again.text


def test_a_wish_that_is_too_late_says_so(page: Desk, world: World, sid: str) -> None:
    page.post(f"/sessions/{sid}/cancel")
    for headers in ({}, HTMX):
        answer = page.post(f"/sessions/{sid}/pause", **headers)
        assert answer.status_code == 409
        assert "was cancelled, which cannot be undone" in answer.text
        assert "role=&#34;alert" in answer.text or 'role="alert"' in answer.text
    retried = page.post(f"/sessions/{sid}/retry")
    assert retried.status_code == 409
    assert said(world, sid) == [("cancel", ME)]


@pytest.mark.parametrize("text", ["", "high", "101", "-101", "1e3", "<b>"])
def test_a_priority_that_is_none_is_refused(page: Desk, world: World, sid: str, text: str) -> None:
    answer = page.post(f"/sessions/{sid}/priority", {"priority": text})
    assert answer.status_code == 400
    assert said(world, sid) == []
    assert "<b>" not in answer.text


@pytest.mark.parametrize("verb", ["retry", "reduce", "resubmit", *CONTROL_VERBS])
def test_a_session_that_is_not_there(page: Desk, verb: str) -> None:
    assert page.post(f"/sessions/{OTHER}/{verb}").status_code == 404
    assert page.post(f"/sessions/2026/{verb}").status_code == 404


@pytest.mark.parametrize("verb", ["retry", "reduce", "resubmit", *CONTROL_VERBS])
def test_nobody_changes_what_is_another_users(page: Desk, world: World, sid: str, verb: str) -> None:
    page.log_in("anna", Role.SUBMITTER)
    assert page.post(f"/sessions/{sid}/{verb}", {"priority": "1"}).status_code == 403
    assert said(world, sid) == []
    assert not any(world.layout.inbox.iterdir())
    page.log_in("viewer", Role.VIEWER)
    assert page.post(f"/sessions/{sid}/{verb}").status_code == 403


def test_a_submitter_changes_what_the_page_sent_for_them(page: Desk, world: World) -> None:
    page.log_in("anna", Role.SUBMITTER)
    sid = page.sent(page.post("/submit", {"xml": ALONE}))
    assert page.user(sid) == "anna"
    assert owner(Look(page.settings), sid) == "anna"
    admission = Admission(world.member())
    for _ in range(10):
        admission.step()
        world.clock.now += 1.0
    assert page.owner(sid) == "anna"
    assert page.post(f"/sessions/{sid}/pause").status_code == 303
    assert said(world, sid) == [("pause", "anna")]
    page.log_in("paul", Role.SUBMITTER)
    assert page.post(f"/sessions/{sid}/cancel").status_code == 403


def test_what_lies_in_the_inbox_is_taken_out_again_by_its_user_alone(page: Desk) -> None:
    page.log_in("anna", Role.SUBMITTER)
    sid = page.sent(page.post("/submit", {"xml": ALONE}))
    page.log_in("paul", Role.SUBMITTER)
    assert page.post(f"/sessions/{sid}/cancel").status_code == 403
    page.log_in("anna", Role.SUBMITTER)
    assert page.post(f"/sessions/{sid}/pause").status_code == 503
    answer = page.post(f"/sessions/{sid}/cancel", **HTMX)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (200, "/")
    assert page.inbox() == {}
    reason = next(page.settings.layout.rejected.glob("*.why")).read_text()
    assert "withdrawn by anna" in reason


def test_a_session_is_sent_once_more_for_who_asks(page: Desk, world: World, sid: str) -> None:
    page.log_in("anna", Role.ADMINISTRATOR)
    fresh = page.sent(page.post(f"/sessions/{sid}/resubmit", {"changes": "x = 7"}))
    assert fresh != sid
    assert page.user(fresh) == "anna"
    assert 'x="7"' in (page.submission(fresh) / "session.xml").read_text()
    assert page.post(f"/sessions/{sid}/resubmit", {"changes": "nonsense"}).status_code == 400
    assert page.post(f"/sessions/{sid}/resubmit", {"from": "best"}).status_code in (404, 409)
    assert len(page.inbox()) == 1


def test_the_buttons_suit_the_session_and_who_looks(page: Desk, world: World, sid: str) -> None:
    html = seen(page.client.get(f"/parts/sessions/{sid}/head").text)
    for verb in ("pause", "reduce", "priority"):
        assert f'action="/sessions/{sid}/{verb}"' in html
    assert f'action="/sessions/{sid}/resume"' not in html
    assert f'href="/sessions/{sid}/confirm/delete"' in html
    page.log_in("anna", Role.SUBMITTER)
    assert "<form" not in page.client.get(f"/parts/sessions/{sid}/head").text


def test_what_can_be_asked_follows_what_was_said(world: World, sid: str) -> None:
    settings, member = load(world.root), world.member()
    folder = world.layout.session(sid)
    at_first = session(settings, None, sid).may
    assert (at_first.pause, at_first.resume, at_first.cancel, at_first.priority) == (True, False, True, 0)
    controls.say(member, folder, "pause", "wei")
    assert (session(settings, None, sid).may.pause, session(settings, None, sid).may.resume) == (False, True)
    controls.say(member, folder, "cancel", "wei")
    later = session(settings, None, sid).may
    assert (later.cancel, later.pause, later.resume, later.priority, later.delete) == (False, False, False, None, True)
    controls.say(member, folder, "delete", "wei")
    assert session(settings, None, sid).may == Choices()
    assert owner(Look(settings), sid) == world.root.owner()


def test_what_is_being_admitted_has_its_user(world: World, tmp_path: Path) -> None:
    (tmp_path / "film.xml").write_text(ALONE)
    sid = submit.send(world.member(), submit.read(tmp_path / "film.xml"), "anna")
    begun = world.layout.admitting(sid)
    begun.mkdir()
    next(world.layout.inbox.iterdir()).rename(begun / "files")
    assert owner(Look(load(world.root)), sid) == "anna"
    settings = load(world.root)
    assert [one.user for one in coming(settings, Disk(settings.layout.tmp, "test"), lambda sids: set())] == ["anna"]
    (begun / "files" / senders.MARKER).rename(begun / senders.TAKEN)
    assert owner(Look(load(world.root)), sid) == "anna"
    (begun / senders.TAKEN).unlink()
    (begun / "received.json").write_text('{"owner": "paul"}')
    assert owner(Look(load(world.root)), sid) == "paul"


def test_what_waits_and_what_was_rejected_is_shown_to_its_user(page: Desk, world: World) -> None:
    page.log_in("anna", Role.SUBMITTER)
    page.sent(page.post("/submit", {"xml": ALONE}))
    disk = Disk(page.settings.layout.tmp, "test")
    assert len(coming(page.settings, disk, lambda sids: set(), "anna")) == 1
    assert coming(page.settings, disk, lambda sids: set(), "paul") == ()
    next(iter(page.inbox().values())).joinpath("session.xml").write_text("<session/>")
    admission = Admission(world.member())
    for _ in range(10):
        admission.step()
        world.clock.now += 1.0
    assert [one.user for one in rejected(page.settings, disk, "anna")] == ["anna"]
    assert rejected(page.settings, disk, "paul") == ()


@pytest.mark.parametrize("verb", ["cancel", "delete", "resubmit"])
def test_without_a_script_a_page_asks(page: Desk, sid: str, verb: str) -> None:
    html = seen(page.client.get(f"/sessions/{sid}/confirm/{verb}").text)
    assert f'action="/sessions/{sid}/{verb}"' in html
    assert 'name="csrf"' in html


def test_looking_changes_nothing(page: Desk, world: World, sid: str) -> None:
    for verb in ("retry", "reduce", "resubmit", *CONTROL_VERBS):
        assert page.client.get(f"/sessions/{sid}/{verb}").status_code in (404, 405)
    assert said(world, sid) == []
