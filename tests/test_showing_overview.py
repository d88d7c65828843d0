"""The list of sessions as it is shown: filters, sorts, what is not in it yet, and the stamp that says when to look."""

from __future__ import annotations

from pathlib import Path

import archive_story
import pytest
from archive_examples import RECEIVED, failed, ok, put, session
from archive_story import GONE, OTHER, SID

from park_spool import config
from park_spool.archive.finding import Found
from park_spool.archive.listing import SORTS, Asked
from park_spool.archive.reading import ArchiveReader
from park_spool.archive.writing import Archive
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.errors import NotFound
from park_spool.showing.overview import Overview, overview
from park_spool.showing.stamp import RACY, stamps

ANA = "20261125-000000-many"
BEN = "20261126-000000-bens"


@pytest.fixture
def site(tmp_path: Path) -> Config:
    config.make_spool(tmp_path / "spool")
    settings = config.load(tmp_path / "spool")
    archive_story.archive(settings.archive)
    with Archive.open(settings.archive) as archive:
        archive.add_session(ANA, session(5, name="Sulphur", user="ana"), b"", RECEIVED + 100)
        archive.add_session(BEN, session(9, 1, user="ben", reducer=None) | {"file": "ben.xml"}, b"", RECEIVED + 200)
        put(
            archive,
            [ok(job, 10.0 / job, sid=BEN, started=job) for job in (1, 2, 4)],
            [failed(3, 2, is_final=True, sid=BEN)],
        )
    return settings


def look(site: Config, **asked: object) -> Overview:
    disk = Disk(site.layout.tmp, "test")
    return overview(site, disk, Found(ArchiveReader(site.archive)), Asked(**asked))  # type: ignore[arg-type]


def sids(shown: Overview) -> list[str]:
    return [one.sid for one in shown.sessions]


def test_the_newest_come_first_and_deleted_ones_only_when_asked_for(site: Config) -> None:
    shown = look(site)
    assert sids(shown) == [BEN, ANA, OTHER, SID]
    assert (shown.total, shown.page, shown.pages) == (4, 1, 1)
    assert shown.states == {"deleted": 1, "done": 1, "queued": 1, "running": 2}
    assert shown.users == ("ana", "ben", "wei")
    assert shown.services == ("reflectivity",)
    assert sids(look(site, state="deleted")) == [GONE]
    assert look(site, state="deleted").total == 1


def test_a_row_tells_how_far_it_is(site: Config) -> None:
    row = look(site).sessions[0]
    assert (row.user, row.file, row.jobs, row.done, row.ok, row.failed) == ("ben", "ben.xml", 10, 4, 3, 1)
    assert (row.best_chisq, row.best_job, row.is_open) == (2.5, "1.1.4", True)
    assert row.tasks == ("reflectivity/fit",)
    assert row.sparkline == (1.0, 0.699, 0.3979)
    assert row.rate is not None and row.left is not None


def test_pages_and_filters(site: Config) -> None:
    assert sids(look(site, size=2, page=2)) == [OTHER, SID]
    assert look(site, size=3).pages == 2
    assert sids(look(site, user="wei")) == [OTHER, SID]
    assert sids(look(site, text="SULPHUR")) == [ANA]
    assert sids(look(site, service="reflectivity", state="queued")) == [ANA]
    assert sids(look(site, service="reflectivity/fit", user="ben")) == [BEN]
    assert sids(look(site, service="reflect")) == []


def test_whose_sessions_alone_may_be_seen(site: Config) -> None:
    shown = look(site, owner="ben")
    assert sids(shown) == [BEN]
    assert (shown.total, shown.users, shown.states) == (1, ("ben",), {"running": 1})
    assert sids(look(site, owner="ben", user="wei")) == []


@pytest.mark.parametrize("sort", SORTS)
def test_every_sort_in_both_orders(site: Config, sort: str) -> None:
    up, down = look(site, sort=sort, descending=False), look(site, sort=sort, descending=True)
    assert sorted(sids(up)) == sorted(sids(down)) == sorted([SID, OTHER, ANA, BEN])
    assert sids(look(site, sort=sort)) in (sids(up), sids(down))


def test_the_sorts_sort(site: Config) -> None:
    assert sids(look(site, sort="chisq"))[0] == min(look(site).sessions, key=lambda row: row.best_chisq or 9e9).sid
    assert sids(look(site, sort="failed"))[0] == max(look(site).sessions, key=lambda row: row.failed).sid
    assert [row.jobs for row in look(site, sort="jobs").sessions] == sorted(
        (row.jobs for row in look(site).sessions), reverse=True
    )
    assert [row.user for row in look(site, sort="user").sessions] == ["ana", "ben", "wei", "wei"]
    assert look(site, sort="chisq").sessions[-1].sid == ANA  # without any chisq it is last
    assert look(site, sort="chisq", descending=True).sessions[-1].sid == ANA


def test_what_cannot_be_asked_is_said(site: Config) -> None:
    with pytest.raises(NotFound, match="not sorted by 'size': expected one of received"):
        look(site, sort="size")
    with pytest.raises(NotFound, match="expected a page from 1 on"):
        look(site, page=0)


def test_what_lies_in_the_inbox_and_what_was_rejected(site: Config) -> None:
    me = site.layout.inbox.owner()
    (site.layout.inbox / f"{SID}.film.xml").write_text("<session/>")
    (site.layout.inbox / "dropped.xml").write_text("<session/>")
    begun = site.layout.sessions / ".20261127-000000-aaaa"
    begun.mkdir()
    (begun / "received.json").write_text(f'{{"owner": "{me}"}}')
    (site.layout.rejected / "bad.xml").write_text("<sess")
    (site.layout.rejected / "bad.xml.why").write_text("bad.xml: line 1: <not> XML\n")
    shown = look(site)
    assert {(one.sid, one.file, one.place, one.user) for one in shown.coming} == {
        (SID, "film.xml", "inbox", me),
        ("", "dropped.xml", "inbox", me),
        ("20261127-000000-aaaa", "", "admitting", me),
    }
    assert [(one.name, one.user, one.reason) for one in shown.rejected] == [
        ("bad.xml", me, "bad.xml: line 1: <not> XML")
    ]
    assert look(site, owner="somebody").coming == look(site, owner="somebody").rejected == ()


def test_without_an_archive_it_says_why(site: Config) -> None:
    shown = overview(site, Disk(site.layout.tmp, "test"), None, Asked(), "there is no archive yet")
    assert (shown.sessions, shown.total, shown.why) == ((), 0, "there is no archive yet")


def test_the_stamp_changes_with_the_archive_and_with_names_on_the_spool(site: Config) -> None:
    disk = Disk(site.layout.tmp, "test")
    later = max(path.stat().st_mtime_ns for path in site.spool.rglob("*")) + 10 * RACY

    def stamp() -> str:
        return stamps(site, disk, lambda: later).spool

    first = stamp()
    assert stamp() == first
    (site.layout.inbox / "film.xml").write_text("<session/>")
    second = stamp()
    assert second != first
    with Archive.open(site.archive) as archive:
        put(archive, [ok(5, 1.0, sid=BEN)])
    assert stamp() != second


def test_what_was_written_just_now_is_looked_at_again(site: Config) -> None:
    disk = Disk(site.layout.tmp, "test")
    now = site.archive.stat().st_mtime_ns
    assert stamps(site, disk, lambda: now + 1).spool != stamps(site, disk, lambda: now + 2).spool
