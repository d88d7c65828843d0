"""The loop under every daemon: it waits, backs off, stops when told, and survives whatever a step raises."""

from __future__ import annotations

import errno
import logging
import os
import re
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from park_spool import daemon
from park_spool.daemon import Stop
from park_spool.errors import SpoolError, TemporaryError


class Script:
    """Steps by a script; notes what the loop did between them; stops it at the end."""

    def __init__(self, *steps: bool | Exception) -> None:
        self.steps = list(steps)
        self.seen: list[object] = []
        self.stop = Stop()

    def step(self) -> bool:
        self.seen.append("step")
        outcome = self.steps.pop(0)
        if not self.steps:
            self.stop.handle(signal.SIGTERM)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def run(self) -> list[object]:
        daemon.run(self.step, lambda: self.seen.append("wait"), self.seen.append, self.stop)
        return self.seen


@pytest.fixture
def _handlers_restored() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    for handler in [handler for handler in root.handlers if handler not in handlers]:
        root.removeHandler(handler)
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_it_waits_only_after_a_step_that_did_nothing() -> None:
    assert Script(True, False, True, False, True).run() == ["step", "step", "wait", "step", "step", "wait", "step"]


def test_it_does_not_wait_any_more_once_it_is_told_to_stop() -> None:
    assert Script(False).run() == ["step"]
    script = Script(True)
    script.stop.handle(signal.SIGINT)
    assert script.run() == []


def test_failures_in_a_row_are_waited_for_longer_and_longer_up_to_a_bound() -> None:
    error = OSError(errno.ENOSPC, "No space left on device")
    pauses = [seen for seen in Script(*[error] * 10, False).run() if seen != "step"]
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0]


def test_a_step_that_works_ends_the_back_off() -> None:
    error = TemporaryError("not now")
    assert Script(error, error, True, error, False, False).run() == [
        *("step", 0.5, "step", 1.0, "step"),
        *("step", 0.5, "step", "wait", "step"),
    ]


@pytest.mark.parametrize(
    ("error", "level", "has_traceback"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "WARNING", False),
        (TemporaryError("another holds the archive"), "WARNING", False),
        (OSError(errno.EACCES, "Permission denied"), "ERROR", True),
        (SpoolError("is not a spool"), "ERROR", False),
        (sqlite3.OperationalError("disk I/O error"), "ERROR", True),
        (ZeroDivisionError("a mistake of ours"), "ERROR", True),
        (AssertionError(), "ERROR", True),
        (RecursionError("too deep"), "ERROR", True),
        (MemoryError(), "ERROR", True),
    ],
)
def test_whatever_a_step_raises_is_logged_and_tried_again(
    error: Exception, level: str, has_traceback: bool, caplog: pytest.LogCaptureFixture
) -> None:
    assert Script(error, False).run() == ["step", 0.5, "step"]
    [record] = caplog.records
    assert record.levelname == level
    assert "tr" in record.getMessage()  # "trying again", "it is tried again"
    assert bool(record.exc_info) == has_traceback


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_ends_a_process_ends_the_loop(error: type[BaseException]) -> None:
    def step() -> bool:
        raise error

    with pytest.raises(error):
        daemon.run(step, lambda: None, lambda seconds: None, Stop())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.usefixtures("_handlers_restored")
def test_a_signal_only_sets_a_flag_and_wakes(number: signal.Signals) -> None:
    woken: list[int] = []
    stop = Stop(lambda: woken.append(1))
    stop.install()
    assert not stop
    os.kill(os.getpid(), number)
    assert stop
    assert (stop.number, woken) == (number, [1])
    daemon.run(lambda: pytest.fail("it stepped"), lambda: None, lambda seconds: None, stop)


@pytest.mark.usefixtures("_handlers_restored")
def test_logs_go_to_a_file_of_this_host(tmp_path: Path) -> None:
    daemon.start_logging("spoold", tmp_path)
    logging.getLogger("park_spool.tending").info("admitted session %s", "x")
    [path] = tmp_path.iterdir()
    assert path.name.startswith("spoold-")
    assert path.name.endswith(".log")
    assert "INFO park_spool.tending: admitted session x" in path.read_text()


def test_a_terminal_is_told_when_and_what_and_how_bad_it_is() -> None:
    def line(level: int) -> str:
        return daemon.TerminalFormatter().format(logging.LogRecord("park_spool.x", level, "", 0, "n%s", (1,), None))

    assert re.fullmatch(r"\d\d:\d\d:\d\d n1", line(logging.INFO))
    assert re.fullmatch(r"\d\d:\d\d:\d\d WARNING n1", line(logging.WARNING))


def shared_log(path: Path, bytes_: int = 200) -> daemon.SharedLog:
    return daemon.SharedLog(path, maxBytes=bytes_, backupCount=5, delay=True)


def write(handler: daemon.SharedLog, text: str) -> None:
    handler.emit(logging.LogRecord("park_spool", logging.INFO, "", 0, text, (), None))


def test_two_daemons_share_a_log_that_rotates_and_no_line_is_lost(tmp_path: Path) -> None:
    """Each goes on in the file that the other made; none writes into an old one, or rotates a fresh one."""
    path = tmp_path / "noded-here.log"
    first, second = shared_log(path), shared_log(path)
    lines = [f"line {number:02d} with some words behind it" for number in range(30)]
    for number, line in enumerate(lines):
        write(first if number % 2 else second, line)
    first.close(), second.close()
    files = [file.read_text().splitlines() for file in sorted(tmp_path.iterdir())]
    assert [len(found) for found in files] == [5] * 6
    assert sorted(line for found in files for line in found) == lines


def test_a_log_that_was_removed_is_made_again(tmp_path: Path) -> None:
    handler = shared_log(tmp_path / "a.log")
    write(handler, "one")
    (tmp_path / "a.log").unlink()
    write(handler, "two")
    handler.close()
    assert (tmp_path / "a.log").read_text() == "two\n"


def test_a_log_that_cannot_be_looked_at_harms_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = shared_log(tmp_path / "a.log")
    complaints: list[logging.LogRecord] = []
    monkeypatch.setattr(handler, "handleError", complaints.append)
    write(handler, "one")
    with monkeypatch.context() as cut:
        cut.setattr("park_spool.daemon.os.fstat", lambda descriptor: os.listdir("/does/not/exist"))
        write(handler, "two")
    write(handler, "three")
    handler.close()
    assert (tmp_path / "a.log").read_text() == "one\ntwo\nthree\n" and len(complaints) == 1
