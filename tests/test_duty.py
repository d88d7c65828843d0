"""What a node is ready to do: every reason to claim nothing, and when what runs is to be given back."""

from __future__ import annotations

from pathlib import Path

import pytest

from park_spool.config import Config
from park_spool.running.duty import Duty
from park_spool.running.politeness import PATIENCE


@pytest.fixture
def duty(tmp_path: Path) -> Duty:
    return Duty(Config(spool=tmp_path, archive=tmp_path / "park.sqlite", drain_seconds=10.0))


def test_a_node_claims_and_says_whether_it_works(duty: Duty) -> None:
    assert duty.may_claim
    assert duty.deadline is None
    assert [duty.state(is_busy) for is_busy in (False, True)] == [("idle", None), ("working", None)]


def test_a_node_that_is_told_to_stop_has_until_then(duty: Duty) -> None:
    assert duty.drain("it was told to stop", 110.0)
    assert not duty.drain("it was told to stop", 120.0)
    assert (duty.may_claim, duty.deadline) == (False, 110.0)
    assert duty.state(True) == ("draining", "it was told to stop")


def test_a_drained_node_may_take_its_time_until_somebody_wants_it_sooner(duty: Duty) -> None:
    assert duty.drain("it is drained")
    assert duty.deadline is None
    assert not duty.drain("it was told to stop", 110.0)
    assert duty.deadline == 110.0


def test_a_bad_node_stays_bad(duty: Duty) -> None:
    assert duty.condemn("30 jobs failed here")
    assert not duty.condemn("something else")
    assert not duty.heed(None, 5.0)
    assert (duty.may_claim, duty.deadline, duty.state(True)) == (False, None, ("bad", "30 jobs failed here"))


def test_who_objects_is_heard_at_once_and_waits_for_what_runs(duty: Duty) -> None:
    assert duty.heed("others use 3.1 of 4 CPUs", 100.0)
    assert (duty.may_claim, duty.deadline) == (False, 100.0 + 10.0 * PATIENCE)
    assert not duty.heed("others use 2.0 of 4 CPUs", 130.0)
    assert duty.deadline == 100.0 + 10.0 * PATIENCE
    assert duty.state(True) == ("waiting", "others use 2.0 of 4 CPUs")
    assert duty.heed(None, 140.0)
    assert (duty.may_claim, duty.deadline) == (True, None)
