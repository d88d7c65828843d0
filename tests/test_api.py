"""The API over a real spool: what each address says, who may ask, and what is refused in which words."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from api_site import BATCH, FILM, NOOP, WAITING, Api, open_api, session, shared
from park_spool.web.api import answering, groups
from park_spool.web.app import create_app, lively

from park_spool.accounts.roles import Role
from park_spool.showing.stamp import Stamps


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    there = open_api(shared(tmp_path_factory, "api"))
    yield there
    there.accounts.close()


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Give a spool apart: what is done again there is not done under the eyes of other tests."""
    there = open_api(shared(tmp_path_factory, "api-again"))
    yield there
    there.accounts.close()


def as_xml(text: str) -> dict[str, Any]:
    return {"data": text.encode(), "content_type": "application/xml"}


# what is looked at


def test_sessions_are_listed_as_they_are_asked_for(api: Api) -> None:
    found = api.get("/sessions?sort=file")
    assert [one["sid"] for one in found["sessions"]][:2] == [FILM, BATCH]
    assert found["total"] == 2 + len(WAITING)
    assert api.get("/sessions?state=failed")["total"] == 1
    assert [one["sid"] for one in api.get("/sessions?text=FRAMES")["sessions"]] == [BATCH]
    assert api.get("/sessions?size=1&page=2&order=up")["sessions"][0]["sid"] == BATCH
    assert api.get("/sessions?service=reflectivity/fit")["total"] == 2
    assert api.get("/sessions?user=nobody")["total"] == 0


def test_a_session_tells_all_of_itself(api: Api) -> None:
    found = api.get(f"/sessions/{FILM[:-2]}")
    assert (found["session"]["sid"], found["session"]["state"]) == (FILM, "failed")
    assert [one["kind"] for one in found["groups"]] == ["fit", "map", "jobs"]
    assert len(found["failures"]) == 2
    assert api.get(f"/sessions/{WAITING[-1]}")["session"]["state"] == "queued"


def test_the_charts_of_groups(api: Api) -> None:
    fit = api.get(f"/sessions/{FILM}/groups/1/best")
    assert fit["chisq"] > 0 and len(fit["curve"]["x"]) == fit["npoints"] == len(fit["curve"]["model"])
    assert "film thickness" in [one["name"] for one in fit["parameters"]]
    assert api.get(f"/sessions/{FILM}/groups/1/history")["steps"][-1]["chisq"] == fit["chisq"]
    assert api.get(f"/sessions/{FILM}/groups/1/spread")["fits"] == 3
    assert api.get(f"/sessions/{FILM}/groups/1/profile")["profile"]["z"]
    found = api.get(f"/sessions/{FILM}/groups/2/maps/1")
    assert [axis["name"] for axis in found["axes"]] == ["x", "y"] and len(found["chisq"]) == 20
    assert found["minima"][0]["point"] == {"x": "3", "y": "-1"}


def test_a_batch(api: Api) -> None:
    found = api.get(f"/sessions/{BATCH}/groups/1/batch")
    assert [row["dataset"] for row in found["rows"]] == ["e361r.txt", "e366r.txt"]
    assert [one["kind"] for one in api.get(f"/sessions/{BATCH}/groups/1/trend")["columns"]][:2] == ["chisq", "chisq"]
    assert api.get(f"/sessions/{BATCH}/groups/1/sets/2")["dataset"] == "e366r.txt"
    assert "2 data sets" in api.get(f"/sessions/{BATCH}/groups/1/sets/3", status=404)["error"]


def test_jobs_with_their_logs(api: Api) -> None:
    assert api.get(f"/sessions/{FILM}/jobs?group=1&sort=chisq&size=1")["total"] == 3
    assert [row["job"] for row in api.get(f"/sessions/{FILM}/jobs?state=bad")["rows"]] == ["3.1.1", "3.1.2"]
    assert api.get(f"/sessions/{FILM}/jobs/3.1.2")["runs"][0]["ending"] == "was killed by SIGSEGV"
    assert "no such file" in api.get(f"/sessions/{FILM}/jobs/3.1.1/log")["runs"][0]["stderr"]
    assert api.get(f"/sessions/{FILM}/jobs/1.1.2/fit")["seed"] == 27
    assert "has no job 1.1.9" in api.get(f"/sessions/{FILM}/jobs/1.1.9", status=404)["error"]


def test_where_it_comes_from_and_what_was_said(api: Api) -> None:
    said = api.get(f"/sessions/{FILM}/messages")["messages"]
    after = api.get(f"/sessions/{FILM}/groups/1/messages?after={said[0]['number']}")["messages"]
    assert after == [one for one in said if one["group"] == 1][1:]
    assert {one["group"] for one in api.get(f"/sessions/{FILM}/provenance")["provenance"]} == {1, 2, 3}
    assert api.get(f"/sessions/{FILM}/data")["data_sets"][0]["name"] == "film"
    assert next(one["what"] for one in api.get(f"/sessions/{FILM}/events")["events"]) == "admitted"


@pytest.mark.parametrize(
    ("path", "rows"), [(f"{FILM}/results.csv", 25), (f"{FILM}/parameters.csv", 9), (f"{BATCH}/groups/1/batch.csv", 2)]
)
def test_tables(api: Api, path: str, rows: int) -> None:
    answer = api.client.get(f"/api/v1/sessions/{path}", headers=api.bearer())
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert len(list(csv.DictReader(io.StringIO(answer.text)))) == rows
    assert "attachment" in answer.headers["Content-Disposition"]


def test_the_xml_is_what_was_sent(api: Api) -> None:
    answer = api.client.get(f"/api/v1/sessions/{WAITING[-1]}/xml", headers=api.bearer())
    assert (answer.content_type, answer.text) == ("application/xml", session(NOOP))


def test_the_site(api: Api) -> None:
    assert api.get("/")["links"]["sessions"] == "/api/v1/sessions"
    assert api.get("")["version"]
    services = {one["name"]: one for one in api.get("/services")["services"]}
    assert services["tester"]["commands"][0]["inputs"][0]["name"] == "count"
    assert "Chisq" in [one["name"] for one in api.get("/reducers")["reducers"]]
    assert api.get("/centre")["why"]


def test_below_a_path_of_a_proxy_addresses_have_it(api: Api) -> None:
    client, asked = api.client, {"base_url": "http://localhost/fits", "headers": api.bearer("wei")}
    assert client.get("/api/v1", **asked).json["links"]["me"] == "/fits/api/v1/me"
    assert client.get("/api/v1/openapi.json", **asked).json["servers"] == [{"url": "/fits/api/v1"}]
    sent = client.post("/api/v1/sessions", **asked, **as_xml(session(NOOP)))
    assert sent.headers["Location"] == f"/fits/api/v1/sessions/{sent.json['sid']}"


def test_what_works_there_and_what_it_logs(api: Api) -> None:
    events = api.get("/events/nodes")["events"]
    assert events[-1]["what"] == "appeared"
    assert api.get("/nodes")["missing"]
    name = events[-1]["node"]
    assert api.get(f"/nodes/{name}")["node"]["node"] == name
    logs = [one["name"] for one in api.get("/logs")["logs"]]
    (noded,) = [one for one in logs if one.startswith("noded-")]
    assert "is up with" in api.get(f"/logs/{noded}?lines=5&text=is%20up")["lines"][0]["text"]
    assert api.get("/logs/..park.toml", status=404)


def test_fits_side_by_side(api: Api) -> None:
    found = api.get(f"/compare?of={FILM}:1&of={FILM}:1.1.2&of={BATCH}")
    assert [one["job"][:3] for one in found["compared"]] == ["1.1", "1.1", "1.1"]
    assert len(found["parameters"][0]["values"]) == 3
    assert "of" in api.get("/compare", status=400)["error"]


def test_messages_of_all_sessions(api: Api) -> None:
    found = api.get("/messages?limit=2")
    assert [len(found["messages"]), found["messages"][0]["place"]] == [2, found["last"]]
    assert api.get(f"/messages?after={found['last']}")["messages"] == []
    assert api.get("/messages?text=chisq")["messages"]


def test_who_one_is(api: Api) -> None:
    assert api.get("/me", "wei") == {"name": "wei", "role": "submitter", "via": "token", "csrf": ""}


# what does not change is not sent again


def test_what_the_asker_has_is_not_sent_again(api: Api) -> None:
    where, headers = f"/api/v1/sessions/{FILM}/groups/1/best", api.bearer()
    first = api.client.get(where, headers=headers)
    again = api.client.get(where, headers={**headers, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    head = api.client.head(where, headers=headers)
    assert (head.status_code, head.data, head.headers["ETag"]) == (200, b"", first.headers["ETag"])


def test_live_answers_have_the_same_tag_with_and_without_what_keeps_them(api: Api) -> None:
    from werkzeug.test import Client

    where, headers = f"/api/v1/sessions/{FILM}/groups/1/history", {**api.bearer(), "X-Park-Look": "1"}
    kept = Client(lively(api.app)).get(where, headers=headers)
    plain = api.client.get(where, headers=api.bearer())
    assert kept.headers["ETag"] == plain.headers["ETag"]
    assert plain.headers["X-Park-Live"] == "archive" and "X-Park-Live" not in kept.headers


def test_while_a_session_runs_its_spread_is_worked_out_now_and_then_for_all_who_look(
    own: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked: list[str] = []
    spread = groups.charts.spread

    def counted(*given: Any) -> Any:
        worked.append("once")
        return spread(*given)

    monkeypatch.setattr(groups.charts, "spread", counted)
    changes = count()
    monkeypatch.setitem(own.app.extensions, "stamp", lambda: Stamps(f"a{next(changes)}", f"s{next(changes)}"))
    where, headers = f"/api/v1/sessions/{FILM}/groups/1/spread", {**own.bearer(), "X-Park-Look": "1"}
    for is_open, most in ((True, 2), (False, 4)):  # 2 if they fall into two spans of time
        worked.clear()
        monkeypatch.setattr(answering, "is_open", lambda _, is_open=is_open: is_open)
        assert [own.client.get(where, headers=headers).status_code for _ in range(4)] == [200] * 4
        assert 1 <= len(worked) <= most and (is_open or len(worked) == 4)
    worked.clear()
    monkeypatch.setattr(answering, "is_open", lambda _: True)
    own.get(f"/sessions/{FILM}/groups/1/spread")
    assert worked == ["once"]  # a program is told what is now


# what is refused


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nowhere", 404, "nothing at this address"),
        ("/sessions/2027", 404, "2027"),
        ("/sessions/abc", 404, "'abc' is no sid"),
        (f"/sessions/{FILM}/groups/0/best", 404, "'0' is no group: expected int >= 1"),
        (f"/sessions/{FILM}/groups/9/best", 404, "no group 9"),
        (f"/sessions/{FILM}/groups/3/best", 404, "no job of group 3"),
        (f"/sessions/{FILM}/groups/1/maps/1", 404, "no map"),
        (f"/sessions/{FILM}/jobs/1.1", 404, "is no job"),
        (f"/sessions/{FILM}/jobs?page=0", 400, "page: expected int >= 1"),
        (f"/sessions/{FILM}/jobs?sort=colour", 400, "sort: invalid enum value 'colour'"),
        ("/sessions?limit=5", 400, "there is no parameter 'limit' here: it knows text, user"),
        ("/sessions?page=1&page=2", 400, "page is given more than once"),
        ("/me?x=1", 400, "it takes none"),
        ("/services?" + "x" * 300, 400, "there is no parameter"),
    ],
)
def test_what_cannot_be_asked_is_said_in_words(api: Api, path: str, status: int, words: str) -> None:
    found = api.get(path, status=status)
    assert found["status"] == status and words in found["error"]


def test_other_methods_are_refused_and_named(api: Api) -> None:
    answer = api.client.put("/api/v1/me", headers=api.bearer())
    assert (answer.status_code, answer.json["status"]) == (405, 405)
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    allowed = api.client.options(f"/api/v1/sessions/{FILM}", headers=api.bearer()).headers["Allow"]
    assert set(allowed.split(", ")) == {"GET", "HEAD", "OPTIONS", "DELETE"}


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        (b"{", "application/json", 400, "the body is no JSON"),
        (b"[" * 100_000, "application/json", 400, "the body is no JSON"),
        (b'"\xff"', "application/json", 400, "the body is no JSON"),
        (b"{}", "application/json", 422, "missing required field priority"),
        (b'{"priority": "5"}', "application/json", 422, "priority: expected int, got str"),
        (b'{"priority": 101}', "application/json", 422, "priority: expected int <= 100"),
        (b'{"priority": 1, "x": 1}', "application/json", 422, "unknown field x"),
        (b"priority=5", "application/x-www-form-urlencoded", 415, "expected a body of application/json"),
        (b"", "application/json", 400, "the body is no JSON"),
    ],
)
def test_a_body_that_cannot_be_read_changes_nothing(api: Api, body: bytes, kind: str, status: int, words: str) -> None:
    path = f"/sessions/{WAITING[-1]}/priority"
    found = api.ask("POST", path, "administrator", status, data=body, content_type=kind)
    assert words in found["error"]


# who may


def test_without_a_token_there_is_nothing(api: Api) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        answer = api.client.get("/api/v1/sessions", headers=headers)
        assert (answer.status_code, answer.json["status"]) == (401, 401)
        assert answer.headers["WWW-Authenticate"].lower().startswith("bearer")


def test_each_role_may_what_it_may(api: Api) -> None:
    assert "submitter" in api.post(f"/sessions/{WAITING[0]}/cancel", who="viewer", status=403)["error"]
    assert "only they and administrators" in api.post(f"/sessions/{WAITING[0]}/cancel", who="wei", status=403)["error"]
    assert "administrator" in api.get("/users", "wei", 403)["error"]
    assert {one["name"] for one in api.get("/users")["users"]} >= {"wei", "anna"}


def test_where_everybody_may_look_nobody_may_change(api: Api) -> None:
    client = create_app(replace(api.settings, page_open=True), api.accounts).test_client()
    assert client.get(f"/api/v1/sessions/{FILM}").status_code == 200
    assert client.get("/api/v1/me").json == {"name": "", "role": "viewer", "via": "open", "csrf": ""}
    assert client.get("/api/v1/tokens").json == {"tokens": []}
    assert client.post("/api/v1/tokens", json={"label": "x"}).status_code in (401, 403, 404)
    assert client.post(f"/api/v1/sessions/{WAITING[0]}/pause").status_code == 401


def test_where_sessions_are_private_one_sees_ones_own(api: Api) -> None:
    private = Api(
        api.settings, create_app(replace(api.settings, page_private=True), api.accounts), api.accounts, api.tokens
    )
    sid = api.ask("POST", "/sessions?name=secret", "wei", 201, **as_xml(session(NOOP)))["sid"]
    assert private.get(f"/sessions/{sid}", "wei")["session"]["sid"] == sid
    assert "there is no such session" in private.get(f"/sessions/{sid}", "anna", 404)["error"]
    for path in (
        f"/sessions/{FILM}",
        f"/sessions/{FILM}/jobs",
        f"/compare?of={FILM}",
        f"/sessions/{FILM}/groups/1/best",
    ):
        private.get(path, "wei", 404)
        private.get(path)
    assert private.get("/sessions", "wei")["sessions"] == [] == private.get("/messages", "wei")["messages"]
    assert sid not in [one["sid"] for one in private.get("/sessions", "anna")["coming"]]
    assert "everybody's" in private.get("/logs", "wei", 403)["error"]
    assert private.client.get(f"/api/v1/sessions/{FILM}/results.csv", headers=api.bearer("wei")).status_code == 404


def test_a_cookie_changes_nothing_without_the_word_of_the_page(api: Api) -> None:
    client = api.client
    secret = api.accounts.begin_login("administrator")
    client.set_cookie("park-80", secret)
    login = api.accounts.login_of(secret)
    assert login is not None
    where = f"/api/v1/sessions/{WAITING[0]}/pause"
    assert client.get("/api/v1/me").json["csrf"] == login.csrf
    assert client.post(where).status_code == 403
    assert client.post(where, headers={"X-CSRF-Token": login.csrf}).status_code == 200


def test_tokens_are_made_by_people_and_dropped_by_all(api: Api) -> None:
    assert "not for tokens" in api.post("/tokens", {"label": "x"}, status=403)["error"]
    client = api.client
    secret = api.accounts.begin_login("anna")
    client.set_cookie("park-80", secret)
    login = api.accounts.login_of(secret)
    assert login is not None
    wanted = {"label": "night shift", "role": "viewer", "days": 2}
    made = client.post("/api/v1/tokens", json=wanted, headers={"X-CSRF-Token": login.csrf})
    assert made.status_code == 201, made.text
    headers = {"Authorization": f"Bearer {made.json['secret']}"}
    assert client.get("/api/v1/me", headers=headers).json["role"] == "viewer"
    number = made.json["token"]["id"]
    assert number in [one["id"] for one in api.get("/tokens", "anna")["tokens"]]
    assert "no token" in api.ask("DELETE", f"/tokens/{number}", "wei", 404)["error"]
    assert api.ask("DELETE", f"/tokens/{number}", "anna", 204) is None
    assert client.get("/api/v1/me", headers=headers).status_code == 401


# what is changed


def test_what_is_wished_of_a_session_is_told_and_kept(api: Api) -> None:
    sid = WAITING[1]
    assert "is paused" in api.post(f"/sessions/{sid}/pause")["said"]
    assert api.get(f"/sessions/{sid}")["session"]["state"] == "paused"
    assert "goes on" in api.post(f"/sessions/{sid}/resume")["said"]
    assert "priority 7" in api.post(f"/sessions/{sid}/priority", {"priority": 7})["said"]
    assert "is cancelled" in api.post(f"/sessions/{sid}/cancel")["said"]
    assert "cannot be undone" in api.post(f"/sessions/{sid}/pause", status=409)["error"]
    assert "is deleted" in api.ask("DELETE", f"/sessions/{sid}", "administrator", 200)["said"]
    done = [(one["what"], one["user"]) for one in api.get("/audit?limit=1000")["entries"] if one["sid"] == sid]
    assert done == [(what, "administrator") for what in ("delete", "cancel", "priority", "resume", "pause")]


def test_what_is_done_can_be_done_again(own: Api) -> None:
    assert "1 job will be run again" in own.post(f"/sessions/{FILM}/retry", {"jobs": ["3.1.1"]})["said"]
    assert "no job of it failed" in own.post(f"/sessions/{FILM}/retry", {"jobs": ["1.1.1"]}, status=404)["error"]
    assert "Batch of group 1" in own.post(f"/sessions/{BATCH}/reduce", {"group": 1})["said"]
    sent = own.post(f"/sessions/{FILM}/resubmit", {"from_best": True}, who="wei", status=201)
    assert sent["href"] == f"/api/v1/sessions/{sent['sid']}"
    assert "inbox" in own.get(f"/sessions/{sent['sid']}", "wei")["place"]
    both = {"from_best": True, "from_job": "1.1.1"}
    assert "got both" in own.post(f"/sessions/{FILM}/resubmit", both, status=422)["error"]


# what is sent


def test_a_session_is_sent_and_belongs_to_who_sent_it(api: Api) -> None:
    answer = api.client.post("/api/v1/sessions?name=mine", headers=api.bearer("wei"), **as_xml(session(NOOP)))
    assert answer.status_code == 201, answer.text
    sid = answer.json["sid"]
    assert answer.headers["Location"].endswith(f"/api/v1/sessions/{sid}")
    found = api.get(f"/sessions/{sid}")["session"]
    assert (found["state"], found["file"]) == ("queued", "mine.xml")
    assert "only they" in api.post(f"/sessions/{sid}/cancel", who="anna", status=403)["error"]
    assert "rejected" in api.post(f"/sessions/{sid}/cancel", who="wei")["said"]


def test_a_broken_session_is_refused_at_its_line(api: Api) -> None:
    text = session("\n<group><task cmd='tester/nothing'/><joblist><input/></joblist></group>")
    found = api.ask("POST", "/sessions", "wei", 422, **as_xml(text))
    assert found["line"] == 2 and "no command 'nothing'" in found["error"]
    checked = api.ask("POST", "/check", "viewer", 200, **as_xml(text))
    assert not checked["is_fine"] and checked["findings"][0]["line"] == 2
    fine = api.ask("POST", "/check", "viewer", 200, **as_xml(session(NOOP)))
    assert (fine["is_fine"], fine["jobs"], fine["groups"][0]["cmd"]) == (True, 4, "tester/noop")
    assert "viewer" in api.ask("POST", "/sessions", "viewer", 403, **as_xml(text))["error"]
    assert "application/zip" in api.ask("POST", "/sessions", "wei", 415, data=b"x", content_type="text/plain")["error"]


ECHO = """<group><dataSet><data name='film' href='film.ort'/></dataSet><task cmd='tester/echo'/>
<joblist><input/></joblist></group>"""


def test_files_go_along_in_a_form_or_a_zip(api: Api) -> None:
    assert "film.ort" in api.ask("POST", "/sessions", "wei", 422, **as_xml(session(ECHO)))["error"]
    xml, data = session(ECHO).encode(), b"0.01 1.0\n"
    form = {"files": [(io.BytesIO(xml), "film.xml"), (io.BytesIO(data), "film.ort")]}
    assert api.ask("POST", "/sessions", "wei", 201, data=form, content_type="multipart/form-data")["sid"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as package:
        package.writestr("film.xml", xml)
        package.writestr("film.ort", data)
    assert api.ask("POST", "/sessions", "wei", 201, data=packed.getvalue(), content_type="application/zip")["sid"]


@pytest.mark.parametrize("name", ["../film.ort", "/etc/passwd", "a/../../b", "x" * 300, ".sender"])
def test_names_that_lead_elsewhere_are_refused(api: Api, name: str) -> None:
    form = {"files": [(io.BytesIO(session(NOOP).encode()), "film.xml"), (io.BytesIO(b"x"), name)]}
    found = api.ask("POST", "/sessions", "wei", 422, data=form, content_type="multipart/form-data")
    assert "nothing was sent" in found["error"]


def test_roles_of_the_document_are_those_of_the_page() -> None:
    assert [str(role) for role in Role][1:] == ["viewer", "submitter", "administrator"]
