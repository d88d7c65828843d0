"""What users ask of sessions that were sent: each wish where the session is, whatever it does meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from world import World

from park_spool import control_requests, controls, naming, retries
from park_spool.atomic import Disk
from park_spool.check import check
from park_spool.control_requests import Answer, ask, ask_again
from park_spool.errors import NotFound, PermanentError, TemporaryError
from park_spool.member import Member

SID = "20261123-025532-k3j9"
JOBS = {(1, 1): [(2, 4)]}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def me(world: World) -> Member:
    return world.member()


def request(me: Member, sid: str, verb: str, argument: int | None = None) -> Answer:
    return ask(me, sid, verb, "wwchen", argument, pause=lambda seconds: None)


def said(world: World, sid: str) -> list[str]:
    """The verbs that were said, in order, wherever the session is."""
    folders = (world.layout.session(sid), world.layout.closed_session(sid))
    found = [control for folder in folders for control in map(controls.parse_control, Disk(folder, "t").names(folder))]
    return [control.verb for control in sorted(control for control in found if control is not None)]


def close(world: World, sid: str) -> None:
    world.layout.session(sid).rename(world.layout.closed_session(sid))


class Stage(Disk):
    """A disk on which something happens immediately before the n-th call of a kind."""

    def __init__(self, tmp: Path, owner: str, call: str, happening: Callable[[], object]) -> None:
        super().__init__(tmp, owner)
        self.call, self.happening = call, happening
        self.is_over = False

    def step(self, call: str, path: Path) -> None:
        if call == self.call and not self.is_over:
            self.is_over = True
            self.happening()


def staged(world: World, call: str, happening: Callable[[], object]) -> Member:
    return world.member(lambda tmp, owner: Stage(tmp, owner, call, happening))


# what is said


@pytest.mark.parametrize("verb", ["cancel", "pause", "delete"])
def test_a_wish_is_said_once(world: World, me: Member, verb: str) -> None:
    sid = world.admit()
    first, second = request(me, sid, verb), request(me, sid, verb)
    assert first == Answer(sid, "open")
    assert (second.place, second.before) == ("open", controls.read([f"control.000000001.aaaaaa.{verb}"]))
    assert said(world, sid) == [verb] and check(world.root) == []


def test_pause_resume_and_priority_follow_each_other(world: World, me: Member) -> None:
    sid = world.admit()
    for verb, argument in (("resume", None), ("pause", None), ("resume", None), ("priority", -5), ("priority", -5)):
        request(me, sid, verb, argument)
    assert said(world, sid) == ["pause", "resume", "priority"]
    assert request(me, sid, "priority", 7).before.priority == -5


@pytest.mark.parametrize(("first", "word"), [("cancel", "was cancelled"), ("delete", "was deleted")])
@pytest.mark.parametrize("verb", ["pause", "resume", "priority"])
def test_what_is_over_cannot_be_steered(world: World, me: Member, first: str, verb: str, word: str) -> None:
    sid = world.admit()
    request(me, sid, first)
    with pytest.raises(PermanentError, match=f"{word}.*nothing was changed"):
        request(me, sid, verb, 5 if verb == "priority" else None)
    assert said(world, sid) == [first]


def test_a_session_that_is_nowhere(me: Member) -> None:
    with pytest.raises(NotFound, match="not on the spool any more"):
        request(me, SID, "cancel")


# closed sessions


def test_cancelling_a_closed_session_leaves_it_alone(world: World, me: Member) -> None:
    sid = world.admit()
    close(world, sid)
    assert request(me, sid, "cancel") == Answer(sid, "closed")
    assert said(world, sid) == [] and world.layout.closed_session(sid).is_dir()


@pytest.mark.parametrize("verb", ["pause", "resume", "priority"])
def test_steering_a_closed_session_is_refused(world: World, me: Member, verb: str) -> None:
    sid = world.admit()
    close(world, sid)
    with pytest.raises(PermanentError, match="is closed; nothing was changed"):
        request(me, sid, verb, 5 if verb == "priority" else None)


def test_deleting_a_closed_session_opens_it_for_who_buries_it(world: World, me: Member) -> None:
    sid = world.admit()
    close(world, sid)
    assert request(me, sid, "delete") == Answer(sid, "closed")
    assert said(world, sid) == ["delete"] and world.layout.session(sid).is_dir()


def test_a_delete_that_died_before_the_rename_is_carried_out_by_saying_it_again(world: World, me: Member) -> None:
    sid = world.admit()
    close(world, sid)
    controls.say(me, world.layout.closed_session(sid), "delete", "wwchen")
    request(me, sid, "delete")
    assert said(world, sid) == ["delete"] and world.layout.session(sid).is_dir()


def test_what_was_deleted_stays_so(world: World, me: Member) -> None:
    world.layout.tombstone(SID).touch()
    assert request(me, SID, "delete").before.is_deleted
    assert request(me, SID, "cancel").before.is_deleted
    with pytest.raises(PermanentError, match="was deleted"):
        request(me, SID, "pause")


# the inbox


@pytest.mark.parametrize("verb", ["cancel", "delete"])
def test_a_session_in_the_inbox_is_taken_out_to_rejected_with_all_its_bytes(
    world: World, me: Member, verb: str
) -> None:
    (world.layout.inbox / naming.submitted_name(SID, "film.xml")).write_text("<session/>")
    assert request(me, SID, verb) == Answer(SID, "inbox")
    assert list(world.layout.inbox.iterdir()) == []
    assert (world.layout.rejected / "film.xml").read_text() == "<session/>"
    why = (world.layout.rejected / "film.xml.why").read_text()
    assert f"withdrawn by wwchen (`park {verb}`)" in why and SID in why
    assert check(world.root) == []


def test_a_session_in_the_inbox_cannot_be_steered_yet(world: World, me: Member) -> None:
    (world.layout.inbox / naming.submitted_name(SID, "film.xml")).write_text("<session/>")
    with pytest.raises(TemporaryError, match="not admitted yet"):
        request(me, SID, "pause")


def test_one_that_is_being_admitted_is_waited_for(world: World, me: Member) -> None:
    sid = world.admit()
    world.layout.session(sid).rename(world.layout.admitting(sid))
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            world.layout.admitting(sid).rename(world.layout.session(sid))

    assert ask(me, sid, "cancel", "wwchen", pause=pause).place == "admitting"
    assert said(world, sid) == ["cancel"] and len(pauses) >= 3


def test_one_that_is_being_admitted_for_ever_is_given_up(world: World, me: Member) -> None:
    sid = world.admit()
    world.layout.session(sid).rename(world.layout.admitting(sid))
    with pytest.raises(TemporaryError, match="try again"):
        request(me, sid, "cancel")


# races


@pytest.mark.parametrize("verb", ["cancel", "delete"])
def test_a_session_that_closes_before_the_word_falls(world: World, verb: str) -> None:
    sid = world.admit()
    request(staged(world, "create", lambda: close(world, sid)), sid, verb)
    assert said(world, sid) == ([] if verb == "cancel" else ["delete"])
    assert world.layout.session(sid).is_dir() == (verb == "delete")


def test_pausing_a_session_that_closes_meanwhile_is_refused(world: World) -> None:
    sid = world.admit()
    with pytest.raises(PermanentError, match="is closed"):
        request(staged(world, "create", lambda: close(world, sid)), sid, "pause")


def test_a_closed_session_that_another_opens_first(world: World) -> None:
    sid = world.admit()
    close(world, sid)
    moving = staged(world, "rename", lambda: world.layout.closed_session(sid).rename(world.layout.session(sid)))
    request(moving, sid, "delete")
    assert said(world, sid) == ["delete"] and world.layout.session(sid).is_dir()


def test_a_session_that_leaves_the_inbox_before_it_is_taken_out(world: World) -> None:
    path = world.layout.inbox / naming.submitted_name(SID, "film.xml")
    path.write_text("<session/>")

    def admit() -> None:
        path.unlink()
        world.layout.session(SID).mkdir()

    assert request(staged(world, "rename", admit), SID, "cancel").place == "open"
    assert said(world, SID) == ["cancel"]


# retries


def again(me: Member, sid: str) -> int:
    return ask_again(me, sid, JOBS, "wwchen", pause=lambda seconds: None)


def rounds(world: World, sid: str) -> retries.Retries:
    folder = world.layout.session(sid)
    return retries.read(Disk(folder, "t"), folder, Disk(folder, "t").names(folder), {})


@pytest.mark.parametrize("is_closed", [True, False])
def test_a_retry_names_its_jobs_in_an_open_session(world: World, me: Member, is_closed: bool) -> None:
    sid = world.admit()
    for number in (1, 2):
        if is_closed:
            close(world, sid)
        assert again(me, sid) == number
        assert rounds(world, sid).rounds[number] == JOBS


@pytest.mark.parametrize(("verb", "word"), [("cancel", "send it again"), ("delete", "was deleted")])
def test_a_session_that_is_over_is_not_tried_again(world: World, me: Member, verb: str, word: str) -> None:
    sid = world.admit()
    request(me, sid, verb)
    with pytest.raises(PermanentError, match=word):
        again(me, sid)
    assert rounds(world, sid).highest == 0


def test_a_session_in_the_inbox_has_nothing_to_try_again(world: World, me: Member) -> None:
    (world.layout.inbox / naming.submitted_name(SID, "film.xml")).write_text("<session/>")
    with pytest.raises(PermanentError, match="not admitted yet"):
        again(me, SID)


@pytest.mark.parametrize("call", ["create", "rename"])
def test_a_session_that_closes_while_it_is_asked_for_again_is_open_at_the_end(world: World, call: str) -> None:
    sid = world.admit()
    assert again(staged(world, call, lambda: close(world, sid)), sid) == 1
    assert rounds(world, sid).rounds[1] == JOBS


def test_a_session_that_closes_after_the_retry_was_written_is_opened(world: World) -> None:
    sid = world.admit()

    class Late(Disk):
        def publish(self, path: Path, data: bytes, durable: bool = False) -> None:
            super().publish(path, data, durable)
            close(world, sid)

    assert again(world.member(Late), sid) == 1
    assert rounds(world, sid).highest == 1


def test_no_round_is_left(world: World, me: Member) -> None:
    sid = world.admit()
    (world.layout.session(sid) / "retry.99.aaaaaa").write_bytes(retries.encode(JOBS, "w", 0.0))
    with pytest.raises(PermanentError, match="at most 99 rounds; send it again"):
        again(me, sid)


def test_the_user_is_who_runs_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    assert control_requests.user_name() == pwd.getpwuid(control_requests.os.getuid()).pw_name
    monkeypatch.setattr("pwd.getpwuid", lambda uid: {}[uid])
    assert control_requests.user_name().isdecimal()
