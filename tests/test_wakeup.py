"""Real inotify: what wakes a daemon, and which names it believes to be whole. Every wait has a bound and a condition."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from park_spool.wakeup import Wakeup

PATIENCE = 10.0


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "ready" / "100-100").mkdir(parents=True)
    (tmp_path / "claimed").mkdir()
    return tmp_path / "inbox"


@pytest.fixture
def wakeup(inbox: Path) -> Iterator[Wakeup]:
    made = Wakeup(deep=[inbox.parent / "ready", inbox.parent / "claimed"], flat=[inbox], inbox=inbox)
    yield made
    made.close()


def hear(wakeup: Wakeup, is_enough: Callable[[set[str]], bool]) -> set[str]:
    """Wait, as a daemon does, until enough was heard; fail after a while."""
    heard: set[str] = set()
    end = time.monotonic() + PATIENCE
    while not is_enough(heard):
        assert time.monotonic() < end, f"only {sorted(heard)} was heard"
        wakeup.wait(0.2)
        heard |= set(wakeup.whole_names())
    return heard


def test_a_file_counts_as_whole_when_it_is_closed_and_not_before(wakeup: Wakeup, inbox: Path) -> None:
    with (inbox / "slow.xml").open("w") as file:
        file.write("<session")
        file.flush()
        (inbox / "quick.xml").write_text("<session/>")
        assert hear(wakeup, lambda heard: "quick.xml" in heard) == {"quick.xml"}
    assert hear(wakeup, bool) == {"slow.xml"}


def test_a_file_that_is_moved_in_is_whole(wakeup: Wakeup, inbox: Path) -> None:
    (inbox.parent / "film.xml").write_text("<session/>")
    (inbox.parent / "film.xml").rename(inbox / "film.xml")
    assert hear(wakeup, bool) == {"film.xml"}


def test_a_file_that_is_renamed_within_the_inbox_is_whole_under_its_new_name(wakeup: Wakeup, inbox: Path) -> None:
    (inbox / ".film.xml.part").write_text("<session/>")
    (inbox / ".film.xml.part").rename(inbox / "film.xml")
    assert "film.xml" in hear(wakeup, lambda heard: "film.xml" in heard)


def test_a_file_that_is_moved_out_is_not_in_the_inbox(wakeup: Wakeup, inbox: Path) -> None:
    (inbox / "film.xml").touch()
    (inbox / "film.xml").rename(inbox.parent / "film.xml")
    (inbox / "last.xml").write_text("<session/>")
    assert hear(wakeup, lambda heard: "last.xml" in heard) <= {"film.xml", "last.xml"}


def test_each_name_is_told_once(wakeup: Wakeup, inbox: Path) -> None:
    (inbox / "film.xml").write_text("<session/>")
    hear(wakeup, lambda heard: "film.xml" in heard)
    assert wakeup.whole_names() == []


def test_files_below_a_folder_in_the_inbox_are_not_the_inboxs(wakeup: Wakeup, inbox: Path) -> None:
    (inbox / "film").mkdir()
    (inbox / "film" / "film.xml").write_text("<session/>")
    (inbox / "last.xml").write_text("<session/>")
    assert hear(wakeup, lambda heard: "last.xml" in heard) == {"last.xml"}


def woken(wakeup: Wakeup) -> bool:
    before = time.monotonic()
    wakeup.wait(PATIENCE)
    return time.monotonic() - before < PATIENCE


def test_a_new_unit_and_a_new_rank_wake(wakeup: Wakeup, inbox: Path) -> None:
    ready = inbox.parent / "ready"
    (ready / "100-100" / "unit").touch()
    assert woken(wakeup)
    drain(wakeup)
    (ready / "000-000").mkdir()
    assert woken(wakeup)
    drain(wakeup)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:  # the watch on a folder that was just made comes a moment after it
        (ready / "000-000" / str(time.monotonic())).touch()
        if quiet_is_broken(wakeup):
            return
    raise AssertionError("units in a new rank wake nobody")


def test_what_leaves_a_folder_wakes_nobody(wakeup: Wakeup, inbox: Path) -> None:
    """A departure is no work; and watchdog would hold back for half a second what arrives after it."""
    ready = inbox.parent / "ready" / "100-100"
    (ready / "unit").touch()
    drain(wakeup)
    (ready / "unit").rename(inbox.parent.parent / "unit")
    assert not quiet_is_broken(wakeup, 0.8)


def drain(wakeup: Wakeup) -> None:
    while quiet_is_broken(wakeup):
        pass


def quiet_is_broken(wakeup: Wakeup, seconds: float = 0.3) -> bool:
    before = time.monotonic()
    wakeup.wait(seconds)
    return time.monotonic() - before < seconds


def test_hints_that_came_before_the_wait_are_not_lost(wakeup: Wakeup) -> None:
    for _ in range(100_000):  # more than a pipe holds: none of them blocks
        wakeup.wake()
    assert woken(wakeup)


def test_a_readable_file_ends_the_wait(wakeup: Wakeup) -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader) as file, os.fdopen(writer, "wb", 0) as other:
        other.write(b"done")
        before = time.monotonic()
        wakeup.wait(PATIENCE, [file])
        assert time.monotonic() - before < PATIENCE


def test_a_pause_is_not_cut_short_by_hints_but_by_the_order_to_stop(wakeup: Wakeup) -> None:
    wakeup.wake()
    wakeup.pause(0.01)
    assert woken(wakeup), "the pause took the hint for itself"
    threading.Timer(0.05, wakeup.interrupt).start()
    before = time.monotonic()
    wakeup.pause(PATIENCE)
    wakeup.wait(PATIENCE)
    wakeup.pause(PATIENCE)
    assert time.monotonic() - before < PATIENCE


def test_an_order_ends_one_wait_or_one_pause(wakeup: Wakeup) -> None:
    drain(wakeup)
    for is_pause in (False, True):
        threading.Timer(0.05, wakeup.nudge).start()
        before = time.monotonic()
        (wakeup.pause if is_pause else wakeup.wait)(PATIENCE)
        assert time.monotonic() - before < PATIENCE
        assert not quiet_is_broken(wakeup), "it ended another one, too"


def test_a_signal_handler_may_interrupt(wakeup: Wakeup) -> None:
    previous = signal.signal(signal.SIGUSR1, lambda number, frame: wakeup.interrupt())
    try:
        threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGUSR1)).start()
        assert woken(wakeup)
    finally:
        signal.signal(signal.SIGUSR1, previous)


def test_hints_after_the_end_write_nowhere(inbox: Path, tmp_path: Path) -> None:
    """A second SIGTERM while a daemon ends: the pipe's number may belong to another file by then."""
    wakeup = Wakeup(flat=[inbox], inbox=inbox)
    wakeup.close()
    others = [(tmp_path / f"result {number}").open("wb") for number in range(30)]
    wakeup.wake()
    wakeup.interrupt()
    for other in others:
        other.close()
    assert [path.stat().st_size for path in tmp_path.glob("result *")] == [0] * 30


def test_no_wait_is_negative(wakeup: Wakeup) -> None:
    wakeup.wait(-1.0)


def test_an_ordinary_end_is_no_error(inbox: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What watchdog's thread does when it is told to stop in the middle of its round."""
    wakeup = Wakeup(flat=[inbox], inbox=inbox)
    [emitter] = wakeup._observer.emitters
    wakeup.close()
    emitter.queue_events(0.0)
    assert caplog.records == []


def test_a_watch_that_lost_count_does_not_fail_the_daemon(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As watchdog did when a node that was told to stop took its folder away: the node was started again for it."""
    wakeup = Wakeup(deep=[inbox])
    [emitter] = wakeup._observer.emitters
    with monkeypatch.context() as patched:
        patched.setattr(emitter, "stop", lambda: {}.pop(b"claimed/n1/.n1"))
        wakeup.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(wakeup._reader)
    emitter.stop()
