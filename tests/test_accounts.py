"""The page's users: log-ins, tokens, links, who guesses, the record; several processes at once; nothing secret is kept."""

from __future__ import annotations

import errno
import multiprocessing
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from park_spool import layout
from park_spool.accounts import failures, logins, secret
from park_spool.accounts.accounts import Accounts
from park_spool.accounts.first import advice, first_address
from park_spool.accounts.roles import Role, read_role
from park_spool.errors import AccountError, NotFound, SpoolError, TemporaryError, TooManyAttempts

PASSWORD = "a long enough one"
PAGE = "http://127.0.0.1:5400/"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "park-page.sqlite"


@pytest.fixture
def accounts(path: Path, clock: Clock) -> Iterator[Accounts]:
    with Accounts.open(path, clock) as accounts:
        yield accounts


@pytest.fixture
def anna(accounts: Accounts) -> Accounts:
    accounts.add_user("anna", Role.SUBMITTER, PASSWORD)
    return accounts


# the file


def test_only_the_owner_may_read_the_file_and_what_sqlite_puts_beside_it(anna: Accounts, path: Path) -> None:
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    assert path.name in modes and set(modes.values()) == {0o600}


def test_a_file_that_others_could_read_is_closed_to_them(anna: Accounts, path: Path) -> None:
    anna.close()
    path.chmod(0o644)
    Accounts.open(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_kept_stays(anna: Accounts, path: Path) -> None:
    anna.close()
    with Accounts.open(path) as again:
        assert [user.name for user in again.users()] == ["anna"]


def test_nothing_secret_is_in_the_file(anna: Accounts, path: Path) -> None:
    secrets = [PASSWORD, anna.begin_login("anna"), anna.make_token("anna", "x")[0], anna.make_link("anna")]
    secrets.append(str(getattr(anna.login_of(secrets[1]), "csrf", "")))
    anna.close()
    kept = b"".join(one.read_bytes() for one in path.parent.iterdir())
    assert all(each and each.encode() not in kept for each in secrets)
    assert secret.digest(secrets[1]).encode() in kept


def test_a_file_of_a_later_version_and_one_that_is_none_are_refused_in_a_sentence(anna: Accounts, path: Path) -> None:
    with anna._database.changing() as connection:
        connection.execute("CREATE TABLE later (x)")
    anna.close()
    raw = bytearray(path.read_bytes())
    raw[60:64] = (99).to_bytes(4)  # user_version, in SQLite's header
    path.write_bytes(raw)
    with pytest.raises(SpoolError, match="later version"):
        Accounts.open(path)
    path.write_bytes(b"this is not SQLite, but long enough to look like something" * 100)
    with pytest.raises(SpoolError, match="is not the file of the page's users"):
        Accounts.open(path)


def test_a_file_that_another_holds_is_tried_again_later(
    anna: Accounts, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("park_spool.accounts.database.PATIENCE", 0.0)
    with anna._database.changing(), Accounts.open(path.with_name("other.sqlite")) as other:
        other._database._connection.execute("ATTACH ? AS held", (str(path),))
        with pytest.raises(TemporaryError, match="cannot be reached now"), other._database.changing() as connection:
            connection.execute("DELETE FROM held.users")


def test_the_file_stands_beside_the_archive() -> None:
    assert layout.page_accounts(Path("/x/mine.sqlite")) == Path("/x/mine-page.sqlite")


# users


def test_a_name_is_taken_once(anna: Accounts) -> None:
    with pytest.raises(AccountError, match="there is a user anna already"):
        anna.add_user("anna", Role.VIEWER)


@pytest.mark.parametrize("name", ["", " anna", "an na", "an\nna", "x" * 65, "a\x00b", "\u202eanna"])
def test_a_name_that_will_not_do_is_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(AccountError, match="expected a name"):
        accounts.add_user(name, Role.VIEWER)


def test_a_name_is_the_same_however_its_accents_were_typed(accounts: Accounts) -> None:
    accounts.add_user("jose\u0301", Role.VIEWER, PASSWORD)
    assert accounts.check_password("jos\u00e9", PASSWORD) is not None
    assert accounts.check_password("jose\u0301", PASSWORD) is not None


@pytest.mark.parametrize("password", ["", "short", "x" * 1001])
def test_a_password_that_will_not_do_is_refused(anna: Accounts, password: str) -> None:
    with pytest.raises(AccountError, match="expected a password of 8 to 1000 characters") as caught:
        anna.set_password("anna", password)
    assert not password or password not in str(caught.value)


def test_passwords_are_right_or_wrong(anna: Accounts) -> None:
    anna.add_user("none", Role.VIEWER)
    assert getattr(anna.check_password("anna", PASSWORD), "role", None) is Role.SUBMITTER
    wrong = [("anna", "another"), ("anna", ""), ("none", ""), ("none", PASSWORD), ("nobody", PASSWORD)]
    for number, (name, password) in enumerate([*wrong, ("anna", "x" * 100_000)]):
        assert anna.check_password(name, password, f"10.0.0.{number}") is None


def test_looking_at_an_unknown_user_costs_one_scrypt_too(anna: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def look(kept: str, password: str) -> bool:
        looked.append(kept)
        return False

    monkeypatch.setattr("park_spool.accounts.secret.check_password_hash", look)
    anna.check_password("anna", PASSWORD)
    anna.check_password("nobody", PASSWORD)
    known, unknown = looked
    assert known.split("$")[0] == unknown.split("$")[0] == secret.METHOD
    assert [len(part) for part in known.split("$")] == [len(part) for part in unknown.split("$")]


def test_the_last_administrator_stays_while_there_are_others(anna: Accounts) -> None:
    anna.add_user("root", Role.ADMINISTRATOR)
    for change in (lambda: anna.remove_user("root"), lambda: anna.set_role("root", Role.VIEWER)):
        with pytest.raises(AccountError, match="root is the only administrator"):
            change()
    anna.remove_user("anna")
    anna.remove_user("root")
    assert anna.users() == []


def test_who_is_removed_is_out_at_once(anna: Accounts) -> None:
    cookie, (token, _), link = anna.begin_login("anna"), anna.make_token("anna", "x"), anna.make_link("anna")
    anna.remove_user("anna")
    assert (anna.login_of(cookie), anna.user_of_token(token), anna.redeem_link(link)) == (None, None, None)
    anna.add_user("anna", Role.ADMINISTRATOR)
    assert (anna.login_of(cookie), anna.user_of_token(token), anna.redeem_link(link)) == (None, None, None)


@pytest.mark.parametrize("what", ["set_role", "set_password", "make_token", "make_link", "remove_user", "begin_login"])
def test_who_is_not_there_is_not_found(accounts: Accounts, what: str) -> None:
    more = {"set_role": (Role.VIEWER,), "set_password": (PASSWORD,), "make_token": ("x",)}
    with pytest.raises(NotFound, match="there is no user wei"):
        getattr(accounts, what)("wei", *more.get(what, ()))


def test_names_and_numbers_that_sqlite_cannot_hold_are_not_found(anna: Accounts) -> None:
    assert anna.user("\udcff") is None
    for number in (2**63, -(2**64)):
        with pytest.raises(NotFound):
            anna.drop_token(number)
        assert anna.audit(before=number) == []


def test_words_of_roles() -> None:
    assert read_role("administrator") is Role.ADMINISTRATOR
    with pytest.raises(AccountError, match="one of viewer, submitter, administrator, got 'nobody'"):
        read_role("nobody")


# log-ins and links


def test_a_log_in_ends_after_thirty_days(anna: Accounts, clock: Clock) -> None:
    cookie = anna.begin_login("anna", "10.0.0.1")
    login = anna.login_of(cookie)
    assert login is not None and (login.user, login.role, login.address) == ("anna", Role.SUBMITTER, "10.0.0.1")
    clock.now += 29.9 * logins.DAY
    assert anna.login_of(cookie) is not None
    (seen,) = anna.logins("anna")
    assert seen.seen == clock.now and seen.csrf == ""
    clock.now += 0.1 * logins.DAY
    assert anna.login_of(cookie) is None and anna.logins("anna") == []
    assert anna.login_of("") is None


def test_every_log_in_has_its_own_secret_for_forms(anna: Accounts) -> None:
    found = [anna.login_of(anna.begin_login("anna")) for _ in range(3)]
    assert len({login.csrf for login in found if login}) == 3
    assert anna.csrf_of_proxy("anna") == anna.csrf_of_proxy("anna") != anna.csrf_of_proxy("wei")


def test_log_ins_are_ended_one_or_all_but_one(anna: Accounts) -> None:
    first, second, third = (anna.begin_login("anna") for _ in range(3))
    anna.end_login(first)
    assert anna.login_of(first) is None and anna.login_of(second) is not None
    assert anna.end_logins_of("anna", but=third) == 1
    assert anna.login_of(second) is None and anna.login_of(third) is not None


def test_a_new_password_ends_the_log_ins_but_the_one_that_set_it(anna: Accounts) -> None:
    first, second = anna.begin_login("anna"), anna.begin_login("anna")
    anna.set_password("anna", "quite another one", but=second)
    assert anna.login_of(first) is None and anna.login_of(second) is not None
    assert anna.check_password("anna", PASSWORD) is None
    assert anna.check_password("anna", "quite another one") is not None


def test_a_role_holds_at_once(anna: Accounts) -> None:
    cookie = anna.begin_login("anna")
    anna.set_role("anna", Role.VIEWER)
    assert getattr(anna.login_of(cookie), "role", None) is Role.VIEWER


def test_a_link_is_good_once_and_not_for_ever(anna: Accounts, clock: Clock) -> None:
    link, late = anna.make_link("anna", seconds=600), anna.make_link("anna", seconds=600)
    assert anna.is_link(link) and anna.is_link(link)
    assert getattr(anna.redeem_link(link), "name", None) == "anna"
    assert anna.redeem_link(link) is None and not anna.is_link(link)
    clock.now += 600
    assert not anna.is_link(late) and anna.redeem_link(late) is None
    for seconds in (599, 86401, float("nan")):
        with pytest.raises(AccountError, match="10 minutes to one day"):
            anna.make_link("anna", seconds=seconds)


def test_the_first_link_makes_the_first_administrator_and_there_is_no_second(accounts: Accounts) -> None:
    link = accounts.make_first_link("me")
    assert link is not None and accounts.users() == []
    user = accounts.redeem_link(link)
    assert user is not None and (user.name, user.role, user.has_password) == ("me", Role.ADMINISTRATOR, False)
    assert accounts.make_first_link("me") is None


def test_the_first_address_has_a_link_on_loopback_alone(accounts: Accounts) -> None:
    assert first_address(accounts, PAGE, "127.0.0.1", "me").startswith(f"{PAGE}login?link=")
    assert first_address(accounts, PAGE, "0.0.0.0", "me") == PAGE
    assert advice(accounts, "127.0.0.1") == "" and "park user add" in advice(accounts, "0.0.0.0")
    accounts.add_user("me", Role.ADMINISTRATOR)
    assert first_address(accounts, PAGE, "localhost", "me") == PAGE and advice(accounts, "0.0.0.0") == ""


# tokens


def test_a_token_asks_as_its_user_and_with_no_more_than_it_and_they_may(anna: Accounts, clock: Clock) -> None:
    made, token = anna.make_token("anna", "scripts", seconds=100)
    assert (token.user, token.label, token.role, token.used) == ("anna", "scripts", Role.SUBMITTER, None)
    assert anna.user_of_token(made) == token
    assert getattr(anna.user_of_token(made), "used", None) == clock.now
    anna.set_role("anna", Role.VIEWER)
    assert getattr(anna.user_of_token(made), "role", None) is Role.VIEWER
    anna.set_role("anna", Role.ADMINISTRATOR)
    assert getattr(anna.user_of_token(made), "role", None) is Role.SUBMITTER
    clock.now += 100
    assert anna.user_of_token(made) is None and len(anna.tokens()) == 1


@pytest.mark.parametrize(
    ("label", "role"), [("", None), ("a\nb", None), ("x" * 101, None), ("x", Role.ADMINISTRATOR), ("x", Role.NOBODY)]
)
def test_a_token_that_will_not_do_is_refused(anna: Accounts, label: str, role: Role | None) -> None:
    with pytest.raises(AccountError):
        anna.make_token("anna", label, role)
    assert anna.tokens() == []


def test_a_token_is_dropped_by_its_user_alone_or_by_who_may_see_all(anna: Accounts) -> None:
    anna.add_user("wei", Role.VIEWER)
    made, token = anna.make_token("anna", "x")
    with pytest.raises(NotFound, match=r"no token \d+ of wei"):
        anna.drop_token(token.id, "wei")
    assert anna.user_of_token(made) is not None
    assert anna.drop_token(token.id, "anna").label == "x"
    assert anna.user_of_token(made) is None and anna.tokens("anna") == []


# who guesses


def test_who_guesses_waits_longer_each_time_and_a_right_password_ends_it(anna: Accounts, clock: Clock) -> None:
    for _ in range(failures.FREE):
        assert anna.check_password("anna", "wrong", "10.0.0.1") is None
    for wait in (30, 60, 120):
        with pytest.raises(TooManyAttempts) as caught:
            anna.check_password("anna", PASSWORD, "10.0.0.2")
        assert caught.value.seconds == wait
        clock.now += wait
        assert anna.check_password("anna", "wrong", f"10.0.1.{wait}") is None
    clock.now += 240
    assert anna.check_password("anna", PASSWORD, "10.0.0.2") is not None
    assert anna.check_password("anna", "wrong", "10.0.0.2") is None


def test_one_address_cannot_try_many_names(anna: Accounts) -> None:
    for number in range(failures.FREE):
        anna.check_password(f"user{number}", "wrong", "10.0.0.1")
    with pytest.raises(TooManyAttempts, match="try again in 30 s"):
        anna.check_password("anna", PASSWORD, "10.0.0.1")
    assert anna.check_password("anna", PASSWORD, "10.0.0.2") is not None


def test_right_passwords_do_not_count_against_an_address(anna: Accounts) -> None:
    for _ in range(3 * failures.FREE):
        assert anna.check_password("anna", PASSWORD, "10.0.0.1") is not None


def test_failures_are_forgotten(anna: Accounts, clock: Clock) -> None:
    for _ in range(failures.FREE):
        anna.check_password("anna", "wrong")
    clock.now += failures.WINDOW
    assert anna.check_password("anna", PASSWORD) is not None


def test_many_guesses_at_once_are_no_more_than_one_after_the_other(anna: Accounts) -> None:
    looked: list[object] = []

    def guess() -> None:
        try:
            looked.append(anna.check_password("anna", "wrong"))
        except TooManyAttempts:
            return

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(looked) == failures.FREE


# the record


def test_the_record_is_paged_newest_first_and_what_is_long_is_cut(accounts: Accounts, clock: Clock) -> None:
    for number in range(5):
        clock.now += 1
        accounts.record("anna" if number % 2 else "wei", "login", f"did {number}", sid="s", detail="x" * 5000)
    first = accounts.audit(limit=2)
    assert [entry.what for entry in first] == ["did 4", "did 3"]
    assert [entry.what for entry in accounts.audit(before=first[-1].id)] == ["did 2", "did 1", "did 0"]
    assert [entry.what for entry in accounts.audit("anna")] == ["did 3", "did 1"]
    assert len(first[0].detail) == 1000 and first[0].at == clock.now


# the stamp


def test_the_stamp_moves_with_every_right_and_with_nothing_else(anna: Accounts, path: Path, clock: Clock) -> None:
    seen = [anna.stamp()]

    def moved() -> bool:
        seen.append(anna.stamp())
        return seen[-1] != seen[-2]

    cookie, (made, token) = anna.begin_login("anna"), anna.make_token("anna", "x", seconds=50)
    assert moved() and not moved()
    anna.record("anna", "login", "did something")
    clock.now += 10
    anna.login_of(cookie), anna.user_of_token(made), anna.check_password("anna", "wrong"), anna.make_link("anna")
    assert not moved()
    anna.set_role("anna", Role.VIEWER)
    assert moved()
    clock.now += 40  # the token ends
    assert anna.user_of_token(made) is None and moved() and not moved()
    anna.drop_token(token.id)
    assert moved()
    with Accounts.open(path) as other:
        other.end_login(cookie)
    assert moved()
    anna.set_password("anna", "quite another one")
    assert moved()
    anna.remove_user("anna")
    assert moved() and not moved()


# several processes


def open_and_add(path: Path, number: int, go: multiprocessing.synchronize.Event) -> None:
    go.wait()
    with Accounts.open(path) as accounts:
        accounts.add_user(f"user{number}", Role.VIEWER)
        accounts.record(f"user{number}", "test", "came")


def redeem(path: Path, link: str, go: multiprocessing.synchronize.Event, won: multiprocessing.Queue[str]) -> None:
    with Accounts.open(path) as accounts:
        go.wait()
        user = accounts.redeem_link(link)
        won.put(user.name if user else "")


def test_processes_that_come_at_once_make_one_file(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    go = context.Event()
    several = [context.Process(target=open_and_add, args=(path, number, go)) for number in range(6)]
    for process in several:
        process.start()
    go.set()
    for process in several:
        process.join()
    assert [process.exitcode for process in several] == [0] * 6
    with Accounts.open(path) as accounts:
        assert len(accounts.users()) == len(accounts.audit()) == 6


def test_of_those_who_redeem_a_link_at_once_one_wins(path: Path) -> None:
    with Accounts.open(path) as accounts:
        link = accounts.make_first_link("me")
    context = multiprocessing.get_context("spawn")
    go, won = context.Event(), context.Queue()
    several = [context.Process(target=redeem, args=(path, link, go, won)) for _ in range(5)]
    for process in several:
        process.start()
    go.set()
    outcomes = sorted(won.get() for _ in several)
    for process in several:
        process.join()
    assert outcomes == ["", "", "", "", "me"]


def test_a_file_of_another_is_refused_in_a_sentence(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("park_spool.accounts.database.os.open", refuse)
    with pytest.raises(SpoolError, match="Permission denied; only its owner may see the page's users"):
        Accounts.open(path)
