"""The status page: what it shows, what it refuses, and that looking often is cheap."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import signed_in
from archive_examples import OTHER, RECEIVED, SID, failed, ok, put, record, session
from flask.testing import FlaskClient

from park_spool import config
from park_spool.archive import sqlite
from park_spool.archive.writing import Archive
from park_spool.config import Config
from park_spool.sessions.session import Session

FIT = """{"chisq": 966.193, "npoints": 408, "dof": 399, "seed": 7, "parameters": [
 {"name": "film thickness", "value": 258.863, "error": 0.104, "unit": "Å", "min": 50, "max": 500, "start": 321.0}],
 "curve": {"x": [0.01, 0.02, 0.03], "y": [1.0, 0.5, 0.2], "dy": [0.1, 0.1, 0.1], "model": [1.0, 0.5, 0.2]}}"""


def two_groups(name: str = "film") -> Session:
    """Return a session of 48 starts, and of 4 more in another group."""
    first, second = (
        Session.of("reflectivity/fit", starts=jobs, reduce="Chisq", name=f"{name}{number}")
        for number, jobs in ((1, 48), (2, 4))
    )
    return replace(first, attributes={}, groups=(*first.groups, *second.groups))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "park.sqlite"


@pytest.fixture
def archive(path: Path) -> Iterator[Archive]:
    with Archive.open(path) as archive:
        archive.add_session(SID, {**record(), **two_groups().to_json()}, b"<session/>", RECEIVED)
        put(archive, [ok(1, 29207.5), ok(2, output=FIT, started=1.0), ok(3, 2000.0, started=2.0)])
        put(archive, [failed(4, 2, is_final=True, why="the process was killed by SIGSEGV", signal=11)])
        archive.add_message(SID, 1, '<reply update="1.1.2" chisq="966.193"/>', RECEIVED + 2)
        yield archive


@pytest.fixture
def client(path: Path) -> FlaskClient:
    return signed_in.client(settings(path))


def settings(archive: Path) -> Config:
    spool = archive.parent / "spool"
    config.make_spool(spool)
    return config.load(spool, archive=str(archive))


def look(client: FlaskClient, where: str, status: int = 200) -> str:
    """Return a page, after a look at what every page must be."""
    answer = client.get(where)
    assert answer.status_code == status, answer.text
    assert "script-src 'self';" in answer.headers["Content-Security-Policy"]
    page = Page()
    page.feed(answer.text)
    assert page.problems == []
    return answer.text


class Page(HTMLParser):
    """Finds what makes a page hard to use for some, or unsafe for all."""

    def __init__(self) -> None:
        super().__init__()
        self._in_script = False
        self.problems: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        wanted = {"th": "scope", "img": "alt", "html": "lang", "progress": "aria-label", "meter": "aria-label"}
        if tag in wanted and not found.get(wanted[tag]):
            self.problems.append(f"<{tag}> without {wanted[tag]}")
        if any(name.startswith("on") or name == "style" for name in found):
            self.problems.append(f"a script or a style in <{tag}>")
        self._in_script = tag == "script"
        if any(value and "//" in value for name, value in attrs if name in ("src", "href")):
            self.problems.append(f"<{tag}> asks another host")

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.problems.append(f"a script in the page: {data}")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False


def test_there_is_a_page_before_there_is_an_archive(client: FlaskClient) -> None:
    text = look(client, "/")
    assert "There is no archive" in text
    assert 'data-part="/parts/overview' in text
    assert "No node has been seen yet" in look(client, "/nodes")
    assert "There is no archive" in look(client, "/messages", 404)
    health = client.get("/health")
    assert health.json is not None
    assert health.json["archive"].startswith("there is no archive")


def test_a_page_without_sessions_says_how_to_send_one(path: Path, client: FlaskClient) -> None:
    Archive.open(path).close()
    assert "/inbox/" in look(client, "/")
    assert "park-noded" in look(client, "/nodes")
    assert client.get("/health").json == {"page": "ok", "archive": "ok"}


def test_the_sessions(archive: Archive, client: FlaskClient) -> None:
    archive.add_session(OTHER, record(session=session(7), file=""), b"", RECEIVED + 9)
    text = look(client, "/")
    for words in (
        "film.xml",
        SID,
        "wei",
        "running",
        ">4 of 52<",
        "966.19",
        "1.3 jobs/s",
        "36 s",
        "2026-11-23 02:55:00",
    ):
        assert words in text
    assert text.index(OTHER) < text.index(SID)
    assert "queued" in text
    assert f'href="/sessions/{SID}"' in text


def test_the_part_that_changes_is_the_same_in_the_page_and_alone(archive: Archive, client: FlaskClient) -> None:
    for page, part in (("/", "/parts/overview"), (f"/sessions/{SID}", f"/parts/sessions/{SID}")):
        alone = client.get(part)
        assert alone.text.strip() in look(client, page)
        assert f'data-part="{part}' in look(client, page)
        assert alone.headers["X-Park-Live"] == "spool"


def test_a_session(archive: Archive, client: FlaskClient) -> None:
    text = look(client, f"/sessions/{SID}")
    for words in (
        *("4 of 52 jobs, 1.3 jobs/s, about 36 s left", "1 failed", "Group 1: film1", "reflectivity/fit", "Chisq"),
        *("966.19", "Reduced χ²", "2.42", "408", "399", "1.1.2", "film thickness", "258.86 ± 0.10", "Å", "321"),
        *("killed by SIGSEGV", "&lt;reply update=", "No job of this group gave a chi-square yet"),
        *(f"/api/v1/sessions/{SID}/groups/1/best", f"/sessions/{SID}/groups/1/history.png"),
        "46 % of the way from 50 to 500",
    ):
        assert words in text
    assert "groups/2/" not in text
    assert "killed by SIGSEGV" in look(client, f"/sessions/{SID}/jobs/1.1.4")


def test_a_stopped_reducer_is_shown_with_the_reason(archive: Archive, client: FlaskClient) -> None:
    archive.stop_reducer(SID, 2, "TypeError: no chisq (Mine.py, line 7)")
    assert "The reducer was stopped: TypeError: no chisq (Mine.py, line 7)" in look(client, f"/sessions/{SID}")


def test_names_of_users_are_text_and_never_markup(path: Path, client: FlaskClient) -> None:
    evil = "<script>alert(1)</script>\" onload='x"
    with Archive.open(path) as archive:
        told = {**record(file=evil, owner=evil), **two_groups(evil).to_json()}
        archive.add_session(SID, told, f"<session>{evil}".encode(), RECEIVED)
        curve = '"curve": {"x": [1], "y": ["<b>"], "xlabel": "$\\\\frac$"}'
        odd = f'{{"chisq": 1, "parameters": [{{"name": "<img src=x>", "value": "<i>", "min": []}}, 7], {curve}}}'
        put(archive, [ok(1, output=odd), failed(2, 2, is_final=True, why=evil, stderr=evil)])
        archive.add_message(SID, 1, evil, RECEIVED)
        archive.put_node({"node": evil, "host": evil, "cpus": 1, "state": evil})
    parts = ("", "/jobs", "/jobs/1.1.1", "/jobs/2.1.2", "/messages", "/xml", "/provenance")
    for where in ("/", *(f"/sessions/{SID}{part}" for part in parts), "/nodes", "/messages", f"/compare?fit={SID}"):
        assert "<script>" not in look(client, where)


@pytest.mark.parametrize("curve", ['{"y": [1]}', '{"x": ["one"], "y": [1]}', '{"x": 1}', '{"x": [1, 2], "y": [1]}'])
def test_a_curve_that_cannot_be_drawn_is_said_in_words(archive: Archive, client: FlaskClient, curve: str) -> None:
    put(archive, [ok(5, output=f'{{"chisq": 1, "curve": {curve}}}')])
    assert "nothing to be saved as png" in look(client, f"/sessions/{SID}/groups/1/best.png", 404)
    assert '<div class="first"><dt>χ²</dt><dd>1.00</dd></div>' in look(client, f"/sessions/{SID}")


def test_a_unique_prefix_will_do(archive: Archive, client: FlaskClient) -> None:
    for rest in ("", "/jobs", "/groups/1/best.png"):
        answer = client.get(f"/sessions/20261123{rest}?state=ok")
        assert answer.location == f"/sessions/{SID}{rest}?state=ok"


def test_the_session_as_json(archive: Archive, client: FlaskClient) -> None:
    found = client.get(f"/sessions/{SID}.json").json
    assert found is not None
    assert found["row"]["best_chisq"] == 966.193
    assert found["groups"][0]["best"]["parameters"][0]["name"] == "film thickness"
    assert found["failures"][0]["signal"] == 11


@pytest.mark.parametrize("name", ["best", "history"])
def test_a_picture_is_sent_once_for_each_state(archive: Archive, client: FlaskClient, name: str) -> None:
    where = f"/sessions/{SID}/groups/1/{name}.png"
    first = client.get(where)
    assert first.status_code == 200
    assert first.mimetype == "image/png"
    assert first.data.startswith(b"\x89PNG")
    again = client.get(where, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    put(archive, [ok(2, output=FIT.replace("966.193", "900.5"), attempt=1, started=3.0)])
    changed = client.get(where, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert changed.data != first.data


def test_a_picture_is_drawn_once_for_many(
    archive: Archive, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr("park_spool.plots.plot_history", lambda *_: drawn.append("once") or b"png")
    for _ in range(3):
        assert client.get(f"/sessions/{SID}/groups/1/history.png").data == b"png"
    assert drawn == ["once"]


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("/sessions/2027", "No session in the archive begins with &#39;2027&#39;."),
        ("/sessions/2027.json", "No session in the archive"),
        (f"/sessions/{SID}/groups/9/best.png", "has no group 9"),
        (f"/sessions/{SID}/groups/2/best.png", "nothing to be saved as png"),
        ("/nowhere", "There is no such page here."),
        ("/static/../app.py", "There is no such page here."),
    ],
)
def test_what_is_not_there_is_said_in_words(archive: Archive, client: FlaskClient, where: str, words: str) -> None:
    assert words in look(client, where, 404)


def test_the_page_is_only_looked_at(archive: Archive, client: FlaskClient) -> None:
    answer = client.post(f"/sessions/{SID}")
    assert answer.status_code == 405
    assert "does not take that request" in answer.text


def test_a_page_under_a_foreign_name_is_refused(archive: Archive, path: Path) -> None:
    """A foreign site that resolves its own name to 127.0.0.1 must not read the page through a browser."""
    everybody = replace(settings(path), page_open=True)
    client = signed_in.client(everybody)
    for host in ("evil.example", "evil.example:5400", "localhost.evil.example", "127.0.0.1.evil.example", ""):
        assert client.get("/", headers={"Host": host}).status_code == 400
    for host in ("localhost:5400", "127.0.0.1:5400", "[::1]:5400"):
        assert client.get("/", headers={"Host": host}).status_code == 200
    everywhere = signed_in.client(everybody, hosts=None)
    assert everywhere.get("/", headers={"Host": "n4.ncnr.nist.gov"}).status_code == 200


def test_an_archive_that_is_locked_or_broken_is_said_in_words(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Archive.open(path, is_local=False).close()
    monkeypatch.setattr(sqlite, "READER_PATIENCE", 0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "look again in a moment" in look(signed_in.client(settings(path)), "/", 503)
    broken = tmp_path / "broken.sqlite"
    broken.write_text("no database" * 1000)
    assert "not a whole archive" in look(signed_in.client(settings(broken)), "/", 500)


def test_the_nodes(archive: Archive, client: FlaskClient) -> None:
    archive.put_node({"node": "n1_1_aaaaaa", "host": "n1", "cpus": 16, "units": ["u", "v"], "seen": RECEIVED})
    text = look(client, "/nodes")
    for words in ("n1_1_aaaaaa", "alive", "of 16", "2026-11-23 02:55:00"):
        assert words in text
