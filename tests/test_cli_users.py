"""`park user`: users, tokens, links and the record from the command line, while a page may be served."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from click.shell_completion import CompletionItem, ShellComplete
from console import park

from park_spool import config
from park_spool.accounts.accounts import Accounts
from park_spool.accounts.roles import Role
from park_spool.check import check
from park_spool.cli.main import main
from park_spool.cli.options import FAILED, FINE, USAGE
from park_spool.control_requests import user_name

PASSWORD = "a long enough one"


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    config.make_spool(tmp_path / "spool")
    return tmp_path / "spool"


def opened(spool: Path) -> Accounts:
    return Accounts.open(config.load(spool).page_accounts)


def add(spool: Path, name: str, *more: str) -> None:
    done = park("user", "add", name, "--password-stdin", *more, spool=spool, typed=f"{PASSWORD}\n")
    assert done.exit_code == FINE, done.output


def test_a_user_is_added_with_a_password_that_nobody_sees(spool: Path) -> None:
    done = park("user", "add", "anna", "--role", "submitter", "--password-stdin", spool=spool, typed=f"{PASSWORD}\n")
    assert (done.exit_code, done.stdout) == (FINE, "anna is submitter\n")
    assert PASSWORD not in done.output
    with opened(spool) as accounts:
        assert getattr(accounts.check_password("anna", PASSWORD), "role", None) is Role.SUBMITTER
        (entry,) = accounts.audit()
    assert (entry.user, entry.via, entry.what, entry.detail) == (
        user_name(),
        "park user",
        "added user",
        "anna, submitter",
    )
    path = spool / "archive" / "park-page.sqlite"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert check(spool) == []


def test_on_a_terminal_the_password_is_asked_for_twice(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("park_spool.cli.users.is_terminal", lambda: True)
    done = park("user", "add", "anna", spool=spool, typed=f"{PASSWORD}\nother\n{PASSWORD}\n{PASSWORD}\n")
    assert done.exit_code == FINE and "do not match" in done.stderr and PASSWORD not in done.output
    with opened(spool) as accounts:
        assert accounts.check_password("anna", PASSWORD) is not None


def test_without_a_terminal_a_user_has_no_password_and_is_told_what_to_do(spool: Path) -> None:
    done = park("user", "add", "anna", spool=spool)
    assert done.exit_code == FINE and "`park user link anna`" in done.stderr
    assert park("user", "password", "anna", spool=spool).exit_code == USAGE


@pytest.mark.parametrize(
    ("words", "typed", "code", "said"),
    [
        (["add", "anna"], "", FAILED, "there is a user anna already"),
        (["add", "a b", "--password-stdin"], PASSWORD, FAILED, "expected a name"),
        (["add", "wei", "--password-stdin"], "short", FAILED, "expected a password of 8 to 1000 characters, got 5"),
        (["add", "wei", "--role", "king"], "", USAGE, "'king' is not one of"),
        (["password", "wei", "--password-stdin"], PASSWORD, FAILED, "there is no user wei"),
        (["role", "wei", "viewer"], "", FAILED, "there is no user wei"),
        (["role", "anna", "viewer"], "", FAILED, "anna is the only administrator"),
        (["remove", "wei"], "", FAILED, "there is no user wei"),
        (["token", "wei", "--label", "x"], "", FAILED, "there is no user wei"),
        (["token", "anna", "--label", " "], "", FAILED, "expected a label"),
        (["token", "anna", "--label", "x", "--days", "0"], "", USAGE, "0"),
        (["revoke", "7"], "", FAILED, "there is no token 7"),
        (["link", "wei"], "", FAILED, "there is no user wei"),
        (["link", "anna", "--minutes", "5"], "", USAGE, "10<=x<=1440"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(
    spool: Path, words: list[str], typed: str, code: int, said: str
) -> None:
    add(spool, "anna", "--role", "administrator")
    done = park("user", *words, spool=spool, typed=f"{typed}\n")
    assert done.exit_code == code and said in done.stderr and "Traceback" not in done.output


def test_passwords_and_roles_are_changed_and_users_removed(spool: Path) -> None:
    add(spool, "anna", "--role", "administrator")
    add(spool, "wei")
    new = park("user", "password", "wei", "--password-stdin", spool=spool, typed="quite another one\n")
    assert new.stdout == "wei has a new password\n"
    assert park("user", "role", "wei", "administrator", spool=spool).stdout == "wei is administrator\n"
    assert park("user", "remove", "anna", spool=spool).stdout == "anna is removed\n"
    with opened(spool) as accounts:
        assert [(user.name, user.role) for user in accounts.users()] == [("wei", Role.ADMINISTRATOR)]
        assert accounts.check_password("wei", "quite another one") is not None


def test_users_are_listed(spool: Path) -> None:
    assert "there is no user yet" in park("user", "list", spool=spool).stdout
    assert json.loads(park("user", "list", "--json", spool=spool).stdout) == []
    add(spool, "anna", "--role", "submitter")
    head, line = park("user", "list", spool=spool).stdout.splitlines()
    assert head.split() == ["user", "role", "password", "since"] and line.split()[:3] == ["anna", "submitter", "yes"]
    (found,) = json.loads(park("user", "list", "--json", spool=spool).stdout)
    assert {key: found[key] for key in ("name", "role", "has_password")} == {
        "name": "anna",
        "role": "submitter",
        "has_password": True,
    }


def test_a_token_is_printed_once_listed_and_revoked(spool: Path) -> None:
    add(spool, "anna", "--role", "submitter")
    assert park("user", "tokens", spool=spool).stdout == "there is no token\n"
    done = park("user", "token", "anna", "--label", "scripts", "--days", "90", "--role", "viewer", spool=spool)
    made = done.stdout.strip()
    with opened(spool) as accounts:
        token = accounts.user_of_token(made)
        assert token is not None and (token.role, token.expires) == (Role.VIEWER, token.made + 90 * 86400)
    for more in ([], ["--json"]):
        shown = park("user", "tokens", *more, spool=spool).stdout
        assert "scripts" in shown and made not in shown
    (listed,) = json.loads(shown)
    assert (listed["role"], listed["label"]) == ("viewer", "scripts")
    dropped = park("user", "revoke", str(listed["id"]), spool=spool)
    assert dropped.stdout == f"token {listed['id']} of anna (scripts) is dropped\n"
    with opened(spool) as accounts:
        assert accounts.user_of_token(made) is None


def test_the_first_link_makes_the_first_administrator(spool: Path) -> None:
    refused = park("user", "link", "anna", spool=spool)
    assert refused.exit_code == FAILED and "there is no user anna" in refused.stderr
    printed = park("user", "link", spool=spool).stdout.strip()
    start, _, secret = printed.partition("link=")
    assert start == "http://127.0.0.1:5400/login?"
    with opened(spool) as accounts:
        user = accounts.redeem_link(secret)
        assert user is not None and (user.name, user.role) == (user_name(), Role.ADMINISTRATOR)


def test_a_link_is_for_a_user_and_for_the_page_that_is_named(spool: Path) -> None:
    add(spool, "anna")
    printed = park("user", "link", "anna", "--page", "https://park.example.org/", "--minutes", "10", spool=spool)
    start, _, secret = printed.stdout.strip().partition("link=")
    assert start == "https://park.example.org/login?"
    with opened(spool) as accounts:
        assert getattr(accounts.redeem_link(secret), "name", None) == "anna"
    assert park("user", "link", spool=spool).exit_code == (FINE if user_name() == "anna" else FAILED)


def test_the_record_is_shown_newest_first_and_cannot_command_a_terminal(spool: Path) -> None:
    assert park("user", "audit", spool=spool).stdout == "nothing is recorded yet\n"
    with opened(spool) as accounts:
        accounts.record("anna", "login", "did one", "s1", "\x1b[31mred\nline")
        accounts.record("wei", "token", "did two")
    head, first, second = park("user", "audit", spool=spool).stdout.splitlines()
    assert head.split() == ["at", "user", "via", "from", "what", "session", "detail"]
    assert "did two" in first and "?[31mred?line" in second
    (entry,) = json.loads(park("user", "audit", "--of", "anna", "--json", "-n", "5", spool=spool).stdout)
    assert (entry["user"], entry["sid"], entry["detail"]) == ("anna", "s1", "\x1b[31mred\nline")


def test_a_shell_completes_names_of_users(spool: Path, tmp_path: Path) -> None:
    def complete(*words: str) -> list[CompletionItem]:
        return ShellComplete(main, {}, "park", "_PARK_COMPLETE").get_completions(list(words[:-1]), words[-1])

    add(spool, "anna")
    add(spool, "wei")
    found = complete("user", "remove", "--spool", str(spool), "a")
    assert [item.value for item in found] == ["anna"]
    assert complete("user", "remove", "--spool", str(tmp_path / "none"), "") == []


def test_the_file_is_where_the_setting_says(spool: Path, tmp_path: Path) -> None:
    (spool / "park.toml").write_text('page_accounts = "../users.sqlite"\n', encoding="utf-8")
    add(spool, "anna")
    assert (tmp_path / "users.sqlite").is_file() and not (spool / "archive" / "park-page.sqlite").exists()
