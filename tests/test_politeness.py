"""What a node owes to its machine's people: hours, idleness, memory and warnings, decided without looking at any."""

from __future__ import annotations

import pytest

from park_spool.running import politeness
from park_spool.running.politeness import CALM_SECONDS, UNTOUCHED_SECONDS, Idleness


@pytest.mark.parametrize("text", ["", "20", "20-20", "25-07", "20:60-07", "0-24", "20-07-08", "-1-5", "٢٠-07"])
def test_hours_that_say_nothing_are_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="expected hours such as 20-07 or 20:30-07:00"):
        politeness.read_hours(text)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("20-07", [20 * 60, 23 * 60 + 59, 0, 7 * 60 - 1], [7 * 60, 12 * 60, 20 * 60 - 1]),
        ("8:30-17:15", [8 * 60 + 30, 17 * 60 + 14], [8 * 60 + 29, 17 * 60 + 15, 0]),
        ("18-24", [18 * 60, 1439], [0, 17 * 60 + 59]),
    ],
)
def test_hours_may_cross_midnight(text: str, inside: list[int], outside: list[int]) -> None:
    hours = politeness.read_hours(text)
    assert all(politeness.is_within(hours, minute) for minute in inside)
    assert not any(politeness.is_within(hours, minute) for minute in outside)


def test_a_machine_is_idle_when_others_were_quiet_for_a_minute() -> None:
    idleness = Idleness(cpus=4)
    assert idleness.objection(0.0, None, None) == "the machine has been idle for 0 s only"
    assert idleness.objection(5.0, 0.1, None) == "the machine has been idle for 0 s only"
    assert idleness.objection(5.0 + CALM_SECONDS - 1, 0.1, None) == "the machine has been idle for 59 s only"
    assert idleness.objection(5.0 + CALM_SECONDS, 0.1, None) is None
    assert idleness.objection(70.0, 3.1, None) == "others use 3.1 of 4 CPUs"
    assert idleness.objection(75.0, 0.0, None) == "the machine has been idle for 0 s only"
    assert idleness.objection(75.0 + CALM_SECONDS, 0.0, None) is None


def test_somebody_at_a_terminal_keeps_the_machine() -> None:
    idleness = Idleness(cpus=4)
    idleness.objection(0.0, 0.0, 10.0)
    assert idleness.objection(200.0, 0.0, 10.0) == "somebody used this machine 10 s ago"
    assert idleness.objection(300.0, 0.0, UNTOUCHED_SECONDS - 1) == "somebody used this machine 4 min ago"
    assert idleness.objection(301.0, 0.0, UNTOUCHED_SECONDS) is None


def test_what_others_may_use_grows_with_the_machine() -> None:
    assert [politeness.allowance(cpus) for cpus in (1, 4, 8, 16, 64)] == [0.25, 0.25, 0.5, 1.0, 4.0]


def test_slots_follow_what_may_be_used_unless_told() -> None:
    assert politeness.slots_for(None, 4, 0.5) == 1
    assert politeness.slots_for(16, 4, 0.5) == 16


def test_fewer_cpus_than_given_are_warned_of() -> None:
    assert politeness.cpu_warnings(None, 4, None, {}) == []
    assert politeness.cpu_warnings(8, 2, None, {}) == [
        "--cpus 8: it may run on 2 CPUs only (CPU affinity), so its jobs take turns"
    ]
    assert politeness.cpu_warnings(4, 8, 1.5, {"SLURM_CPUS_PER_TASK": 4}) == [
        "--cpus 4: it may run on 1.5 CPUs only (the quota of its control group), so its jobs take turns",
        "it may run on 1.5 CPUs, but was given 4 (SLURM_CPUS_PER_TASK): see the quota of its control group",
    ]
    [bound] = politeness.cpu_warnings(None, 1, None, {"SLURM_CPUS_ON_NODE": 16})
    assert bound.startswith("it may run on 1 CPU, but was given 16 (SLURM_CPUS_ON_NODE): is it bound to fewer")
