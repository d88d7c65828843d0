"""Adding up what nodes report: of this version, of older and newer ones, and of one that has gone mad."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from park_spool import cluster
from park_spool.naming import parse_unit

NODE = "n4_4711_x0p2qa"
UNIT = "20261123-025532-k3j9.001.001.000000001-000000048.00.00"
KEYS = ("cpus", "busy", "tags", "running", "job_seconds", "state", "why", "identity", "held")


def test_a_report_becomes_a_view() -> None:
    report = {
        "cpus": 4,
        "busy": 3,
        "tags": ["n4", "gpu"],
        "running": {UNIT: 12.5, "notes": 1.0},
        "state": "waiting",
        "job_seconds": {"20261123-025532-k3j9/1/2": 0.5},
    }
    found = cluster.add_up({NODE: report})
    [node] = found.nodes
    unit = parse_unit(UNIT)
    assert unit is not None
    assert (node.name, node.cpus, node.busy, node.tags) == (NODE, 4, 3, {"n4", "gpu"})
    assert node.running == {unit: 12.5}
    assert not node.is_claiming
    assert (found.cpus, found.cpus_for(""), found.job_seconds) == (4, 0, {("20261123-025532-k3j9", 1, 2): 0.5})


def test_a_node_of_an_older_version_carries_its_hosts_label_and_claims() -> None:
    found = cluster.add_up({NODE: {"cpus": 4}})
    assert (found.cpus_for("n4"), found.cpus_for("gpu"), found.idle_for("")) == (4, 0, 4)


def test_of_several_times_for_one_job_list_the_longest_counts() -> None:
    times = [{"job_seconds": {"a/1/1": 2.0, "a/1/2": 1.0}}, {"job_seconds": {"a/1/1": 3.0}}]
    found = cluster.add_up({f"n{number}_1_000000": report for number, report in enumerate(times)})
    assert found.job_seconds == {("a", 1, 1): 3.0, ("a", 1, 2): 1.0}


@pytest.mark.parametrize("odd", [None, "x", -1, True, 1e300, 10**400, [], {}, {"a/b": 1}, {"a/1/1": "x"}, {UNIT: -1}])
@pytest.mark.parametrize("key", KEYS)
def test_an_odd_field_counts_as_not_said(key: str, odd: Any) -> None:
    found = cluster.add_up({NODE: {"cpus": 2, key: odd}})
    assert found.cpus in (0, 2)
    assert found.nodes[0].running == found.job_seconds == {}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.sampled_from(KEYS), anything))
def test_no_report_stops_a_daemon(report: dict[str, Any]) -> None:
    found = cluster.add_up({NODE: report})
    assert found.cpus >= 0
