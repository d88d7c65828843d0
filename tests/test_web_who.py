"""Who may look at the page and change things: every gate, each way in, and what each refuses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import signed_in
from flask import Flask, jsonify
from flask.testing import FlaskClient
from park_spool.web import who as gate
from park_spool.web.app import create_app, lively
from park_spool.web.framing import SHEET, SHEET_HASH
from park_spool.web.pages.login import local
from werkzeug.routing.converters import AnyConverter, BaseConverter, NumberConverter
from werkzeug.test import Client
from world import Clock

from park_spool import config
from park_spool.accounts import failures, logins
from park_spool.accounts.accounts import Accounts
from park_spool.accounts.roles import Role
from park_spool.config import Config
from park_spool.errors import ConfigError, TemporaryError

PASSWORD = signed_in.PASSWORD
STRANGER, PROXY = "10.9.9.9", "10.0.0.1"
Make = Callable[..., FlaskClient]


@pytest.fixture
def clock() -> Clock:
    return Clock(1_000_000.0)


@pytest.fixture
def settings(tmp_path: Path) -> Config:
    config.make_spool(tmp_path / "spool")
    return config.load(tmp_path / "spool")


@pytest.fixture
def accounts(settings: Config, clock: Clock) -> Iterator[Accounts]:
    with Accounts.open(settings.page_accounts, clock) as accounts:
        accounts.add_user("anna", Role.SUBMITTER, PASSWORD)
        accounts.add_user("root", Role.ADMINISTRATOR, PASSWORD)
        yield accounts


@pytest.fixture
def make(settings: Config, accounts: Accounts) -> Make:
    """Return what makes a client of a page with some settings."""

    def make(**told: Any) -> FlaskClient:
        app = create_app(replace(settings, **told), accounts)
        with_probes(app)
        return app.test_client()

    return make


@pytest.fixture
def client(make: Make) -> FlaskClient:
    return make()


@pytest.fixture
def anna(client: FlaskClient, accounts: Accounts) -> FlaskClient:
    signed_in.log_in(client, accounts, Role.SUBMITTER, "anna")
    return client


@pytest.fixture
def root(client: FlaskClient, accounts: Accounts) -> FlaskClient:
    signed_in.log_in(client, accounts, Role.ADMINISTRATOR, "root")
    return client


def with_probes(app: Flask) -> None:
    """Give an application addresses that only the gates answer for."""

    @app.route("/probe", methods=["GET", "POST", "PUT", "DELETE"])
    @app.route("/api/v1/probe", methods=["GET", "POST"], endpoint="api_probe")
    @gate.needs(Role.VIEWER)
    def probe() -> Any:
        asking = gate.who()
        return jsonify(name=asking.name, role=str(asking.role), via=asking.via)

    @app.post("/probe/<user>")
    @gate.needs(Role.SUBMITTER)
    def change(user: str) -> Any:
        gate.require_changing(user)
        gate.record("changed a probe", sid="s1", detail=user)
        return jsonify(done=True)

    @app.get("/probe/<user>/session")
    @gate.needs(Role.VIEWER)
    def see(user: str) -> Any:
        gate.visible(user)
        return jsonify(seen=True)


def log_in(client: FlaskClient, name: str = "anna", password: str = PASSWORD, **more: Any) -> Any:
    return client.post("/login", data={"name": name, "password": password, **more.pop("form", {})}, **more)


def csrf(client: FlaskClient) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', client.get("/account").text)
    assert found
    return found[1]


# nobody


@pytest.mark.parametrize("path", ["/", "/nodes", "/sessions/x", "/account", "/users", "/audit", "/probe"])
def test_nobody_is_sent_to_the_log_in_page(client: FlaskClient, path: str) -> None:
    answer = client.get(f"{path}?a=b")
    assert answer.status_code == 303
    assert parse_qs(urlsplit(answer.location).query) == {"next": [f"{path}?a=b"]}
    assert f'value="{path}?a=b"' in client.get(answer.location).text
    assert client.get(path).location == ("/login" if path == "/" else f"/login?next={path}")


def test_no_address_says_anything_to_nobody(settings: Config, accounts: Accounts) -> None:
    """Whatever pages there come to be, and whatever they look at first."""
    app = create_app(settings, accounts)
    asked = 0
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if rule.endpoint in gate.PUBLIC or rule.endpoint.startswith("login."):
                continue
            kinds = {name: example(kind) for name, kind in rule._converters.items()}
            path = app.url_map.bind("localhost").build(rule.endpoint, kinds)
            for method in (rule.methods or set()) - {"OPTIONS"}:
                answer = app.test_client().open(path, method=method)
                assert answer.status_code == (401 if path.startswith("/api/") else 303), (method, path)
                asked += 1
    assert asked > 10


def example(kind: BaseConverter) -> Any:
    """Return something that an address may have in such a place."""
    if isinstance(kind, AnyConverter):
        return min(kind.items)
    return 1 if isinstance(kind, NumberConverter) else "x"


def test_programs_and_scripts_are_told_in_their_own_way(client: FlaskClient) -> None:
    answer = client.get("/api/v1/probe")
    assert (answer.status_code, answer.json["error"]) == (401, "log in first, or send a token")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    for header in ("X-Park-Look", "HX-Request"):
        assert client.get("/parts/nodes", headers={header: "1"}).status_code == 401


def test_what_everybody_may_have(client: FlaskClient) -> None:
    for path in ("/login", "/health", "/static/park.css"):
        with client.get(path) as answer:
            assert answer.status_code == 200
    assert "Log in" in client.get("/login").text and "/users" not in client.get("/login").text
    assert client.get("/nowhere").status_code == 404


def test_an_open_page_is_looked_at_by_everybody_and_changed_by_nobody(make: Make) -> None:
    client = make(page_open=True)
    assert client.get("/probe").json == {"name": "", "role": "viewer", "via": "open"}
    assert client.post("/probe/anna").status_code == 303
    assert client.get("/users").location == "/login?next=/users"
    assert "Log in" in client.get("/").text


# log-in by password


def test_name_and_password_let_in_and_both_must_be_right(client: FlaskClient, accounts: Accounts) -> None:
    for name, password in (("anna", "wrong"), ("nobody", PASSWORD), ("", ""), ("root", "anna")):
        answer = log_in(client, name, password)
        assert answer.status_code == 403 and "Name or password is wrong" in answer.text
        assert 'value="' + password not in answer.text or not password
    assert client.get("/probe").status_code == 303
    answer = log_in(client)
    assert (answer.status_code, answer.location) == (303, "/")
    assert client.get("/probe").json == {"name": "anna", "role": "submitter", "via": "login"}
    done = [(entry.user, entry.what, entry.address, entry.detail) for entry in accounts.audit()]
    assert done[0] == ("anna", "logged in", "127.0.0.1", "")
    assert ("anna", "failed to log in", "127.0.0.1", "") in done
    assert ("", "failed to log in", "127.0.0.1", "no such name") in done


def test_guessing_is_slowed_down_and_says_for_how_long(client: FlaskClient, clock: Clock, accounts: Accounts) -> None:
    for _ in range(failures.FREE):
        assert log_in(client, password="wrong").status_code == 403
    answer = log_in(client)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")
    assert "Too many log-ins failed: try again in 30 s" in answer.text
    assert len(accounts.audit()) == failures.FREE
    clock.now += 30
    assert log_in(client).status_code == 303


def test_the_cookie_is_for_the_server_alone(client: FlaskClient) -> None:
    cookie = log_in(client).headers["Set-Cookie"]
    assert cookie.startswith("park-80=") and "Secure" not in cookie
    for word in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"):
        assert word in cookie
    secure = log_in(client, base_url="https://localhost:8443").headers["Set-Cookie"]
    assert secure.startswith("__Host-park-8443=") and "Domain" not in secure
    for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert word in secure


def test_each_log_in_has_a_new_cookie_and_ends_the_one_before(client: FlaskClient, accounts: Accounts) -> None:
    log_in(client)
    first = client.get_cookie("park-80")
    log_in(client)
    second = client.get_cookie("park-80")
    assert first and second and first.value != second.value
    assert accounts.login_of(first.value) is None and len(accounts.logins("anna")) == 1


def test_a_cookie_that_was_made_up_or_has_ended_is_nobody(
    client: FlaskClient, accounts: Accounts, clock: Clock
) -> None:
    for value in ("", "x", "anna", "0" * 43):
        client.set_cookie("park-80", value)
        assert client.get("/probe").status_code == 303
    signed_in.log_in(client, accounts, Role.SUBMITTER, "anna")
    assert client.get("/probe").status_code == 200
    clock.now += logins.LOGIN_SECONDS
    assert client.get("/probe").status_code == 303


def test_logging_out_ends_the_log_in_and_takes_the_cookie_back(anna: FlaskClient, accounts: Accounts) -> None:
    assert anna.get("/logout").status_code == 405
    answer = anna.post("/logout")
    assert (answer.status_code, answer.location) == (303, "/login") and "park-80=;" in answer.headers["Set-Cookie"]
    assert accounts.logins("anna") == [] and anna.get("/probe").status_code == 303


@pytest.mark.parametrize(
    "where",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/login?next=/login",
        "",
        " /nodes",
        "///evil.example",
        "/%0d%0aX: y\r\nX: y",
    ],
)
def test_nobody_is_sent_to_another_site_after_the_log_in(client: FlaskClient, where: str) -> None:
    assert log_in(client, form={"next": where}).location == "/"


def test_after_the_log_in_one_goes_on_where_one_wanted_to(client: FlaskClient) -> None:
    assert log_in(client, form={"next": "/nodes?a=b&c=%2F"}).location == "/nodes?a=b&c=%2F"
    page = client.get("/login?next=//evil.example/").location
    assert page == "/"
    with client.application.test_request_context():
        assert local("/sessions/x/jobs?page=2") == "/sessions/x/jobs?page=2"


# links


def test_a_link_shows_a_button_which_lets_in_once(client: FlaskClient, accounts: Accounts) -> None:
    link = accounts.make_link("anna")
    for _ in range(2):  # a preview in a chat must not use it up
        page = client.get(f"/login?link={link}")
        assert page.status_code == 200 and "Open the page" in page.text and "Set-Cookie" not in page.headers
        assert page.headers["Cache-Control"] == "no-store"
    answer = client.post("/login/link", data={"link": link, "next": "/nodes"})
    assert (answer.status_code, answer.location) == (303, "/nodes")
    assert client.get("/probe").json == {"name": "anna", "role": "submitter", "via": "login"}
    assert accounts.audit()[0].what == "logged in by a link"
    client.post("/logout", headers={"X-CSRF-Token": csrf(client)})
    again = client.post("/login/link", data={"link": link})
    assert again.status_code == 410 and "used already, or has ended" in again.text
    assert client.get(f"/login?link={link}").status_code == 410


def test_a_link_that_has_ended_lets_nobody_in(client: FlaskClient, accounts: Accounts, clock: Clock) -> None:
    link = accounts.make_link("anna", seconds=600)
    clock.now += 600
    assert client.get(f"/login?link={link}").status_code == 410
    assert client.post("/login/link", data={"link": link}).status_code == 410
    assert client.post("/login/link").status_code == 410


def test_a_used_link_that_is_clicked_again_leads_on_whoever_it_let_in(anna: FlaskClient) -> None:
    assert anna.get("/login?link=used").location == "/"


# roles


def test_too_low_a_role_is_refused_in_a_sentence(anna: FlaskClient) -> None:
    for path in ("/users", "/audit"):
        answer = anna.get(path)
        assert answer.status_code == 403
        assert "This needs the role administrator; anna is submitter" in answer.text


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/users", {"name": "eve", "role": "administrator", "password": PASSWORD}),
        ("/users/role", {"name": "anna", "role": "administrator"}),
        ("/users/remove", {"name": "root"}),
        ("/users/link", {"name": "root"}),
        ("/users/logins/end", {"name": "root"}),
    ],
)
def test_only_administrators_change_users(
    anna: FlaskClient, accounts: Accounts, path: str, form: dict[str, str]
) -> None:
    before = accounts.users()
    assert anna.post(path, data=form).status_code == 403
    assert accounts.users() == before


def test_one_changes_ones_own_and_administrators_all(anna: FlaskClient, accounts: Accounts) -> None:
    assert anna.post("/probe/anna").status_code == 200
    refused = anna.post("/probe/wei")
    assert refused.status_code == 403 and "only they and administrators may change it" in refused.text
    signed_in.log_in(anna, accounts, Role.ADMINISTRATOR, "root")
    assert anna.post("/probe/wei").status_code == 200
    signed_in.log_in(anna, accounts, Role.VIEWER, "lea")
    assert anna.post("/probe/lea").status_code == 403
    assert [(entry.user, entry.detail, entry.sid) for entry in accounts.audit()] == [
        ("root", "wei", "s1"),
        ("anna", "anna", "s1"),
    ]


def test_a_private_page_shows_ones_own_sessions(make: Make, accounts: Accounts) -> None:
    client = make(page_private=True)
    signed_in.log_in(client, accounts, Role.SUBMITTER, "anna")
    assert client.get("/probe/anna/session").status_code == 200
    assert client.get("/probe/wei/session").status_code == 404
    signed_in.log_in(client, accounts, Role.ADMINISTRATOR, "root")
    assert client.get("/probe/wei/session").status_code == 200


def test_a_page_is_not_open_and_private_at_once(settings: Config) -> None:
    with pytest.raises(ConfigError, match="page_private: expected false where page_open is true"):
        replace(settings, page_open=True, page_private=True)


def test_who_is_removed_while_logged_in_is_nobody_at_once(anna: FlaskClient, accounts: Accounts) -> None:
    assert anna.get("/probe").status_code == 200
    accounts.remove_user("anna")
    assert anna.get("/probe").status_code == 303
    assert anna.post("/probe/anna").status_code == 303


def test_a_role_that_is_taken_away_is_away_at_once(root: FlaskClient, accounts: Accounts) -> None:
    accounts.add_user("other", Role.ADMINISTRATOR)
    assert root.get("/users").status_code == 200
    accounts.set_role("root", Role.VIEWER)
    assert root.get("/users").status_code == 403


# forms of other sites


def test_a_change_needs_what_only_our_own_forms_know(anna: FlaskClient, accounts: Accounts) -> None:
    own = anna.environ_base.pop("HTTP_X_CSRF_TOKEN")
    foreign = getattr(accounts.login_of(accounts.begin_login("root")), "csrf", "")
    other = getattr(accounts.login_of(accounts.begin_login("anna")), "csrf", "")
    for wrong in ("", "x", own[:-1], own.upper(), foreign, other, "ü" * 64):
        for answer in (
            anna.post("/probe/anna", data={"csrf": wrong}),
            anna.post("/probe/anna", headers={"X-CSRF-Token": wrong.encode("ascii", "ignore").decode()}),
            anna.put("/probe", data={"csrf": wrong}),
            anna.delete("/probe"),
        ):
            assert answer.status_code == 403 and "load the page again" in answer.text
    assert accounts.audit() == []
    assert csrf(anna) == own
    assert anna.post("/probe/anna", data={"csrf": own}).status_code == 200
    assert anna.post("/probe/anna", headers={"X-CSRF-Token": own}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:8888"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    ],
)
def test_what_another_site_sends_is_refused_whatever_it_knows(anna: FlaskClient, headers: dict[str, str]) -> None:
    for path in ("/probe/anna", "/logout", "/login", "/login/link"):
        answer = anna.post(path, headers=headers)
        assert answer.status_code == 403 and "sent by another web site" in answer.text
    assert anna.get("/probe", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}, {}])
def test_our_own_forms_are_not_refused(anna: FlaskClient, headers: dict[str, str]) -> None:
    assert anna.post("/probe/anna", headers=headers).status_code == 200


# tokens


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_token_asks_as_its_user_without_a_form(client: FlaskClient, accounts: Accounts) -> None:
    made, token = accounts.make_token("anna", "x")
    assert client.get("/probe", headers=bearer(made)).json == {"name": "anna", "role": "submitter", "via": "token"}
    assert client.post("/probe/anna", headers=bearer(made)).status_code == 200
    assert accounts.audit()[0].via == "token"
    accounts.drop_token(token.id)
    for wrong in (made, "", "x", "park_"):
        answer = client.post("/api/v1/probe", headers=bearer(wrong))
        assert (answer.status_code, answer.json["error"]) == (401, "this token is none, or has ended")


def test_a_wrong_token_is_not_mended_by_a_cookie(anna: FlaskClient) -> None:
    assert anna.get("/probe", headers=bearer("wrong")).status_code == 401


def test_another_kind_of_authorization_is_not_ours(anna: FlaskClient) -> None:
    assert anna.get("/probe", headers={"Authorization": "Basic YTpi"}).status_code == 200


def test_a_token_with_less_than_its_user_may_do_less(client: FlaskClient, accounts: Accounts) -> None:
    made, _ = accounts.make_token("root", "display", Role.VIEWER)
    assert client.get("/probe", headers=bearer(made)).status_code == 200
    assert client.post("/probe/root", headers=bearer(made)).status_code == 403
    assert client.get("/audit", headers=bearer(made)).status_code == 403


def test_a_token_cannot_grow(client: FlaskClient, accounts: Accounts) -> None:
    made, _ = accounts.make_token("root", "x")
    for path in ("/account/tokens", "/account/password", "/users", "/users/link", "/users/role"):
        form = {"name": "root", "role": "administrator", "label": "more", "password": PASSWORD, "again": PASSWORD}
        assert client.post(path, data=form, headers=bearer(made)).status_code == 403
    assert len(accounts.tokens()) == 1
    assert client.get("/audit", headers=bearer(made)).status_code == 200


# the reverse proxy


def by(address: str, **headers: str) -> dict[str, Any]:
    return {
        "environ_base": {"REMOTE_ADDR": address},
        "headers": {key.replace("_", "-"): v for key, v in headers.items()},
    }


def test_a_trusted_proxy_says_who_it_is(make: Make, accounts: Accounts) -> None:
    client = make(page_proxy=("10.0.0.0/24",))
    asked = client.get("/probe", **by(PROXY, X_Remote_User="anna"))
    assert asked.json == {"name": "anna", "role": "submitter", "via": "proxy"}
    assert client.get("/probe", **by(PROXY, X_Remote_User="wei")).json["role"] == "viewer"
    assert client.get("/probe", environ_base={"REMOTE_ADDR": PROXY, "REMOTE_USER": "root"}).json["name"] == "root"
    assert client.get("/probe", **by(PROXY)).status_code == 303
    for name in ("an na", "x" * 65):
        assert client.get("/probe", **by(PROXY, X_Remote_User=name)).status_code == 303


def test_a_stranger_is_not_believed(make: Make) -> None:
    for client in (make(page_proxy=(PROXY,)), make()):
        asked = by(STRANGER, X_Remote_User="root", X_Forwarded_For=PROXY, X_Forwarded_Proto="https")
        assert client.get("/probe", **asked).status_code == 303
        base = {"REMOTE_ADDR": STRANGER, "REMOTE_USER": "root"}
        assert client.get("/probe", environ_base=base).status_code == 303
        cookie = log_in(client, **asked).headers["Set-Cookie"]
        assert "Secure" not in cookie


def test_another_header_of_the_proxy_may_be_named(make: Make) -> None:
    client = make(page_proxy=(PROXY,), page_proxy_header="Remote-Name", page_proxy_role="nobody")
    assert client.get("/probe", **by(PROXY, X_Remote_User="root")).status_code == 303
    assert client.get("/probe", **by(PROXY, Remote_Name="root")).json["name"] == "root"
    assert client.get("/probe", **by(PROXY, Remote_Name="wei")).status_code == 403


def test_whom_a_proxy_logs_in_needs_the_form_too(make: Make, accounts: Accounts) -> None:
    client = make(page_proxy=(PROXY,))
    assert client.post("/probe/anna", **by(PROXY, X_Remote_User="anna")).status_code == 403
    wrong = accounts.csrf_of_proxy("root")
    assert client.post("/probe/anna", **by(PROXY, X_Remote_User="anna", X_CSRF_Token=wrong)).status_code == 403
    page = client.get("/account", **by(PROXY, X_Remote_User="anna")).text
    own = accounts.csrf_of_proxy("anna")
    assert own in page
    assert client.post("/probe/anna", **by(PROXY, X_Remote_User="anna", X_CSRF_Token=own)).status_code == 200


def test_a_proxy_says_the_address_and_that_it_was_https(make: Make, accounts: Accounts) -> None:
    client = make(page_proxy=(PROXY,), page_names=("park.example.org",))
    told = {
        "X_Forwarded_For": f"{STRANGER}, 192.0.2.7",
        "X_Forwarded_Proto": "https",
        "X_Forwarded_Host": "park.example.org",
    }
    answer = log_in(client, **by(PROXY, **told, Origin="https://park.example.org"))
    assert answer.status_code == 303
    assert answer.headers["Set-Cookie"].startswith("__Host-park-443=") and "Secure" in answer.headers["Set-Cookie"]
    assert accounts.audit()[0].address == "192.0.2.7"
    assert log_in(make(page_proxy=(PROXY,)), **by(PROXY, **told)).status_code == 400


# one's account


def test_an_own_password_is_set_by_who_knows_the_old_one(anna: FlaskClient, accounts: Accounts) -> None:
    new = "quite another one"
    elsewhere = accounts.begin_login("anna")
    for form, words in (
        ({"old": "wrong", "password": new, "again": new}, "This is not your password"),
        ({"old": PASSWORD, "password": new, "again": "other"}, "The two are not the same"),
        ({"old": PASSWORD, "password": "short", "again": "short"}, "expected a password of 8"),
    ):
        answer = anna.post("/account/password", data=form)
        assert answer.status_code == 400 and words.lower() in answer.text.lower() and "aria-invalid" in answer.text
    assert accounts.login_of(elsewhere) is not None
    assert anna.post("/account/password", data={"old": PASSWORD, "password": new, "again": new}).status_code == 200
    assert accounts.login_of(elsewhere) is None and anna.get("/account").status_code == 200
    assert accounts.check_password("anna", new) is not None
    assert accounts.audit()[0].what == "set own password"


def test_own_tokens_are_made_shown_once_and_dropped(anna: FlaskClient, accounts: Accounts) -> None:
    made = anna.post("/account/tokens", data={"label": "<b>x</b>", "role": "viewer", "days": "1.5"})
    found = re.search(r'<pre id="secret">(park_[\w-]+)</pre>', made.text)
    assert found and made.headers["Cache-Control"] == "no-store"
    token = accounts.user_of_token(found[1])
    assert token is not None and token.role is Role.VIEWER and token.expires == token.made + 1.5 * 86400
    page = anna.get("/account").text
    assert found[1] not in page and "&lt;b&gt;x&lt;/b&gt;" in page
    for form, field in (
        ({"label": "", "role": "viewer"}, "label"),
        ({"label": "x", "role": "administrator"}, "role"),
        ({"label": "x", "role": "viewer", "days": "soon"}, "days"),
        ({"label": "x", "role": "viewer", "days": "nan"}, "days"),
    ):
        answer = anna.post("/account/tokens", data=form)
        assert answer.status_code == 400 and f'id="{field}-said" role="alert"' in answer.text
    _, other = accounts.make_token("root", "not yours")
    assert anna.post(f"/account/tokens/{other.id}/drop").status_code == 404
    assert anna.post(f"/account/tokens/{token.id}/drop").status_code == 303
    assert [each.label for each in accounts.tokens()] == ["not yours"]


def test_all_other_browsers_are_logged_out(anna: FlaskClient, accounts: Accounts) -> None:
    elsewhere = accounts.begin_login("anna")
    assert "logged out" in anna.post("/account/logins/end").text
    assert accounts.login_of(elsewhere) is None and anna.get("/account").status_code == 200


def test_whom_only_the_proxy_knows_has_an_account_without_a_password(make: Make, accounts: Accounts) -> None:
    client = make(page_proxy=(PROXY,))
    page = client.get("/account", **by(PROXY, X_Remote_User="wei")).text
    assert "does not know you by itself" in page and "password" not in re.sub(r"(?s)<p.*?</p>", "", page)
    own = accounts.csrf_of_proxy("wei")
    asked = by(PROXY, X_Remote_User="wei", X_CSRF_Token=own)
    assert client.post("/account/tokens", data={"label": "x", "role": "viewer"}, **asked).status_code == 404


# users and the record


def test_an_administrator_looks_after_users(root: FlaskClient, accounts: Accounts) -> None:
    form = {"name": "wei", "role": "viewer", "password": PASSWORD}
    assert root.post("/users", data=form).status_code == 303
    assert accounts.check_password("wei", PASSWORD) is not None
    for wrong, words in (
        (form, "There is a user wei already"),
        ({**form, "name": "a b"}, "Expected a name of 1 to 64"),
        ({**form, "name": "new", "password": "short"}, "Expected a password of 8"),
        ({**form, "name": "new", "role": "king"}, "Expected a role"),
    ):
        answer = root.post("/users", data=wrong)
        assert answer.status_code == 400 and words in answer.text
    assert root.post("/users/role", data={"name": "wei", "role": "submitter"}).status_code == 303
    assert getattr(accounts.user("wei"), "role", None) is Role.SUBMITTER
    page = root.post("/users/link", data={"name": "wei"}).text
    found = re.search(r'<pre id="link">http://localhost/login\?link=([\w-]+)</pre>', page)
    assert found and getattr(accounts.redeem_link(found[1]), "name", None) == "wei"
    cookie = accounts.begin_login("wei")
    root.post("/users/logins/end", data={"name": "wei"})
    assert accounts.login_of(cookie) is None
    assert root.post("/users/remove", data={"name": "wei"}).status_code == 303
    assert root.post("/users/remove", data={"name": "wei"}).status_code == 404
    refused = root.post("/users/remove", data={"name": "root"})
    assert refused.status_code == 400 and "Root is the only administrator" in refused.text
    done = [entry.what for entry in accounts.audit() if entry.user == "root"]
    assert done == ["removed user", "logged out a user", "made link", "set role", "added user"]


def test_the_record_is_shown_page_by_page_and_unharmed(root: FlaskClient, accounts: Accounts) -> None:
    for number in range(120):
        accounts.record(
            "<script>x</script>", "login", f"did {number};", sid="<i>", detail="<img src=x onerror=alert(1)>"
        )
    page = root.get("/audit").text
    assert "did 119;" in page and "did 20;" in page and "did 19;" not in page
    assert "<img src=x" not in page and "<script>x" not in page and "<i>" not in page
    more = re.search(r'href="(/audit\?before=\d+)" rel="next"', page)
    assert more
    rest = root.get(more[1]).text
    assert "did 19;" in rest and 'rel="next"' not in rest
    assert "Nothing is recorded here" in root.get("/audit?user=nobody").text


# what every answer has


@pytest.mark.parametrize(
    "path", ["/", "/login", "/account", "/nowhere", "/health", "/static/park.css", "/api/v1/nowhere"]
)
def test_every_answer_keeps_scripts_and_other_sites_out(anna: FlaskClient, path: str) -> None:
    with anna.get(path) as answer:
        headers = answer.headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert (policy["default-src"], policy["script-src"]) == ("'none'", "'self'")
    assert policy["style-src"] == f"'self' {SHEET_HASH}"
    assert (policy["base-uri"], policy["frame-ancestors"], policy["form-action"]) == ("'none'", "'none'", "'self'")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert path.startswith("/static") or headers["Cache-Control"] in ("private, no-cache", "no-store")


def test_a_page_has_its_style_in_it_and_the_theme_that_its_reader_chose(anna: FlaskClient) -> None:
    page = anna.get("/").text
    assert f"<style>{SHEET}</style>" in page and '<html lang="en">' in page
    for chosen, root in (("dark", '<html lang="en" data-theme="dark">'), ('"><script>', '<html lang="en">')):
        anna.set_cookie("park-theme", chosen)
        assert root in anna.get("/").text


@pytest.mark.parametrize("path", ["/login", "/login?link=x", "/account", "/users", "/audit"])
def test_what_is_secret_is_kept_by_no_browser(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers["Cache-Control"] in ("no-store", "private, no-cache")
    log_in(client, "root")
    if not path.startswith("/login"):
        assert client.get(path).headers["Cache-Control"] == "no-store"


def test_what_is_kept_for_live_pages_is_for_those_alone_who_may_still_see_it(
    settings: Config, accounts: Accounts
) -> None:
    app = lively(create_app(settings, accounts))
    cookie, other = (f"park-80={accounts.begin_login(name)}" for name in ("anna", "root"))

    def look(cookie: str) -> int:
        headers = {"X-Park-Look": "1", "Cookie": cookie}
        return Client(app, use_cookies=False).get("/parts/overview", headers=headers).status_code

    assert [look(cookie), look(other), look(cookie), look("")] == [200, 200, 200, 401]
    accounts.remove_user("anna")
    assert [look(cookie), look(other)] == [401, 200]
    accounts.end_logins_of("root")
    assert look(other) == 401


def test_users_that_cannot_be_reached_are_said_in_words(
    anna: FlaskClient, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(cookie: str) -> None:
        raise TemporaryError("the page's users cannot be reached now")

    monkeypatch.setattr(accounts, "login_of", fail)
    answer = anna.get("/probe")
    assert answer.status_code == 503 and "The page&#39;s users cannot be reached now" in answer.text
