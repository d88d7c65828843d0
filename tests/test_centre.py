"""The data centre's answers: versions, holds, what is sent, who may ask what, and a full disk."""

from __future__ import annotations

import errno
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from centre_site import BEARER, SID, Site, sha256
from daemons import until
from park_spool.datacenter.downloads import Downloads
from park_spool.datacenter.keeping import Keeper, open_sessions

from park_spool.atomic import Disk
from park_spool.store import evicting, holding
from park_spool.store.entries import entries

OTHER = "20261123-025533-x0p2"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def said(answer: object) -> str:
    return str(answer.json["error"])  # type: ignore[attr-defined]


# versions


def test_a_file_is_brought_once_and_then_served(site: Site) -> None:
    digest = site.put("run7/film.ort", b"one")
    for _ in range(3):
        answer = site.ask("/data/here/run7/film.ort")
        assert (answer.status_code, answer.data) == (200, b"one")
        assert answer.headers["X-Park-Digest"] == answer.get_etag()[0] == digest
        assert "X-Park-Unchecked" not in answer.headers
    assert (site.downloads(), site.questions()) == (1, 0)
    assert site.ask(f"/blobs/{digest}").data == b"one"


def test_the_source_is_asked_at_most_every_minute(site: Site) -> None:
    site.put("a", b"one")
    assert site.ask("/data/here/a").data == b"one"
    second = site.put("a", b"second")
    assert site.ask("/data/here/a").data == b"one"
    site.now += 60.0
    assert site.ask("/data/here/a").data == b"second"
    site.now += 60.0
    assert site.ask("/data/here/a").data == b"second"
    assert (site.downloads(), site.questions()) == (2, 2)
    assert site.ask(f"/data/here/a?digest={sha256(b'one')}").data == b"one"
    assert site.ask(f"/data/here/a?digest={second}").data == b"second"


def test_a_certain_version_that_nobody_has_is_404(site: Site) -> None:
    site.put("a", b"one")
    answer = site.ask(f"/data/here/a?digest={sha256(b'two')}")
    assert (answer.status_code, "the source has another one" in said(answer)) == (404, True)
    site.put("b", b"two")
    site.ask("/data/here/b")
    assert site.ask(f"/data/here/a?digest={sha256(b'two')}").status_code == 404  # a blob of another file


def test_a_session_keeps_the_version_that_it_began_with(site: Site) -> None:
    site.put("a", b"one")
    assert site.ask("/data/here/a", X_Park_Session=SID).data == b"one"
    site.put("a", b"second")
    site.now += 60.0
    assert site.ask("/data/here/a", X_Park_Session=OTHER).data == b"second"
    assert site.ask("/data/here/a", X_Park_Session=SID).data == b"one"
    assert site.ask("/data/here/a").data == b"second"
    assert holding.holders(site.store) == {SID: {sha256(b"one")}, OTHER: {sha256(b"second")}}


def test_a_session_that_states_a_version_at_first_holds_that(site: Site) -> None:
    first = site.put("a", b"one")
    site.ask("/data/here/a")
    second = site.put("a", b"second")
    site.now += 60.0
    site.ask("/data/here/a")
    assert site.ask(f"/data/here/a?digest={first}", X_Park_Session=SID).data == b"one"
    assert site.ask(f"/data/here/a?digest={second}", X_Park_Session=SID).data == b"second"
    assert site.ask("/data/here/a", X_Park_Session=SID).data == b"one"


def test_a_version_that_a_session_holds_and_that_is_gone_is_brought_again(site: Site) -> None:
    site.put("a", b"one")
    site.ask("/data/here/a", X_Park_Session=SID)
    blob = site.store.blob(sha256(b"one"))
    assert blob is not None
    blob.unlink()
    assert site.ask("/data/here/a", X_Park_Session=SID).data == b"one"
    blob.unlink()
    site.put("a", b"second")
    answer = site.ask("/data/here/a", X_Park_Session=SID)
    assert (answer.status_code, "the source has another one" in said(answer)) == (404, True)


def test_a_source_that_cannot_be_reached(tmp_path: Path) -> None:
    site = Site(tmp_path, away="http://127.0.0.1:9/")
    answer = site.ask("/data/away/a")
    assert (answer.status_code, answer.headers["Retry-After"]) == (502, "1")
    assert "away:/a" in said(answer)
    assert site.ask("/names/away").status_code == 502


def test_what_is_here_is_served_while_its_source_is_away(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.put("a", b"one")
    site.ask("/data/here/a")
    site.now += 60.0
    place = site.centre.places["here"]
    with monkeypatch.context() as patch:
        from park_spool.errors import TemporaryError

        def away(self: object, path: str) -> None:
            raise TemporaryError("here:/a: no route")

        patch.setattr(type(place.source), "facts", away)
        for _ in range(2):
            answer = site.ask("/data/here/a")
            assert (answer.data, "X-Park-Unchecked" in answer.headers) == (b"one", True)
    assert site.questions() == 1


# who may ask, and for what


def test_without_the_token_nothing_is_told_but_health_and_numbers(site: Site) -> None:
    digest = site.put("a", b"one")
    for where in ("/data/here/a", f"/blobs/{digest}", "/list", "/names/here", "/nothing", "/"):
        for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": BEARER["Authorization"] + "x"}):
            answer = site.client.get(where, headers=headers)
            assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    for where, method in (("/verify", "POST"), ("/evict", "POST"), ("/put/x", "PUT"), (f"/pins/{digest}", "DELETE")):
        assert site.client.open(where, method=method).status_code == 401
    assert site.client.get("/health").json == {"datacenter": "ok", "sources": ["here"]}
    assert 'park_datad_requests_total{code="401"} 22' in site.client.get("/metrics").text
    assert site.downloads() == 0


def test_a_source_for_some_users(tmp_path: Path) -> None:
    site = Site(tmp_path, users=("wei", "ann"))
    site.put("a", b"one")
    assert site.ask("/data/here/a", X_Park_User="wei").data == b"one"
    for headers in ({}, {"X_Park_User": "eve"}):
        for where in ("/data/here/a", "/names/here"):
            answer = site.ask(where, **headers)
            assert (answer.status_code, "the source here is not for" in said(answer)) == (403, True)
        assert site.ask("/list", **headers).json == {"files": []}
    assert len(site.ask("/list", X_Park_User="ann").json["files"]) == 1


@pytest.mark.parametrize(
    ("where", "status", "words"),
    [
        ("/data/there/a", 404, "no source is called 'there' here"),
        ("/data/here/none", 404, "here:/none"),
        ("/data/put/none", 404, "nothing was sent here as put:/none"),
        ("/data/here/../a", 400, "climbs"),
        ("/data/here/%2e%2e/a", 400, "climbs"),
        ("/data/here/b//a", 400, "empty part"),
        ("/data/here//a", 404, "no such place"),
        ("/data/here/a%00", 400, "has '\\x00'"),
        ("/data/here/a?digest=abc", 400, "expected a SHA-256"),
        ("/blobs/abc", 400, "expected a SHA-256"),
        (f"/blobs/{'a' * 64}", 404, "ask for it by its source"),
        ("/names/here?pattern=/**", 400, "'**'"),
        ("/nothing", 404, "there is no such place here"),
    ],
)
def test_what_cannot_be_served_is_one_sentence(site: Site, where: str, status: int, words: str) -> None:
    answer = site.ask(where)
    assert (answer.status_code, answer.mimetype) == (status, "application/json")
    assert words in said(answer)


def test_a_session_that_is_none_and_a_method_that_is_none(site: Site) -> None:
    site.put("a", b"one")
    assert site.ask("/data/here/a", X_Park_Session="../x").status_code == 400
    assert site.ask("/data/here/a", method="POST").status_code == 405
    assert said(site.ask("/evict?bytes=-1", method="POST")).startswith("bytes: expected how many bytes")


def test_the_names_of_a_source(site: Site) -> None:
    for name in ("run7/b.ort", "run7/a.ort", "run8/c.ort"):
        site.put(name, b"x")
    assert site.ask("/names/here?pattern=/run7/*.ort").json == {"names": ["/run7/a.ort", "/run7/b.ort"]}


# what is sent


def test_what_is_sent_is_kept_with_its_versions(site: Site) -> None:
    for data in (b"one", b"second"):
        answer = site.ask("/put/wei/table.csv", method="PUT", data=data, X_Park_Digest=sha256(data))
        assert (answer.status_code, answer.json["digest"]) == (201, sha256(data))
    assert site.ask("/data/put/wei/table.csv").data == b"second"
    assert site.ask(f"/data/put/wei/table.csv?digest={sha256(b'one')}").data == b"one"
    found = site.ask("/list?source=put&prefix=/wei").json["files"]
    assert {entry["size"] for entry in found} == {3, 6}
    assert site.ask("/list?source=here").json == {"files": []}


def test_what_is_sent_must_be_of_its_digest(site: Site) -> None:
    digest = sha256(b"one")
    for where in (f"/blobs/{digest}", "/put/x"):
        answer = site.ask(where, method="PUT", data=b"two", X_Park_Digest=digest)
        assert (answer.status_code, digest in said(answer)) == (400, True)
    assert entries(site.store) == []
    assert site.ask(f"/blobs/{digest}", method="PUT", data=b"one").status_code == 201
    assert site.ask(f"/blobs/{digest}", method="PUT", data=b"one").status_code == 200
    assert site.ask(f"/blobs/{digest}").data == b"one"
    assert site.ask("/put/../x", method="PUT", data=b"one").status_code == 400


# room


def test_what_was_not_used_for_longest_goes_and_never_what_is_held_or_pinned(tmp_path: Path) -> None:
    site = Site(tmp_path, quota=3000)
    for number, name in enumerate("abcd"):
        digest = site.put(name, name.encode() * 1000)
        session = {"X_Park_Session": SID} if name == "a" else {}
        assert site.ask(f"/data/here/{name}", **session).status_code == 200
        if name == "b":
            assert site.ask(f"/pins/{digest}", method="POST").json == {"digest": digest, "is_pinned": True}
        os.utime(site.store.places.blob(digest), (5000 + number, 5000 + number))
    hrefs = {entry.hrefs for entry in entries(site.store)}
    assert hrefs == {("here:/a",), ("here:/b",), ("here:/d",)}
    site.put("big", b"x" * 2000)
    answer = site.ask("/data/here/big")
    assert (answer.status_code, "no room" in said(answer)) == (507, True)
    assert {entry.hrefs for entry in entries(site.store)} == hrefs
    assert site.ask(f"/pins/{sha256(b'b' * 1000)}", method="DELETE").json["was_pinned"] is True
    assert site.ask("/data/here/big").status_code == 200
    assert {entry.hrefs for entry in entries(site.store)} == {("here:/a",), ("here:/big",)}
    evicted = site.ask("/evict?bytes=2000", method="POST").json["evicted"]
    assert [entry["digest"] for entry in evicted] == [sha256(b"x" * 2000)]


class FullDisk(Disk):
    """A disk that takes nothing more once it is told so."""

    is_full = False

    def step(self, call: str, path: Path) -> None:
        if call in ("write", "create") and FullDisk.is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def test_a_full_disk_is_507_and_what_is_there_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(tmp_path, disk=FullDisk)
    site.put("old", b"old")
    assert site.ask("/data/here/old", X_Park_Session=SID).data == b"old"
    site.put("new", b"new")
    monkeypatch.setattr(FullDisk, "is_full", True)
    answer = site.ask("/data/here/new")
    assert (answer.status_code, "No space left" in said(answer)) == (507, True)
    for where in ("/put/x", f"/blobs/{sha256(b'x')}"):
        assert site.ask(where, method="PUT", data=b"x").status_code == 507
    site.now += 100.0
    assert site.ask("/data/here/old").data == b"old"
    assert site.ask("/data/here/old", X_Park_Session=SID).data == b"old"
    monkeypatch.setattr(FullDisk, "is_full", False)
    assert site.ask("/data/here/new").data == b"new"


def test_what_is_not_held_makes_way_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk has less room than it says, as with a quota of the system's."""
    site = Site(tmp_path)
    digest = site.put("old", b"old")
    site.ask("/data/here/old")
    blob = site.store.places.blob(digest)

    def step(call: str, path: Path) -> None:
        if call == "write" and path.parent.name == "partial" and blob.exists():
            monkeypatch.setattr(evicting, "free_space", lambda folder: 3 if blob.exists() else 6)
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), str(path))

    monkeypatch.setattr(
        evicting, "make_room", partial(evicting.make_room, free=lambda folder: evicting.free_space(folder))
    )
    monkeypatch.setattr(site.store.disk, "step", step)
    site.put("new", b"newer")
    assert site.ask("/data/here/new").data == b"newer"
    assert not blob.exists()


def test_a_floor_that_cannot_be_kept_is_507(tmp_path: Path) -> None:
    site = Site(tmp_path, floor=1 << 60)
    site.put("a", b"one")
    assert site.ask("/data/here/a").status_code == 507


def test_bit_rot_is_found_and_brought_again(site: Site) -> None:
    digest = site.put("a", b"one")
    site.ask("/data/here/a")
    path = site.store.places.blob(digest)
    path.chmod(0o644)
    path.write_bytes(b"eno")
    (fault,) = site.ask("/verify", method="POST").json["faults"]
    assert (fault["digest"], fault["hrefs"]) == (digest, ["here:/a"])
    assert site.ask("/data/here/a").data == b"one"
    assert site.ask("/verify", method="POST").json == {"faults": []}


# every minute


def test_what_is_here_is_served_while_others_are_brought(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many downloads as may be take their time; a question whether a file is the same is none of them."""
    site.put("old", b"old")
    site.ask("/data/here/old")
    may_end = threading.Event()
    names = [f"new{number}" for number in range(5)]
    for name in names:
        site.put(name, name.encode())
    plain = Downloads.bring
    monkeypatch.setattr(Downloads, "bring", lambda *words: may_end.wait() and plain(*words))
    with ThreadPoolExecutor() as threads:
        answers = [threads.submit(site.ask, f"/data/here/{name}") for name in names[:4]]
        until(lambda: site.centre.updates.count() == 4, 30, "four downloads")
        site.now += 60.0
        assert site.ask("/data/here/old").data == b"old"
        answer = site.ask("/data/here/new4")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        may_end.set()
        assert [answer.result().data for answer in answers] == [name.encode() for name in names[:4]]
    assert site.ask("/data/here/new4").data == b"new4"


def test_the_hold_of_a_session_that_is_over_is_released_at_the_second_look(site: Site, tmp_path: Path) -> None:
    sessions = tmp_path / "sessions"
    (sessions / SID).mkdir(parents=True)
    site.put("a", b"one")
    for sid in (SID, OTHER):
        site.ask("/data/here/a", X_Park_Session=sid)
    keeper = Keeper(site.centre, lambda: open_sessions(sessions))
    keeper.step()
    assert set(holding.holders(site.store)) == {SID, OTHER}
    (sessions / OTHER).mkdir()  # it was only seen late
    keeper.step()
    (sessions / OTHER).rmdir()
    keeper.step()
    assert set(holding.holders(site.store)) == {SID, OTHER}
    keeper.step()
    assert set(holding.holders(site.store)) == {SID}
    metrics = site.client.get("/metrics").text.splitlines()
    assert {"park_datad_files 1", "park_datad_held_files 1", "park_datad_stored_bytes 3"} <= set(metrics)
