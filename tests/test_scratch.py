"""Temporary folders of nodes that were killed: removed when their process is known to be gone, and only then."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from park_spool import processes
from park_spool.processes import Identity
from park_spool.running import scratch

ME = Identity("n4", "0f3a5c6e-8b1d-4e2f", "pid:[4026531836]", 4711, 88)


@pytest.mark.parametrize(
    ("owner", "is_alive", "is_left"),
    [
        (ME, True, False),
        (replace(ME, pid=4712), False, True),
        (replace(ME, pid=4712), True, False),
        (replace(ME, pid=4712), None, False),
        (replace(ME, boot="aaaaaaaa-1111"), True, True),
        (replace(ME, namespace="pid:[4026539999]"), False, False),
    ],
)
def test_only_what_is_known_to_be_dead_is_left_behind(owner: Identity, is_alive: bool | None, is_left: bool) -> None:
    name = scratch.prefix(owner) + "k3j9x_0p"
    assert scratch.is_left_behind(name, ME, lambda one: is_alive) is is_left


@pytest.mark.parametrize("name", ["park-noded-", "park-noded-x0p2qa", "park-noded-1-2-zz-4-x", "other"])
def test_other_names_are_left_alone(name: str) -> None:
    assert not scratch.is_left_behind(name, ME, lambda one: False)


def test_where_the_system_does_not_tell_nothing_is_removed() -> None:
    blind = replace(ME, boot="", namespace="", start=0)
    assert not scratch.is_left_behind(scratch.prefix(replace(blind, pid=1)) + "x", blind, lambda one: False)


def test_a_dead_nodes_folder_goes_with_all_that_it_holds(tmp_path: Path) -> None:
    me = processes.identity()
    dead = tmp_path / (scratch.prefix(replace(me, pid=2**22 - 1, start=1)) + "dead")
    own = tmp_path / (scratch.prefix(me) + "own")
    for folder in (dead, own, tmp_path / "park-noded-old"):
        (folder / "worker-1").mkdir(parents=True)
    outside = tmp_path / "precious"
    outside.mkdir()
    (dead / "link").symlink_to(outside)
    assert scratch.clear(me, tmp_path) == [dead.name]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["park-noded-old", "precious", own.name])
