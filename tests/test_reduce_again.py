"""`park reduce`: mended code runs over the archived results, once for each wish, whatever dies meanwhile."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from console import park
from world import SESSION, STRANGER, Killed, World, dying_disk, state

from park_spool import control_requests, naming, tallies
from park_spool.check import check
from park_spool.errors import PermanentError
from park_spool.naming import Unit

BROKEN = "    def __call__(self, reply):\n        raise ValueError('no')\n"
MENDED = """
    def __init__(self):
        Reduce.__init__(self)
        self.ids = []
    def __call__(self, reply):
        self.ids.append(reply.id)
        self.msgqueue.putMsg(reply.gid, f"saw {reply.id}")
    def flush(self):
        self.archive.put({"what": "ids"}, " ".join(sorted(self.ids)))
"""
KEPT = ["1.1.1 1.1.2 1.1.3 1.2.1"]


def write(root: Path, body: str) -> None:
    folder = root / "services" / "reduce"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Mine.py").write_text(f"from reduce import Reduce\nclass Mine(Reduce):\n{body}")


def closed(root: Path) -> tuple[World, str]:
    """A session that is over, its reducer stopped at the first reply."""
    write(root, BROKEN)
    world = World(root)
    sid = world.admit(xml=SESSION.format(many=3, few=1).replace("'Chisq'", "'Mine'"))
    for joblist, job in [(1, 1), (1, 2), (1, 3), (2, 1)]:
        world.plant_reply(Unit(sid, 1, joblist, job, job + 1), STRANGER, output='{"chisq": 2.0}')
    settle(world, world.spoold(), world.reducer())
    assert world.is_closed
    [(*_, stopped)] = world.rows("groups")
    assert stopped.startswith("ValueError: no (")
    return world, sid


def settle(world: World, spoold: Any, reducer: Any, turns: int = 60) -> None:
    world.let(spoold, reducer, turns=turns, tick=3.0)
    reducer.leave()
    spoold.resign()


def kept(world: World) -> tuple[list[Any], list[Any], list[Any]]:
    return (
        [row[-1] for row in world.rows("texts")],
        sorted(row[-1] for row in world.rows("messages")),
        [row[-1] for row in world.rows("groups")],
    )


def test_a_mended_reducer_runs_over_a_session_that_is_closed(tmp_path: Path) -> None:
    world, sid = closed(tmp_path)
    jobs = world.rows("jobs")
    write(tmp_path, MENDED)
    control_requests.ask_to_reduce(world.member(), sid, None, "wei")
    assert not world.is_closed
    settle(world, world.spoold(), world.reducer())
    assert world.is_closed and world.rows("jobs") == jobs
    assert kept(world) == (KEPT, ["saw 1.1.1", "saw 1.1.2", "saw 1.1.3", "saw 1.2.1"], [None])
    assert check(world.root) == []


def test_it_is_not_closed_before_the_reducer_has_run_again(tmp_path: Path) -> None:
    world, sid = closed(tmp_path)
    control_requests.ask_to_reduce(world.member(), sid, 1, "wei")
    spoold = world.spoold()
    world.let(spoold, turns=60, tick=3.0)
    assert world.layout.session(sid).is_dir(), "nobody has reduced"
    settle(world, spoold, world.reducer())
    assert world.is_closed
    [tally] = world.layout.closed_session(sid).glob("tally.*")
    assert tallies.decode(tally.read_bytes()).reduced == 1


def test_the_wish_of_a_session_that_was_cancelled_is_carried_out_too(tmp_path: Path) -> None:
    write(tmp_path, BROKEN)
    world = World(tmp_path)
    sid = world.admit(xml=SESSION.format(many=3, few=1).replace("'Chisq'", "'Mine'"))
    world.plant_reply(Unit(sid, 1, 1, 2, 3), STRANGER)
    spoold, reducer = world.spoold(), world.reducer()
    world.let(spoold, reducer, turns=5, tick=1.0)
    control_requests.ask(world.member(), sid, "cancel", "wei")
    world.let(spoold, reducer, turns=40, tick=3.0)
    assert world.is_closed
    write(tmp_path, MENDED)
    control_requests.ask_to_reduce(world.member(), sid, None, "wei")
    settle(world, spoold, reducer)
    assert world.is_closed and kept(world)[0] == ["1.1.2"]
    assert [row[5] for row in world.rows("sessions")] == ["cancelled"]


def test_a_running_session_is_reduced_again_where_it_is(tmp_path: Path) -> None:
    write(tmp_path, BROKEN)
    world = World(tmp_path)
    sid = world.admit(xml=SESSION.format(many=3, few=1).replace("'Chisq'", "'Mine'"))
    world.plant_reply(Unit(sid, 1, 1, 2, 3), STRANGER)
    reducer = world.reducer()
    world.let(reducer, turns=3, tick=3.0)
    write(tmp_path, MENDED)
    control_requests.ask_to_reduce(world.member(), sid, None, "wei")
    world.let(reducer, turns=3, tick=3.0)
    world.plant_reply(Unit(sid, 1, 1, 3, 4), STRANGER)
    world.let(reducer, turns=3, tick=3.0)
    reducer.leave()
    assert kept(world)[0] == ["1.1.2 1.1.3"]


def test_a_reducer_that_is_still_broken_is_stopped_again_and_the_session_closed(tmp_path: Path) -> None:
    world, sid = closed(tmp_path)
    write(tmp_path, BROKEN.replace("'no'", "'still no'"))
    control_requests.ask_to_reduce(world.member(), sid, None, "wei")
    settle(world, world.spoold(), world.reducer())
    assert world.is_closed and "still no" in kept(world)[2][0]


def begun(root: Path) -> World:
    """A session that is over, with its reducer mended, and asked for again."""
    world, sid = closed(root)
    write(root, MENDED)
    control_requests.ask_to_reduce(world.member(), sid, None, "wei")
    return world


def kill(root: Path, first: int, every: int) -> None:
    left = [10**9]
    counted = begun(root / "undisturbed")
    settle(counted, counted.spoold(dying_disk(left)), counted.reducer(dying_disk(left)))
    total = 10**9 - left[0]
    assert total > 10 * every
    for number in range(first, total, every):
        world = begun(root / str(number))
        with suppress(Killed):
            settle(world, world.spoold(dying_disk([number])), world.reducer(dying_disk([number])))
        settle(world, world.spoold(), world.reducer())
        assert kept(world) == (KEPT, ["saw 1.1.1", "saw 1.1.2", "saw 1.1.3", "saw 1.2.1"], [None]), number
        assert world.is_closed and check(world.root) == [], state(world)


def test_killed_before_every_fourth_change_it_is_done_once(tmp_path: Path) -> None:
    kill(tmp_path, 1, 4)


@pytest.mark.prove
@pytest.mark.parametrize("shard", range(4))
def test_killed_before_every_change_it_is_done_once(tmp_path: Path, shard: int) -> None:
    kill(tmp_path, shard, 4)


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_an_archive_that_is_made_again_ends_the_same(tmp_path: Path, is_cancelled: bool) -> None:
    world, sid = closed(tmp_path)
    write(tmp_path, MENDED)
    control_requests.ask_to_reduce(world.member(), sid, 1, "wei")
    if is_cancelled:
        control_requests.ask(world.member(), sid, "cancel", "wei")
    settle(world, world.spoold(), world.reducer())
    again = world.root / "archive" / "again.sqlite"
    reducer = world.reducer(archive=again)
    world.let(reducer, turns=20, tick=3.0)
    reducer.leave()
    for table in ("texts", "messages", "groups", "reductions", "jobs"):
        assert world.rows(table, again) == world.rows(table), table


def test_a_deleted_session_cannot_be_reduced(tmp_path: Path) -> None:
    world, sid = closed(tmp_path)
    control_requests.ask(world.member(), sid, "delete", "wei")
    settle(world, world.spoold(), world.reducer())
    with pytest.raises(PermanentError, match="was deleted; nothing was changed"):
        control_requests.ask_to_reduce(world.member(), sid, None, "wei")


# the command


def test_the_command_says_what_runs_again_and_who_is_missing(tmp_path: Path) -> None:
    world, sid = closed(tmp_path)
    done = park("reduce", "--spool", str(world.root), sid[:12])
    assert (done.exit_code, done.stdout) == (0, f"{sid}: Mine of group 1 will run again over 4 results\n")
    assert "note: no park-reduced is alive" in done.stderr
    assert [naming.is_sid(path.name) for path in world.layout.sessions.iterdir() if path.name == sid] == [True]


def test_the_command_says_that_there_is_no_reducer(tmp_path: Path) -> None:
    world, sid = closed(tmp_path)
    done = park("reduce", "--spool", str(world.root), sid, "2")
    assert done.exit_code == 1
    assert done.stderr == f"main reduce: group 2 of session {sid} has no reducer; nothing was changed\n"
