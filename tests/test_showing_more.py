"""Comparisons, nodes, logs, messages, where a session came from, and the data centres, as they are shown."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import archive_story
import msgspec
import pytest
from answered import FIT, close, over, said
from archive_story import NODE, OTHER, RECEIVED, SECOND, SID
from world import World

from park_spool import config, sealed
from park_spool.archive.finding import Found
from park_spool.archive.reading import ArchiveReader
from park_spool.archive.writing import Archive
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.data_centre import numbers
from park_spool.errors import NotFound, TemporaryError
from park_spool.listening import listen
from park_spool.naming import heartbeat_name
from park_spool.showing import centre, compare, logs, messages, nodes, origin
from park_spool.showing.messages import MessagesAsked

LIVE = "n9_9_cccccc"
LOG = """2026-11-23 02:55:31,120 INFO park_spool.spoold: spool is tended
2026-11-23 02:55:32,500 WARNING park_spool.tending: <script>alert(1)</script>
Traceback (most recent call last):
  File "x.py", line 1
2026-11-23 02:55:33,000 ERROR park_spool.tending: disk full
2026-11-23 02:55:34,000 INFO park_spool.spoold: goes on
"""


@pytest.fixture
def site(tmp_path: Path) -> Config:
    config.make_spool(tmp_path / "spool")
    settings = config.load(tmp_path / "spool")
    archive_story.archive(settings.archive)
    return settings


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def disk(settings: Config) -> Disk:
    return Disk(settings.layout.tmp, "test")


def reader(settings: Config) -> ArchiveReader:
    return ArchiveReader(settings.archive)


# comparisons


def test_fits_stand_side_by_side(world: World) -> None:
    parameters = [{"name": "thickness", "value": 259.86, "error": 0.16, "unit": "Å"}, {"name": "more", "value": 1}]
    first = over(world, FIT, [said(5.0), said(2.5), None])
    second = over(world, FIT, [said(2.0, parameters=parameters), None, None])
    close(world)
    asked = [first, f"{first}:1.1.1", f"{second}:1", second]
    shown = compare.compare(world.config, disk(world.config), reader(world.config), asked)
    assert msgspec.json.decode(msgspec.json.encode(shown), type=compare.Comparison) == shown
    assert [(one.job, one.fit and one.fit.chisq) for one in shown.compared] == [
        ("1.1.2", 2.5),
        ("1.1.1", 5.0),
        ("1.1.1", 2.0),
        ("1.1.1", 2.0),
    ]
    assert [one.name for one in shown.parameters] == ["thickness", "scale", "more"]
    thickness = shown.parameters[0]
    assert thickness.differences == (None, 0.0, pytest.approx(5.0), pytest.approx(5.0))
    assert shown.parameters[1].values[2] is None and shown.parameters[2].differences == (None, None, None, None)


@pytest.mark.parametrize("of", ["", "20261123-025532-none", "{}:two", "{}:9", "{}:1.1.9", "{}:1.1.3", "{}:1.1", "{}:²"])
def test_what_cannot_be_compared_is_said(world: World, of: str) -> None:
    sid = over(world, FIT, [said(5.0), said(2.5), None])
    close(world)
    with pytest.raises(NotFound):
        compare.compare(world.config, disk(world.config), reader(world.config), [of.format(sid)])


def test_a_session_without_a_fit_is_compared_too(site: Config) -> None:
    with Archive.open(site.archive) as archive:
        archive.add_session("20261125-000000-many", archive_story.session(archive_story.FILM_GROUP), b"", RECEIVED)
    shown = compare.compare(site, disk(site), reader(site), ["20261125-000000-many"])
    assert (shown.compared[0].fit, shown.compared[0].group, shown.parameters) == (None, None, ())


# nodes


def test_living_nodes_come_from_heartbeats_and_those_that_are_gone_from_the_archive(site: Config) -> None:
    told = {"node": LIVE, "host": "n9.x.org", "cpus": 4, "busy": 3, "load": [1.5, "a"], "at": 1000.0, "version": "0.1"}
    told |= {"progress": [{"sid": SID, "group": 1, "joblist": 1, "job": 3, "seconds": 4.0, "chisq": 2.5}]}
    told |= {"identity": {"host": "elsewhere", "pid": 1, "started": 1.0, "boot": "x"}, "warnings": ["<b>hot</b>"]}
    (site.layout.nodes / heartbeat_name(LIVE, 7)).write_bytes(sealed.seal_json(told))
    shown = nodes.nodes(site, disk(site), Found(reader(site)), wall=lambda: 1001.0)
    assert msgspec.json.decode(msgspec.json.encode(shown), type=nodes.NodesPage) == shown
    [one] = shown.nodes
    assert (one.node, one.busy, one.load, one.seen, one.is_silent) == (LIVE, 3, (1.5,), 1000.0, False)
    assert [(job.job, job.seconds, job.chisq) for job in one.running] == [("1.1.3", 5.0, 2.5)]
    assert (shown.cpus, shown.busy, shown.spoold) == (4, 3, "") and len(shown.missing) == 2
    assert {gone.node for gone in shown.gone} >= {NODE} and not any(gone.is_alive for gone in shown.gone)
    assert shown.events[0].what == "appeared"
    assert nodes.nodes(site, disk(site), None, wall=lambda: 1e6).nodes[0].is_silent
    others = nodes.nodes(site, disk(site), Found(reader(site)), "nobody-like-this", wall=lambda: 1001.0)
    assert [one.running for one in others.nodes] == [()]
    assert others.busy == shown.busy


def test_one_node(site: Config) -> None:
    shown = nodes.node(site, disk(site), Found(reader(site)), NODE)
    assert (shown.node.state, shown.node.running) == ("gone", ())
    assert [event.detail for event in shown.events] == ["n1, 2 CPUs, park-spool 0.1.0"]
    for name in (SECOND[:-1], "../park.toml"):
        with pytest.raises(NotFound):
            nodes.node(site, disk(site), Found(reader(site)), name)


# logs


def test_the_end_of_a_log(site: Config) -> None:
    (site.layout.logs / "spoold-n4.log").write_text(LOG)
    (site.layout.logs / "noded-n4.log.2").write_text("")
    (site.layout.logs / "park.toml").write_text("secret")
    (site.layout.logs / "reduced-n4.log").symlink_to(site.layout.settings)
    found = logs.logs(site, disk(site))
    assert [(one.name, one.daemon, one.host, one.number) for one in found] == [
        ("noded-n4.log.2", "noded", "n4", 2),
        ("spoold-n4.log", "spoold", "n4", 0),
    ]
    tail = logs.tail(site, disk(site), "spoold-n4.log", 3)
    assert [line.text for line in tail.lines] == ['  File "x.py", line 1', "disk full", "goes on"]
    severe = logs.tail(site, disk(site), "spoold-n4.log", level="WARNING")
    assert [line.level for line in severe.lines] == ["WARNING"] * 3 + ["ERROR"]
    assert [line.at for line in logs.tail(site, disk(site), "spoold-n4.log", text="FULL").lines] == [
        "2026-11-23 02:55:33,000"
    ]
    for name in ("park.toml", "../park.toml", "reduced-n4.log", "spoold-n5.log", "", "spoold-n4.log\n"):
        with pytest.raises(NotFound, match="there is no log"):
            logs.tail(site, disk(site), name)
    with pytest.raises(NotFound, match="no level 'LOUD'"):
        logs.tail(site, disk(site), "spoold-n4.log", level="LOUD")


def test_of_a_long_log_only_the_end_is_read(site: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST_BYTES", 100)
    (site.layout.logs / "spoold-n4.log").write_text(LOG)
    tail = logs.tail(site, disk(site), "spoold-n4.log")
    assert tail.is_cut and [line.text for line in tail.lines] == ["goes on"]


# messages


def test_messages_page_by_page_and_live(site: Config) -> None:
    said_first = messages.messages(reader(site), MessagesAsked(limit=1))
    every = messages.messages(reader(site), MessagesAsked())
    assert len(every.messages) >= 2 and every.next == 0
    assert said_first.messages == every.messages[:1] and said_first.next == every.messages[0].place
    older = messages.messages(reader(site), MessagesAsked(limit=1, before=said_first.next))
    assert older.messages == every.messages[1:2]
    assert messages.messages(reader(site), MessagesAsked(after=every.last)).messages == ()
    with Archive.open(site.archive) as archive:
        archive.add_message(OTHER, 1, "<script>alert(1)</script>", RECEIVED + 500)
    fresh = messages.messages(reader(site), MessagesAsked(after=every.last))
    assert [(one.sid, one.text) for one in fresh.messages] == [(OTHER, "<script>alert(1)</script>")]
    assert not fresh.is_anew and fresh.last > every.last
    anew = messages.messages(reader(site), MessagesAsked(after=fresh.last + 7))
    assert anew.is_anew and len(anew.messages) == len(every.messages) + 1


def test_messages_of_a_session_a_user_or_with_a_text(site: Config) -> None:
    every = messages.messages(reader(site), MessagesAsked()).messages
    of_one = messages.messages(reader(site), MessagesAsked(sid=SID)).messages
    assert of_one == tuple(one for one in every if one.sid == SID)
    assert messages.messages(reader(site), MessagesAsked(owner="wei")).messages == every
    assert messages.messages(reader(site), MessagesAsked(owner="ana")).messages == ()
    assert messages.messages(reader(site), MessagesAsked(text="no such text")).messages == ()
    with pytest.raises(NotFound, match="expected 1 to"):
        messages.messages(reader(site), MessagesAsked(limit=0))


# where it came from


def test_where_a_session_came_from(site: Config) -> None:
    shown = origin.origin(reader(site), SID)
    assert [(one.node, one.versions) for one in shown.ran] == [(NODE, {"numpy": "2.4.6"})]
    assert {one.href for one in shown.data} == {"frames/f1.dat", "frames/f2.dat", "film.txt"}
    assert [event.what for event in shown.events] == ["admitted", "retry"]
    assert origin.xml(site, disk(site), reader(site), SID) == b"<session/>"
    with pytest.raises(NotFound, match="is not here"):
        origin.xml(site, disk(site), reader(site), "20261123-025532-none")


def test_the_xml_is_that_which_was_received(world: World) -> None:
    sid = world.admit(xml=FIT)
    assert origin.xml(world.config, disk(world.config), None, sid) == FIT.encode()


# data centres


@contextmanager
def answering(status: int, text: str) -> Iterator[str]:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_the_numbers_of_a_data_centre() -> None:
    text = '# HELP x\npark_datad_requests_total{status="200"} 10\npark_datad_stored_bytes 1.5e+06\nodd 1 2\nx\xff NaN\n'
    with answering(200, text) as address:
        assert numbers(address, 5.0) == {("requests_total", "200"): 10.0, ("stored_bytes", ""): 1.5e6}
    with answering(500, "no") as address, pytest.raises(TemporaryError, match="answered 500 when asked how it is"):
        numbers(address, 5.0)


def test_a_site_without_a_data_centre_and_one_that_does_not_answer(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    assert centre.centre(Config(spool, tmp_path / "a.sqlite")).why.startswith("this site has no data centre")
    with closing(listen("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        shown = centre.centre(Config(spool, tmp_path / "a.sqlite", datacenter=(address,)), timeout=0.2)
    assert not shown.centres[0].is_up and "cannot be reached" in shown.centres[0].why
