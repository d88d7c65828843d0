"""Where results came from: what a reply's header says, which text of a service ran, and which data jobs read."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from archive_examples import ok
from world import STRANGER, World

from park_spool import admitted, replies, sealed
from park_spool.naming import Unit, parse_reply
from park_spool.reducing import origins
from park_spool.replies import Reply
from park_spool.running import service_text
from park_spool.running.report import About
from park_spool.running.service_text import ServiceTexts
from park_spool.sessions.element import Element
from park_spool.sessions.session import DataRef, Group, JobList, Session, Task

DIGEST = "ab" * 32


@pytest.fixture
def service(tmp_path: Path) -> Path:
    folder = tmp_path / "services" / "line"
    folder.mkdir(parents=True)
    (folder / "service.toml").write_text("[commands.go]\n")
    (folder / "line.py").write_text("pass\n")
    return folder


def digest(folder: Path) -> str:
    return service_text.digest(folder, service_text.version(folder))


def test_the_digest_is_over_names_and_bytes_and_nothing_else(service: Path) -> None:
    first = digest(service)
    (service / "__pycache__").mkdir()
    (service / "__pycache__" / "line.pyc").write_text("compiled")
    (service / ".line.py.swp").write_text("being edited")
    os.utime(service / "line.py", (1, 1))
    assert digest(service) == first
    (service / "line.py").rename(service / "lines.py")
    second = digest(service)
    (service / "lines.py").write_text("fail\n")
    assert len({first, second, digest(service)}) == 3


def test_a_large_file_counts_by_its_size(service: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_text, "LARGEST", 2)
    first = digest(service)
    (service / "line.py").write_text("fail\n")
    assert digest(service) == first


def test_an_edited_service_is_another_one_a_moment_later(service: Path) -> None:
    texts = ServiceTexts([service.parent / "none", service.parent])
    first = texts.origin("line", 0.0)
    assert first == {"service": "line", "service_digest": digest(service)}
    (service / "line.py").write_text("print()\n")
    assert texts.origin("line", 0.5) == first
    assert texts.origin("line", 1.5) == {"service": "line", "service_digest": digest(service)} != first


def test_a_service_that_cannot_be_read_has_no_digest(service: Path) -> None:
    texts = ServiceTexts([service.parent])
    (service / "gone.py").symlink_to(service / "nothing")
    assert [texts.origin(name, 0.0)["service_digest"] for name in ("line", "unknown")] == ["", ""]


def reply(header: dict[str, object], start: int = 1, node: str = STRANGER) -> Reply:
    return Reply(Unit("20261123-025532-k3j9", 1, 1, start, start + 1), node, header, [])


def test_provenance_is_one_row_for_each_node_and_text_of_the_service() -> None:
    header = {"host": "n1", "version": "0.1", "python": "3.11.7", "versions": {"numpy": "2.4.6"}, "service": "line"}
    first = header | {"service_digest": DIGEST}
    found = origins.provenance([reply(first), reply(first, 2), reply(header, 3), reply(first, 4, "n_1_aaaaaa")])
    assert [(row.node, row.service_digest) for row in found] == [
        (STRANGER, DIGEST),
        (STRANGER, ""),
        ("n_1_aaaaaa", DIGEST),
    ]
    assert found[0][3:7] == ("n1", "0.1", "3.11.7", "line") and found[0].versions == '{"numpy": "2.4.6"}'


def test_odd_headers_are_no_errors() -> None:
    odd = reply({"host": ["n1"], "version": 3, "service_digest": {}, "versions": [1], "service": "\ud800"})
    [row] = origins.provenance([odd, reply({})])
    assert row[3:] == ("", "", "", "\ud800", "", "{}")


def test_data_sets_have_the_place_that_the_session_says() -> None:
    own = Element("input", {}, "", (Element("data", {"name": "frame", "href": "f1.dat"}),))
    joblist = JobList("a", 0, 2, (own, Element("input")))
    group = Group("g", Task("t/t", "t", "t"), (DataRef("frame", "g.dat"),), None, (joblist,))
    session = admitted.Admitted("sid", "a.xml", "wei", 1.0, 3, Session("wei", "", 0, {}, (group,)))
    results = [ok(1, data={"frame": DIGEST}), ok(2, data={"frame": DIGEST, "odd": 3, "strange": "x"}), ok(2)]  # type: ignore[dict-item]
    assert sorted(row[2:] for row in origins.data_sets(session, results)) == [
        ("frame", DIGEST, "f1.dat"),
        ("frame", DIGEST, "g.dat"),
        ("strange", "x", ""),
    ]


def test_a_node_says_what_ran_and_the_archive_keeps_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    sid = world.admit(many=3, few=1)
    spoold, node, reducer = world.spoold(), world.node(), world.reducer()
    node._about = About(versions={"numpy": "2.4.6"})
    node.shop._header = node._about.header()
    for _ in range(40):
        spoold.step()
        node.step()
        world.clock.now += 0.7
        if len(list(world.layout.replies.iterdir())) == 2:
            break
    for path in world.layout.replies.iterdir():
        head = json.loads(sealed.unseal(path.read_bytes()).partition(b"\n")[0])
        assert head["service"] == "tester" and len(head["service_digest"]) == 64
        assert replies.decode(path.name, path.read_bytes()).node == parse_reply(path.name)[1]  # type: ignore[index]
    world.let(reducer, turns=3, tick=3.0)
    reducer.leave()
    [row] = world.rows("provenance")
    assert row[:3] == (sid, 1, node.member.name) and row[6] == "tester" and row[8] == '{"numpy": "2.4.6"}'
