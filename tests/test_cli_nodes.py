"""`park nodes` and `park drain`: what nodes say of themselves, whatever their version, and how one is sent home."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from console import park
from daemons import Site, until

from park_spool import naming, sealed
from park_spool.check import check
from park_spool.cli import nodes
from park_spool.cli.options import FAILED, FINE
from park_spool.config import make_spool
from park_spool.errors import NotFound
from park_spool.looking import reports
from park_spool.processes import identity

SID = "20261123-025532-k3j9"
NODE = "n4_4711_x0p2qa"
FULL: dict[str, Any] = {
    "node": NODE,
    "host": "n4.ncnr.nist.gov",
    "system": "Linux 6.1",
    "version": "0.1.0",
    "python": "3.11.7",
    "versions": {"numpy": "2.4.6"},
    "cpus": 4,
    "busy": 2,
    "state": "waiting",
    "why": "others use 3.1 of 4 CPUs",
    "load": [3.1, 2.0, 1.0],
    "memory": {"total": 32e9, "available": 12e9},
    "memory_limit": 8e9,
    "tags": ["n4", "fast", "gpu"],
    "warnings": ["may use 2 CPUs, fewer than the 4 it was given"],
    "at": 1000.0,
    "running": {f"{SID}.001.001.000000001-000000008.00.00": 9.5, f"{SID}.002.001.000000003-000000004.00.00": 1.5},
    "progress": [
        {"sid": SID, "group": 1, "joblist": 1, "job": 7, "started": 990.0, "seconds": 8.0, "chisq": 1023.4, "line": "x"}
    ],
}


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    make_spool(tmp_path / "spool")
    return tmp_path / "spool"


def plant(spool: Path, report: dict[str, Any], seq: int = 7) -> None:
    whole = {"identity": identity().to_json(), **report}
    path = spool / "nodes" / naming.heartbeat_name(str(report["node"]), seq)
    path.write_bytes(sealed.seal_json(whole))


# reports


def test_a_report_is_read_with_all_that_it_says() -> None:
    one = reports.read(FULL, now=1002.0)
    assert (one.host, one.state, one.why) == ("n4.ncnr.nist.gov", "waiting", "others use 3.1 of 4 CPUs")
    first, second = one.running
    assert (first.sid, first.job, first.seconds, first.chisq) == (SID, "1.1.7", 10.0, 1023.4)
    assert (second.job, second.seconds, second.chisq) == ("2.1.3-4", 3.5, None), "what says no progress yet"


@pytest.mark.parametrize("now", [None, 900.0, 10_000.0])
def test_times_are_left_alone_where_the_clocks_cannot_both_be_right(now: float | None) -> None:
    assert reports.read(FULL, now=now).running[0].seconds == 8.0


@pytest.mark.parametrize("value", [None, "high", [], {}, -1, 10**400, float("nan"), True, [None], {"a": "b"}])
def test_whatever_is_odd_in_a_report_is_left_out(value: object) -> None:
    for key in FULL:
        one = reports.read({**FULL, key: value})
        assert list(nodes.describe(one, 1001.0)) and nodes.cells(one)
    assert reports.read({}).node == ""


def test_a_notice_counts_before_the_node_has_seen_it() -> None:
    assert [reports.read(FULL, notice).state for notice in ("drain", "bad", None)] == ["draining", "bad", "waiting"]


def test_a_node_is_found_by_what_people_call_it() -> None:
    other = {**FULL, "node": "n5_1_aaaaaa", "host": "n5", "tags": ["n5", "gpu"]}
    found = [reports.read(FULL), reports.read(other)]
    for word in (NODE, "n4", "N4", "n4_47", "n4.ncnr.nist.gov", "fast"):
        assert reports.find(word, found).node == NODE
    for word, sentence in (("gpu", "means several nodes"), ("n", "means several"), ("n6", "no node is called 'n6'")):
        with pytest.raises(NotFound, match=sentence):
            reports.find(word, found)


# the command


def test_the_table_has_each_node_with_why_it_waits_and_its_warnings(spool: Path) -> None:
    plant(spool, FULL)
    result = park("nodes", spool=spool)
    row = next(line for line in result.stdout.splitlines() if line.startswith(NODE))
    for word in ("waiting", "2 of 4", "3.10", "12 GB of 32 GB", f"1.1.7 of {SID} and 1 more", "n4, fast, gpu", "0.1.0"):
        assert word in row
    assert f"{NODE}: waiting: others use 3.1 of 4 CPUs" in result.stdout
    assert f"{NODE}: warning: may use 2 CPUs" in result.stdout
    assert f"{NODE}: not heard of for" in result.stdout


def test_one_node_is_shown_with_all_that_it_says(spool: Path) -> None:
    plant(spool, FULL)
    shown = park("nodes", "n4", spool=spool).stdout
    for word in ("n4.ncnr.nist.gov (Linux 6.1)", "at most 8 GB for each job", "Python 3.11.7, numpy 2.4.6", "1.1.7"):
        assert word in shown
    assert "best so far chisq 1023.4" in shown


def test_nodes_as_json(spool: Path) -> None:
    plant(spool, FULL)
    [one] = json.loads(park("nodes", "--json", spool=spool).stdout)
    assert one == json.loads(park("nodes", "--json", "n4", spool=spool).stdout)
    assert (one["node"], one["running"][0]["chisq"], one["tags"]) == (NODE, 1023.4, ["n4", "fast", "gpu"])


def test_no_node_at_all(spool: Path) -> None:
    result = park("nodes", spool=spool)
    assert (result.exit_code, result.stdout) == (FINE, "") and "no park-noded is alive" in result.stderr
    assert park("nodes", "n4", spool=spool).exit_code == FAILED


def test_a_heartbeat_that_was_replaced_since_the_listing_is_read(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(spool, FULL, 8)
    listed = [naming.heartbeat_name(NODE, 7)]
    monkeypatch.setattr("park_spool.atomic.os.listdir", lambda folder: listed if "nodes" in str(folder) else [])
    assert NODE in park("nodes", spool=spool).stdout


def test_drain_puts_up_a_notice_once(spool: Path) -> None:
    plant(spool, FULL)
    first, second = (park("drain", "n4", spool=spool) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (FINE, FINE)
    assert f"{NODE} is told to leave: it finishes what it runs (2 of 4 CPUs are busy)" in first.stdout
    assert "start park-noded on n4.ncnr.nist.gov again" in first.stdout and "was told to leave before" in second.stdout
    notice = json.loads((spool / "notices" / f"{NODE}.drain").read_text())
    assert sorted(notice) == ["at", "by"] and check(spool) == []
    assert json.loads(park("nodes", "--json", "n4", spool=spool).stdout)["state"] == "draining"
    assert park("drain", "n5", spool=spool).exit_code == FAILED


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path, "noded") as running:
        yield running


def test_a_drained_node_leaves_and_is_waited_for(site: Site) -> None:
    until(lambda: os.listdir(site.spool / "nodes"), 30, "the first heartbeat")
    [node] = json.loads(park("nodes", "--json", spool=site.spool).stdout)
    result = park("drain", "--wait", node["node"], spool=site.spool)
    assert result.exit_code == FINE and f"{node['node']} is gone" in result.stdout
    until(lambda: site.processes["noded"].poll() == 0, 30, "its end")
