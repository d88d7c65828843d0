"""What an administrator does with the archive while real daemons are at work on it, and after they have ended."""

from __future__ import annotations

from pathlib import Path

from console import park
from daemons import Site, until
from test_end_to_end import NOOP

from park_spool.archive.checking import check
from park_spool.cli.options import FINE, TRY_LATER

JOBS = 20_000


def test_upkeep_in_the_middle_of_the_work_changes_nothing_and_stops_nobody(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        site.drop_text("many.xml", NOOP.format(count=JOBS))
        until(lambda: site.query("SELECT 1 FROM jobs LIMIT 1"), 60, "the first jobs")
        for number in range(3):
            for words in (
                ("compact",),
                ("check",),
                ("snapshot",),
                ("snapshot", tmp_path / f"{number}.sqlite"),
                ("export", tmp_path / f"tables-{number}"),
            ):
                result = park("archive", *words, spool=site.spool)
                assert result.exit_code == FINE, (words, result.output)
            assert check(tmp_path / f"{number}.sqlite") == []
        refused = park("archive", "rebuild", spool=site.spool)
        assert refused.exit_code == TRY_LATER and "nothing was changed. Stop it first" in refused.stderr
        until(lambda: site.closed() == 1, 120, "closing")
        site.assert_running()
        assert site.query("SELECT count(*), count(DISTINCT job_number) FROM jobs") == [(JOBS, JOBS)]
        assert site.query("SELECT count(*) FROM provenance WHERE service = 'tester' AND service_digest <> ''") == [(1,)]
        happened = "SELECT what FROM events UNION SELECT what FROM node_events ORDER BY 1"
        until(lambda: site.query(happened) == [("admitted",), ("appeared",)], 60, "the node among what happened")
        site.assert_legal()
    before = site.query("SELECT * FROM jobs")
    assert park("archive", "rebuild", spool=site.spool).exit_code == FINE
    assert site.query("SELECT * FROM jobs") == before
    assert park("archive", "check", spool=site.spool).stdout == ""
    site.assert_legal()
