"""The zoo on a whole node: every hostile job in one session, innocent jobs between them, and the daemon that lives on."""

from __future__ import annotations

import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import pytest
from daemons import Site, until
from zoo_keeping import BEASTS, ZOO, put_down, survivors


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    word = uuid.uuid4().hex
    monkeypatch.setenv("PARK_ZOO", word)
    yield f"PARK_ZOO={word}"
    put_down(f"PARK_ZOO={word}")


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the zoo beside the spool, and the nodes' temporary folders where a test sees them."""
    shutil.copytree(ZOO, tmp_path / "services" / "zoo", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))


def session(groups: dict[str, list[str]]) -> str:
    """Write a session with one group for each command, one job for each word."""
    lines = [
        f"<group name='{command}'><task cmd='zoo/{command}'/><joblist name='j'>"
        + "".join(f"<input do='{word}'/>" for word in words)
        + "</joblist></group>"
        for command, words in groups.items()
    ]
    return f"<session version='2.0.1' user='keeper' email=''>{''.join(lines)}</session>"


RESULTS = """SELECT group_number, job_number, status, output, why, stderr FROM jobs
LEFT JOIN results USING (sid, group_number, joblist_number, job_number)"""


@pytest.mark.prove
@pytest.mark.usefixtures("services")
def test_the_whole_zoo_at_once(tmp_path: Path, mark: str) -> None:
    """Each beast gets its own status and words, each innocent is ok, and the node is the one that was there before."""
    beasts = sorted((beast for beast in BEASTS if len(beast.word) < 100), key=lambda beast: beast.command)
    cages = {command: list(members) for command, members in groupby(beasts, key=lambda beast: beast.command)}
    words = {
        command: [word for beast in members for word in (beast.word, "think")] for command, members in cages.items()
    }
    with Site(tmp_path, max_attempts=1) as site:
        site.drop_text("zoo.xml", session(words))
        until(lambda: site.closed() == 1, 120, "closing the zoo")
        site.assert_running()
        rows = {
            (row[0], row[1]): dict(zip(("status", "output", "why", "stderr"), row[2:], strict=True))
            for row in site.query(RESULTS)
        }
        assert len(rows) == sum(map(len, words.values()))
        kept = [beast for members in cages.values() for beast in members]
        places = [(group, 2 * at + 1) for group, members in enumerate(cages.values(), 1) for at in range(len(members))]
        assert [fault for beast, place in zip(kept, places, strict=True) for fault in beast.faults(rows[place])] == []
        innocents = {str(beast): rows[group, job + 1] for beast, (group, job) in zip(kept, places, strict=True)}
        assert {name: row for name, row in innocents.items() if row["status"] != "ok"} == {}
        assert len(site.query("SELECT DISTINCT node FROM jobs")) == 1, "the node was taken for dead"
        site.assert_legal()
    assert survivors(mark) == {}
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.usefixtures("services")
def test_a_job_that_kills_its_node_is_given_up_on(tmp_path: Path, mark: str) -> None:
    """It takes down as many nodes as it has attempts, then a reply says so; every other job is ok."""
    word = ["kill_the_nodes_group"]
    with Site(tmp_path, "spoold", "reduced", max_attempts=2) as site:
        deaths = 0

        def is_closed() -> bool:
            nonlocal deaths
            if "noded" not in site.processes or site.processes["noded"].poll() is not None:
                deaths += "noded" in site.processes
                site.start("noded", "--cpus", "1", wrap=("setsid",))  # a group of its own, or it would be the tests'
            return site.closed() == 1

        site.drop_text("zoo.xml", session({"run": ["think"] * 3 + word + ["think"] * 3}))
        until(is_closed, 120, "closing")
        rows = {row[1]: row[2:] for row in site.query(RESULTS)}
        assert [rows[job][0] for job in range(1, 8)] == ["ok"] * 3 + ["lost"] + ["ok"] * 3
        assert "2" in rows[4][2] and "node" in rows[4][2]
        assert (
            2 <= deaths <= 3
        )  # one more if it was in a unit with others at first: that one is cut, and costs no attempt
        site.assert_running()
        site.assert_legal()
    assert survivors(mark) == {}


@pytest.mark.usefixtures("services")
def test_a_scratch_folder_that_cannot_be_emptied(tmp_path: Path, mark: str, needs: Callable[[str], str]) -> None:
    """Folders without write permission, for a node that permissions bind: root's power over them is taken away."""
    powers = "-dac_override,-dac_read_search,-fowner"
    wrap = (needs("setpriv"), f"--bounding-set={powers}", f"--inh-caps={powers}")
    if subprocess.run([*wrap, "true"], check=False, capture_output=True).returncode:
        wrap = ()  # not root: permissions bind anyhow
    with Site(tmp_path, "spoold", "reduced", max_attempts=1) as site:
        site.start("noded", "--cpus", "1", wrap=wrap)
        site.drop_text("zoo.xml", session({"program": ["leave_read_only_folders", "think"] * 10}))
        until(lambda: site.closed() == 1, 60, "closing")
        assert {row[2:] for row in site.query(RESULTS)} == {
            ("ok", "left\n", None, None),
            ("ok", "thought\n", None, None),
        }
        assert len(list((tmp_path / "tmp").rglob("still"))) <= 1, "the node's disk fills up"
        site.assert_legal()
    assert list((tmp_path / "tmp").iterdir()) == []
    assert survivors(mark) == {}
