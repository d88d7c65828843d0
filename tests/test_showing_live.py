"""What is shown of a spool with daemons at work: what runs, what waits, how chi-square falls, until it is over."""

from __future__ import annotations

from pathlib import Path

from daemons import Site, until

from park_spool.archive import finding
from park_spool.archive.finding import Found
from park_spool.archive.listing import Asked
from park_spool.atomic import Disk
from park_spool.errors import ParkError
from park_spool.showing import charts, logs, maps, nodes, origin
from park_spool.showing.job import job
from park_spool.showing.jobs import JobsAsked, jobs
from park_spool.showing.overview import Overview, overview
from park_spool.showing.session import session
from park_spool.showing.stamp import stamps

MAP = """<session user='wwchen' name='two axes'><group name='plane'><reduce classname='ChisqMap'/>
<task cmd='tester/chisq'/><joblist><scan>
<axis name='x' start='1' stop='5' count='5'/><axis name='y' start='-3' stop='1' count='5'/></scan></joblist></group>
<group name='fails'><task cmd='tester/fail'/><joblist><input status='3' stderr='&lt;b&gt;no&lt;/b&gt;'/></joblist></group>
</session>"""
SLOW = """<session user='wwchen'><group name='slow'><task cmd='tester/slow'/><joblist cnt='9'>
<input seconds='300'/></joblist></group></session>"""


def look(site: Site, **asked: object) -> Overview:
    disk = Disk(site.config.layout.tmp, "test")
    try:
        found: Found | None = finding.find(site.config, disk)
        return overview(site.config, disk, found, Asked(**asked))  # type: ignore[arg-type]
    except ParkError:
        return Overview()


def test_a_session_from_the_inbox_to_its_end(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        disk = Disk(site.config.layout.tmp, "test")
        seen = {stamps(site.config, disk).spool}
        site.drop_text("map.xml", MAP)
        until(lambda: any(not one.is_open for one in look(site).sessions), 60, "the end of the session")
        seen.add(stamps(site.config, disk).spool)
        assert len(seen) == 2
        [row] = look(site).sessions
        assert (row.state, row.jobs, row.ok, row.failed, row.best_chisq) == ("failed", 26, 25, 1, 2.0)
        reader = finding.find(site.config, disk).reader
        plane, fails = session(site.config, None, row.sid).groups
        assert (plane.kind, fails.kind, plane.maps[0].filled) == ("map", "jobs", 25)
        assert maps.chisq_map(reader, row.sid, 1, 1).minima[0].point == {"x": "3", "y": "-1"}
        assert charts.history(reader, row.sid, 1).steps[-1].chisq == 2.0
        failed = job(site.config, disk, reader, row.sid, "2.1.1")
        assert failed.may_retry and failed.input["status"] == "3"
        assert [run.ending for run in failed.runs] == ["exited with status 3"] * site.config.max_attempts
        assert all("<b>no</b>" in run.stderr for run in failed.runs)
        assert {one.service for one in origin.origin(reader, row.sid).ran} == {"tester"}
        assert origin.xml(site.config, disk, reader, row.sid).decode() == MAP
        assert {one.daemon for one in logs.logs(site.config, disk)} >= {"spoold", "noded"}
        assert nodes.nodes(site.config, disk, Found(reader)).missing == ()


def test_what_runs_and_what_waits(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        disk = Disk(site.config.layout.tmp, "test")
        site.drop_text("slow.xml", SLOW)
        until(lambda: look(site).sessions, 60, "a session in the archive")
        sid = look(site).sessions[0].sid
        until(lambda: session(site.config, None, sid).running, 60, "a running job")
        shown = session(site.config, None, sid)
        assert shown.session.state in ("queued", "running") and shown.may.pause
        reader = finding.find(site.config, disk).reader
        until(lambda: jobs(site.config, disk, reader, sid, JobsAsked()).running, 60, "a running job in the archive")
        table = jobs(site.config, disk, reader, sid, JobsAsked())
        assert table.total == 0 and table.waiting + len(table.running) == 9
        waiting = jobs(site.config, disk, reader, sid, JobsAsked(state="waiting"))
        assert waiting.total + len(jobs(site.config, disk, reader, sid, JobsAsked(state="running")).rows) == 9
        assert job(site.config, disk, reader, sid, table.running[0].job).state == "running"
        until(lambda: nodes.nodes(site.config, disk, Found(reader)).nodes[0].running, 60, "a node that runs it")
        (site.spool / "sessions" / sid / "control.000000001.aaaaaa.cancel").touch()
        until(lambda: site.closed() == 1, 60, "the end of what was cancelled")
        assert session(site.config, None, sid).session.state == "cancelled"
