"""Single flight, the token, and the numbers: what needs no server."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from daemons import until
from park_spool.datacenter.auth import is_allowed, make_secret, read_secret
from park_spool.datacenter.metrics import Counts, Sample, render
from park_spool.datacenter.once import Busy, Once, Seats

from park_spool.atomic import Disk
from park_spool.errors import ConfigError, NotFound


class Crowd:
    """Threads that all ask for one thing, and what each got."""

    def __init__(self, once: Once[int], count: int, work: object) -> None:
        self.got: list[int | Exception] = []
        self._once, self._work = once, work
        self._threads = [threading.Thread(target=self._ask) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        try:
            self.got.append(self._once.get("x", self._work, 60.0))  # type: ignore[arg-type]
        except (Busy, NotFound, TimeoutError) as error:
            self.got.append(error)

    def join(self) -> list[int | Exception]:
        for thread in self._threads:
            thread.join()
        return self.got


def test_many_askers_and_one_work() -> None:
    seats = Seats(50)
    once: Once[int] = Once(most=1, seats=seats)
    may_end, ran = threading.Event(), []
    crowd = Crowd(once, 50, lambda: ran.append(1) or (may_end.wait() and 7))
    until(lambda: (once.count(), seats.taken) == (1, 50), 30, "fifty that wait")
    with pytest.raises(Busy, match="50 requests wait already"):
        once.get("x", lambda: 8, 60.0)
    with pytest.raises(Busy, match="y waits for its turn, 1 others are being fetched"):
        once.get("y", lambda: 8, 60.0)
    may_end.set()
    assert crowd.join() == [7] * 50
    assert (ran, once.count(), seats.taken) == ([1], 0, 0)
    assert once.get("x", lambda: 8, 60.0) == 8


@pytest.mark.parametrize("error", [NotFound("no"), TimeoutError("its own")])
def test_all_who_wait_get_the_error(error: Exception) -> None:
    seats = Seats(9)
    once: Once[int] = Once(most=1, seats=seats)
    may_end = threading.Event()

    def fail() -> int:
        may_end.wait()
        raise error

    crowd = Crowd(once, 9, fail)
    until(lambda: (once.count(), seats.taken) == (1, 9), 30, "nine that wait")
    may_end.set()
    assert crowd.join() == [error] * 9
    assert (once.count(), seats.taken) == (0, 0)


def test_who_has_no_patience_is_told_to_ask_again_and_the_work_goes_on() -> None:
    seats = Seats(9)
    once: Once[int] = Once(most=1, seats=seats)
    may_end = threading.Event()
    with pytest.raises(Busy, match=r"still being fetched after 0\.001 s"):
        once.get("x", lambda: may_end.wait() and 7, 0.001)
    assert (once.count(), seats.taken) == (1, 0)
    may_end.set()
    assert once.get("x", lambda: 7, 60.0) == 7


def test_at_the_end_nobody_waits_any_more() -> None:
    seats = Seats(9)
    once: Once[int] = Once(most=1, seats=seats)
    may_end = threading.Event()
    crowd = Crowd(once, 3, lambda: may_end.wait() and 7)
    until(lambda: (once.count(), seats.taken) == (1, 3), 30, "three that wait")
    once.close()
    assert [str(error) for error in crowd.join()] == ["the data centre is stopping; ask again"] * 3
    may_end.set()
    until(lambda: (once.count(), seats.taken) == (0, 0), 30, "the end of the work")


# the token


def test_a_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path, disk = tmp_path / "secret", Disk(tmp_path, "x")
    assert make_secret(disk, path)
    first = read_secret(path)
    assert (path.stat().st_mode & 0o777, len(first)) == (0o600, 43)
    assert not make_secret(disk, path)
    assert read_secret(path) == first


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        ("x" * 43, 0o640, "may be read or changed by others (mode 0640, expected 0600); nothing was started"),
        ("x" * 43, 0o602, "mode 0602"),
        ("", 0o600, "at least 16 letters"),
        ("x" * 15, 0o600, "at least 16 letters"),
        ("x" * 20 + "\n" + "y", 0o600, "at least 16 letters in one line"),
        (None, 0, "cannot be read"),
    ],
)
def test_a_secret_that_is_none_is_refused_in_one_sentence(
    tmp_path: Path, text: str | None, mode: int, words: str
) -> None:
    path = tmp_path / "secret"
    if text is not None:
        path.write_text(text)
        path.chmod(mode)
    with pytest.raises(ConfigError) as caught:
        read_secret(path)
    assert words in str(caught.value) and "x" * 15 not in str(caught.value)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "abc", "Bearer abcd", "Bearer äbc"])
def test_what_is_not_the_token(header: str | None) -> None:
    assert not is_allowed(header, "abc")
    assert is_allowed("bearer abc", "abc")


def test_numbers_for_prometheus() -> None:
    counts = Counts()
    counts.add("requests_total", code="200")
    counts.add("requests_total", 2, code="404")
    lines = render([*counts.samples(), Sample("files", "Files.", 1.5e12)]).splitlines()
    assert 'park_datad_requests_total{code="404"} 2' in lines
    assert "park_datad_evictions_total 0" in lines
    assert lines[-1] == "park_datad_files 1500000000000"
    assert lines.count("# TYPE park_datad_requests_total counter") == 1
