"""What users said of a session: which of several controls counts, and how one is said."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from world import World

from park_spool import controls, wishes
from park_spool.controls import Controls
from park_spool.wishes import Control, parse_control


def said(*verbs: str) -> list[str]:
    return [f"control.{seq:09d}.x0p2qa.{verb}" for seq, verb in enumerate(verbs, start=1)]


@pytest.mark.parametrize(
    ("verbs", "expected"),
    [
        ((), Controls()),
        (("pause",), Controls(is_paused=True)),
        (("pause", "resume"), Controls()),
        (("pause", "resume", "pause"), Controls(is_paused=True)),
        (("priority.5", "priority.-7"), Controls(priority=-7)),
        (("priority.5", "pause"), Controls(is_paused=True, priority=5)),
        (("cancel", "resume"), Controls(is_cancelled=True)),
        (("cancel", "delete"), Controls(is_cancelled=True, is_deleted=True)),
        (("delete", "cancel"), Controls(is_cancelled=True, is_deleted=True)),
    ],
)
def test_the_newest_of_each_kind_counts_and_an_end_is_for_good(verbs: tuple[str, ...], expected: Controls) -> None:
    for names in itertools.permutations(said(*verbs)):
        assert controls.read([*names, "session.json", "tally.h1_1_000000.000000001"]) == expected


def test_of_two_that_were_said_at_once_the_greater_name_counts() -> None:
    names = ["control.000000001.aaaaaa.pause", "control.000000001.bbbbbb.resume"]
    assert not controls.read(names).is_paused
    assert controls.read([name.replace("bbbbbb", "000000") for name in names]).is_paused


def test_is_stopped_is_cancelled_or_deleted() -> None:
    assert Controls(is_cancelled=True).is_stopped
    assert Controls(is_deleted=True).is_stopped
    assert not Controls(is_paused=True).is_stopped


def test_each_is_said_one_higher_by_whom_and_when(tmp_path: Path) -> None:
    world = World(tmp_path)
    folder = world.layout.session(world.admit())
    first = controls.say(world.member(), folder, "pause", "anna")
    second = controls.say(world.member(), folder, "priority", "bert", -5)
    assert [parse_control(name).seq for name in (first, second)] == [1, 2]  # type: ignore[union-attr]
    assert second.endswith(".priority.-5")
    assert json.loads((folder / second).read_text())["by"] == "bert"
    assert controls.read([path.name for path in folder.iterdir()]) == Controls(is_paused=True, priority=-5)


def test_a_session_that_has_moved_is_not_spoken_to(tmp_path: Path) -> None:
    world = World(tmp_path)
    with pytest.raises(FileNotFoundError):
        controls.say(world.member(), world.layout.session("20261123-025532-zzzz"), "pause", "anna")


@pytest.mark.parametrize(
    "name",
    [
        "control.000000001.x0p2qa.priority",
        "control.000000001.x0p2qa.pause.5",
        "control.000000001.x0p2qa.sing",
        "control.1.x0p2qa.pause",
        "control.000000001.x0p2qa.priority.1000",
        "control.000000001.x0p2qa.priority.101",
        "control.000000001.x0p2qa.priority.-101",
        "tally.h1_1_000000.000000001",
    ],
)
def test_other_names_are_no_controls(name: str) -> None:
    assert parse_control(name) is None


@pytest.mark.parametrize("control", [Control(1, "x0p2qa", "cancel"), Control(7, "x0p2qa", "priority", -100)])
def test_a_name_that_was_made_is_read_again(control: Control) -> None:
    assert parse_control(control.name) == control


def test_the_other_names_that_are_made_are_read_again() -> None:
    assert wishes.parse_retry(wishes.retry_name(7, lambda letters: letters[0])) == 7
    assert wishes.parse_tombstone(wishes.tombstone_name("20261123-025532-k3j9")) == "20261123-025532-k3j9"
    assert wishes.parse_notice(wishes.notice_name("n4_4711_x0p2qa", "drain")) == ("n4_4711_x0p2qa", "drain")
    for strange in ("retry.1.x0p2qa", "x.deleted", "n4_4711_x0p2qa.sing"):
        assert wishes.parse_retry(strange) is None
        assert wishes.parse_tombstone(strange) is None
        assert wishes.parse_notice(strange) is None
