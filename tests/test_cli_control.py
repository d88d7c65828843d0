"""`park cancel`, `pause`, `resume`, `priority`, `delete` and `retry`: what they say, and with real daemons what they do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from console import park
from daemons import Site, until
from world import World

from park_spool import naming
from park_spool.cli import waiting
from park_spool.cli.options import FAILED, FINE, REJECTED, TRY_LATER, USAGE
from park_spool.errors import NotFound
from park_spool.job_names import chosen
from park_spool.looking import standing
from park_spool.looking.standing import Look

SID = "20261123-025532-k3j9"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def tended(world: World) -> str:
    """Admit a session and run all of it; return its SID."""
    world.submit()
    world.let(world.spoold(), world.node(), world.reducer(), turns=60)
    [sid] = [path.name for path in world.layout.closed.iterdir()]
    return sid


def test_cancel_says_what_was_kept_and_saying_it_again_is_no_mistake(world: World) -> None:
    sid = world.admit()
    first, second = (park("cancel", sid[:15], spool=world.root) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (FINE, FINE)
    assert first.stdout.startswith(f"{sid} is cancelled; what is done stays: 0 ")
    assert "was cancelled before" in second.stdout
    assert json.loads(park("status", "--json", sid, spool=world.root).stdout)["session"]["state"] == "cancelled"


def test_a_session_that_is_done_is_left_alone(world: World) -> None:
    sid = tended(world)
    result = park("cancel", sid, spool=world.root)
    assert result.exit_code == FINE
    assert "is done: there is nothing left to cancel; 6 of 6 jobs ok, best chisq" in result.stdout


def test_of_several_sessions_each_is_asked_whatever_becomes_of_the_others(world: World) -> None:
    sid = world.admit()
    result = park("pause", "2099", sid, spool=world.root)
    assert result.exit_code == FAILED
    assert "no session begins with '2099'" in result.stderr and f"{sid} is paused" in result.stdout


def test_pause_and_resume_are_seen_in_the_status(world: World) -> None:
    sid = world.admit()
    assert "is paused: nothing more of it is started" in park("pause", sid, spool=world.root).stdout
    assert "was paused before" in park("pause", sid, spool=world.root).stdout
    shown = park("status", sid, spool=world.root)
    assert "is paused" in shown.stdout and "`park resume`" in shown.stdout
    assert "goes on" in park("resume", sid, spool=world.root).stdout
    assert "was not paused" in park("resume", sid, spool=world.root).stdout
    assert "is queued" in park("status", sid, spool=world.root).stdout


def test_priority_says_the_old_and_the_new_and_keeps_to_its_range(world: World) -> None:
    sid = world.admit()
    assert park("priority", sid, "-5", spool=world.root).stdout == f"{sid} has priority -5 now, before 0\n"
    assert park("priority", sid, "7", spool=world.root).stdout == f"{sid} has priority 7 now, before -5\n"
    assert park("priority", sid, "7", spool=world.root).stdout == f"{sid} has priority 7, as before\n"
    for wrong in ("101", "-101", "high"):
        assert park("priority", sid, wrong, spool=world.root).exit_code == USAGE


def test_what_is_past_is_refused_with_a_sentence(world: World) -> None:
    sid = tended(world)
    for words in (("pause", sid), ("resume", sid), ("priority", sid, "5")):
        result = park(*words, spool=world.root)
        assert result.exit_code == FAILED and "is closed; nothing was changed" in result.stderr


def test_delete_asks_first(world: World) -> None:
    sid = tended(world)
    result = park("delete", sid, spool=world.root, typed="n\n")
    assert result.exit_code == FAILED and "nothing was deleted" in result.stderr
    assert f"Really delete {sid} (film.xml" in result.stderr
    assert world.layout.closed_session(sid).is_dir()
    assert "is deleted" in park("delete", sid, spool=world.root, typed="y\n").stdout
    assert "was deleted before" in park("delete", "--yes", sid, spool=world.root).stdout


def test_a_deleted_session_is_gone_and_remembered(world: World) -> None:
    sid = tended(world)
    park("delete", "--yes", sid, spool=world.root)
    world.let(world.spoold(), world.reducer(), turns=60)
    assert json.loads(park("status", "--json", sid, spool=world.root).stdout)["session"]["state"] == "deleted"
    waited = park("wait", sid, spool=world.root)
    assert (waited.exit_code, waited.stdout) == (FAILED, f"{sid} was deleted\n")
    assert "was deleted before" in park("cancel", sid, spool=world.root).stdout


def test_a_session_in_the_inbox_is_taken_out(world: World) -> None:
    (world.layout.inbox / naming.submitted_name(SID, "film.xml")).write_text("<session/>")
    later = park("pause", SID, spool=world.root)
    assert later.exit_code == TRY_LATER and "not admitted yet" in later.stderr
    result = park("cancel", "--wait", SID, spool=world.root)
    assert result.exit_code == FINE and "lay in the inbox" in result.stdout
    assert park("why", SID, spool=world.root).stdout.startswith("film.xml: withdrawn by ")
    world.submit()
    park("delete", "--yes", "2099", spool=world.root)


def test_waiting_for_a_cancelled_session_ends_with_its_state(world: World) -> None:
    sid = world.admit()
    park("cancel", sid, spool=world.root)
    world.layout.session(sid).rename(world.layout.closed_session(sid))
    result = park("wait", sid, spool=world.root)
    assert (result.exit_code, result.stdout) == (FAILED, f"{sid} was cancelled: 0 of 6 jobs ok\n")
    assert park("cancel", "--wait", sid, spool=world.root).exit_code == FINE


def test_waiting_ends_with_what_was_taken_out(world: World) -> None:
    (world.layout.inbox / naming.submitted_name(SID, "film.xml")).write_text("<session/>")
    park("cancel", SID, spool=world.root)
    assert waiting.wait_for_all([SID], world.config, lambda sentence: None) == REJECTED


# retry


def test_only_what_failed_for_good_is_chosen() -> None:
    failed = {(1, 1): [(3, 6)], (2, 1): [(1, 2)]}
    assert chosen(failed, (), SID) == failed
    assert chosen(failed, ("1.1.2-4", "1.1.5"), SID) == {(1, 1): [(3, 6)]}
    for names, word in ((("1.1.2",), "no job of it failed"), (("3.1",), "no job of it failed"), (("x",), "is no job")):
        with pytest.raises(NotFound, match=word):
            chosen(failed, names, SID)
    with pytest.raises(NotFound, match="no job of session"):
        chosen({}, (), SID)


def failing(world: World) -> str:
    """Run a session of which two jobs fail for good; return its SID."""
    world.script = lambda joblist, job, attempt: "failed" if joblist == 1 and job in (2, 4) else "ok"
    return tended(world)


@pytest.mark.parametrize("has_archive", [True, False])
def test_retry_runs_what_failed_once_more(world: World, has_archive: bool) -> None:
    sid = failing(world)
    if not has_archive:
        (world.root / "park.toml").write_text('archive = "none.sqlite"\n')
    result = park("retry", sid, spool=world.root)
    assert result.stdout == f"{sid}: 2 jobs will be run again, in round 1; the session is open again\n"
    none = park("retry", sid, spool=world.root)
    assert none.exit_code == FAILED and "no job of session" in none.stderr, "they are asked for already"
    (world.root / "park.toml").write_text("")
    world.script = lambda joblist, job, attempt: "ok"
    world.let(world.spoold(), world.node(), world.reducer(), turns=120)
    assert Look(world.config).one(sid).state == "done"
    assert park("wait", sid, spool=world.root).exit_code == FINE


def test_one_job_of_several_is_run_again(world: World) -> None:
    sid = failing(world)
    assert "1 job will be run again" in park("retry", sid, "1.1.4", spool=world.root).stdout
    look = Look(world.config)
    assert look.places[sid] == "open"
    assert standing.failed_jobs(look, sid) == {(1, 1): [(2, 3)]}
    ok = park("retry", sid, "1.1.1", spool=world.root)
    assert ok.exit_code == FAILED and "Failed are 1.1.2" in ok.stderr
    assert park("retry", "--failed", sid, "1.1.2", spool=world.root).exit_code == USAGE


def test_what_was_cancelled_is_not_tried_again(world: World) -> None:
    sid = failing(world)
    world.layout.closed_session(sid).rename(world.layout.session(sid))
    park("cancel", sid, spool=world.root)
    result = park("retry", sid, spool=world.root)
    assert result.exit_code == FAILED and "send it again" in result.stderr


# with real daemons

SLOW = """<session user='wwchen'><group><reduce classname='Chisq'/><task cmd='tester/slow'/><joblist>
<scan><axis name='seconds' start='0.1' stop='600' count='3'/></scan></joblist></group></session>"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path, control_seconds=0.2, tally_seconds=0.2, drain_seconds=0.5) as running:
        yield running


def test_a_running_session_is_cancelled_and_keeps_what_it_has(site: Site, tmp_path: Path) -> None:
    (tmp_path / "slow.xml").write_text(SLOW)
    sid = park("submit", tmp_path / "slow.xml", spool=site.spool).stdout.strip()
    until(lambda: Look(site.config).one(sid).ok == 1, 60, "the first result")
    result = park("cancel", "--wait", sid, spool=site.spool)
    assert result.exit_code == FINE, result.stderr
    assert f"{sid} was cancelled: 1 of 3 jobs ok" in result.stdout
    assert park("wait", sid, spool=site.spool).exit_code == FAILED
    site.assert_running()
    site.assert_legal()
