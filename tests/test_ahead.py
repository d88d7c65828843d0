"""What a node will need next is fetched while its present units run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from daemons import until
from world import World

from park_spool import layout
from park_spool.data_settings import read_sources
from park_spool.naming import Unit
from park_spool.running import ahead
from park_spool.running.ahead import Ahead, remote
from park_spool.sessions.session import Session
from park_spool.store.store import Store

XML = """<session user='w'><group><dataSet><data name='dark' href='here:/dark.txt'/></dataSet><task cmd='tester/noop'/>
<joblist>{inputs}</joblist></group></session>"""
INPUTS = "".join(f"<input><data name='film' href='here:/{number}.txt'/></input>" for number in range(1, 7))


@pytest.fixture
def world(tmp_path: Path) -> World:
    folder = tmp_path / "remote"
    folder.mkdir()
    for name in ("dark", *range(1, 7)):
        (folder / f"{name}.txt").write_text(str(name))
    toml = f'data_cache = "{tmp_path}/cache"\n[sources.here]\nroot = "{folder.as_uri()}/"\n'
    world = World(tmp_path, sources=read_sources({"here": {"root": f"{folder.as_uri()}/"}}, tmp_path))
    (world.root / "park.toml").write_text(toml)
    return world


def session_of(world: World) -> tuple[str, Path]:
    sid = world.admit(xml=XML.format(inputs=INPUTS))
    return sid, layout.session_json(world.layout.session(sid))


def here(cache: Path) -> set[str]:
    store = Store(cache)
    return {href for href in store.hrefs() if store.newest(href)} if (cache / "blobs").is_dir() else set()


def test_the_data_of_some_jobs_each_once(world: World) -> None:
    _, path = session_of(world)
    session = Session.from_json(json.loads(path.read_bytes()))
    assert [ref.href for ref in remote(session, 1, 1, 5, 9)] == ["here:/dark.txt", "here:/5.txt", "here:/6.txt"]
    assert [ref.href for ref in remote(session, 1, 1, 7, 9)] == []


def test_what_follows_a_unit_comes_while_it_runs(world: World, tmp_path: Path) -> None:
    sid, path = session_of(world)
    cache = tmp_path / "cache"
    fetching = Ahead(world.root, cache)
    try:
        fetching.hint(path, Unit(sid, 1, 1, 1, 2), slots=2)
        until(lambda: here(cache) == {"here:/dark.txt", "here:/2.txt", "here:/3.txt"}, 30, "the next two files")
        fetching.hint(path, Unit(sid, 1, 1, 6, 7), slots=2)  # nothing follows
        fetching.hint(path, Unit(sid, 9, 1, 1, 2), slots=2)  # no such group: it says nothing, and goes on
        fetching.hint(path, Unit(sid, 1, 1, 5, 6), slots=1)
        until(lambda: "here:/6.txt" in here(cache), 30, "the last file")
    finally:
        fetching.close()
    assert fetching._child is None


def test_a_child_that_died_is_followed_by_another(world: World, tmp_path: Path) -> None:
    sid, path = session_of(world)
    cache = tmp_path / "cache"
    fetching = Ahead(world.root, cache)
    try:
        fetching.hint(path, Unit(sid, 1, 1, 1, 2), slots=1)
        child = fetching._child
        assert child is not None
        child.kill()
        child.wait()
        fetching.hint(path, Unit(sid, 1, 1, 3, 4), slots=1)
        until(lambda: "here:/4.txt" in here(cache), 30, "the file of the second hint")
    finally:
        fetching.close()


def test_what_cannot_be_had_is_left_to_who_needs_it(world: World, tmp_path: Path) -> None:
    _, path = session_of(world)
    (tmp_path / "remote" / "2.txt").unlink()
    ahead.bring(world.root, tmp_path / "cache", json.dumps([str(path), 1, 1, 1, 4]))
    assert here(tmp_path / "cache") == {"here:/dark.txt", "here:/1.txt", "here:/3.txt"}
