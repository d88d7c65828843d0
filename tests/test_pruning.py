"""Old sessions go: by `park prune`, and by the reducer itself where `keep_days` is set; no others, and never unasked."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from console import park
from test_archive_upkeep import reduced
from world import World

from park_spool.archive import checking
from park_spool.check import check
from park_spool.cli.options import FAILED, FINE, USAGE
from park_spool.config import load
from park_spool.errors import ConfigError
from park_spool.reducing import pruning


def sids(world: World) -> tuple[str, str]:
    """The session that is closed, and the one that is open."""
    [closed] = os.listdir(world.layout.closed)
    [opened] = [name for name in os.listdir(world.layout.sessions) if name != "closed"]
    return closed, opened


def deleted(world: World) -> set[str]:
    return {row[0] for row in world.rows("sessions") if row[5] == "deleted"}


def go_on(world: World, **settings: object) -> None:
    world.config = replace(world.config, **settings)  # type: ignore[arg-type]
    spoold, reducer = world.spoold(), world.reducer()
    world.let(spoold, reducer, turns=100, tick=1.5)
    reducer.leave()


def test_what_was_closed_long_ago_is_deleted_and_nothing_else(tmp_path: Path) -> None:
    world = reduced(tmp_path)
    closed, opened = sids(world)
    result = park("prune", "--keep-days", "0.001", "--dry-run", spool=world.root)
    assert result.exit_code == FINE and result.stdout.startswith(f"{closed}: film.xml of ")
    assert sids(world) == (closed, opened)
    result = park("prune", "--keep-days", "0.001", spool=world.root, typed="n\n")
    assert result.exit_code == FAILED and "Really delete 1 session with all results?" in result.stderr
    assert sids(world) == (closed, opened)
    assert park("prune", "--keep-days", "0.001", "--yes", spool=world.root).exit_code == FINE
    go_on(world)
    assert os.listdir(world.layout.closed) == [f"{closed}.deleted"]
    assert os.listdir(world.layout.reduced) in ([], [opened])
    assert deleted(world) == {closed}
    assert check(world.root) == checking.check(world.config.archive) == []


def test_what_is_young_stays(tmp_path: Path) -> None:
    world = reduced(tmp_path)
    result = park("prune", "--keep-days", "100000", "--yes", spool=world.root)
    assert (result.exit_code, result.stdout) == (FINE, "") and "nothing is deleted" in result.stderr
    assert park("prune", spool=world.root).exit_code == USAGE
    world.layout.settings.write_text("keep_days = 0.001\n")
    assert park("prune", "--dry-run", spool=world.root).stdout.count("\n") == 1


def test_the_reducer_prunes_by_itself_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    world = reduced(tmp_path)
    closed, opened = sids(world)
    go_on(world)
    assert sids(world) == (closed, opened), "for ever, unless told otherwise"
    world.clock.now += 3 * pruning.DAY
    caplog.set_level("INFO")
    go_on(world, keep_days=2.0)
    assert deleted(world) == {closed}
    assert f"session {closed} was closed more than 2 days ago (keep_days): it is deleted" in caplog.text
    assert [name for name in os.listdir(world.layout.sessions) if name != "closed"] == [opened]
    assert check(world.root) == checking.check(world.config.archive) == []


def test_it_looks_once_an_hour_and_takes_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, keep_days=1.0)
    asked: list[str] = []
    old = [f"20261123-025532-{number:04d}" for number in range(30)]

    class Archive:
        looks = 0

        def closed_before(self, at: float) -> list[str]:
            self.looks += 1
            return old

    monkeypatch.setattr(pruning.control_requests, "ask", lambda member, sid, *_, **__: asked.append(sid))
    archive, member = Archive(), world.member()
    one = pruning.Pruning(member, archive)  # type: ignore[arg-type]
    assert [one.step() for _ in range(4)] == [True, True, False, False]
    assert (asked, archive.looks) == (old, 3)
    world.clock.now += pruning.EVERY
    assert one.step() and len(asked) == 50, "what is still there is asked for again"


def test_one_that_moves_just_now_is_left_for_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    world = World(tmp_path, keep_days=1.0)

    class Archive:
        def closed_before(self, at: float) -> list[str]:
            return ["20261123-025532-none"]

    one = pruning.Pruning(world.member(), Archive())  # type: ignore[arg-type]
    assert [one.step(), one.step()] == [True, False]
    assert "cannot be deleted now: session 20261123-025532-none is not on the spool any more" in caplog.text


@pytest.mark.parametrize(("text", "expected"), [("", None), ("keep_days = 0\n", None), ("keep_days = 30\n", 30.0)])
def test_for_ever_is_the_default_and_0(tmp_path: Path, text: str, expected: float | None) -> None:
    world = World(tmp_path)
    world.layout.settings.write_text(text)
    assert load(world.root).keep_days == expected


def test_what_is_no_number_of_days_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path)
    for text, words in (("keep_days = -1\n", "above 0, got -1.0"), ('keep_days = "x"\n', "expected float, got 'x'")):
        world.layout.settings.write_text(text)
        with pytest.raises(ConfigError, match=words):
            load(world.root)
