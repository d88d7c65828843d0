"""What daemons tell the service manager: ready when they serve, alive while the work goes on, nothing when it hangs."""

from __future__ import annotations

import json
import logging
import math
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from daemons import Site, until
from service_manager import Listener, stop
from waitress import create_server, wasyncore

from park_spool import daemon
from park_spool.config import make_spool
from park_spool.errors import TemporaryError
from park_spool.system import journal, notify
from park_spool.system.children import Children
from park_spool.system.notify import Manager, Told
from park_spool.system.probe import Probe

LIMIT = 2.0  # s of the watchdog
DAEMONS = ("spoold", "reduced", "noded", "web", "datad")
PORTS = {"web": ("--port", "0", "--no-link"), "datad": ("--port", "0"), "noded": ("--cpus", "1")}


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as made:
        yield made


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    make_spool(tmp_path / "spool")
    return tmp_path / "spool"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


# real daemons


@pytest.mark.parametrize("name", DAEMONS)
def test_a_daemon_is_ready_then_alive_then_ending(name: str, spool: Path, listener: Listener) -> None:
    process = listener.daemon(name, spool, *PORTS.get(name, ()), watchdog=LIMIT)
    listener.until(lambda said: said.count("WATCHDOG=1") >= 4)
    assert listener.said.count("READY=1") == 1
    assert listener.said.index("READY=1") <= listener.said.index("WATCHDOG=1") + 1
    status = next(line for line in listener.said if line.startswith("STATUS="))
    assert str(spool) in status or "http://127.0.0.1:" in status
    assert "STOPPING=1" not in listener.said
    assert stop(process) == 0
    listener.until(lambda said: "STOPPING=1" in said)


def test_the_page_answers_once_it_is_ready(spool: Path, listener: Listener) -> None:
    process = listener.daemon("web", spool, *PORTS["web"])
    listener.until(lambda said: "READY=1" in said)
    (address,) = [found[1] for line in listener.said if (found := re.search(r"(http://\S+)", line))]
    assert urllib.request.urlopen(f"{address}static/park.css", timeout=20).status == 200
    assert "WATCHDOG=1" not in listener.said  # nobody asked for them
    assert stop(process) == 0


HANGS = """
import time
from pathlib import Path
from park_spool.reduce import Reduce

class Hangs(Reduce):
    def __call__(self, reply):
        Path(__file__).with_name("hangs").touch()
        time.sleep(1000)  # here it hangs
"""
SESSION = """<session user='w'><group name='one'><reduce classname='Hangs'/><task cmd='tester/noop'/>
<joblist name='j' cnt='3'><input/></joblist></group></session>"""


def test_work_that_hangs_gives_no_sign_of_life_and_shows_where(tmp_path: Path, listener: Listener) -> None:
    """A user's code that never returns: nothing is said any more, and the signal that systemd sends shows the line."""
    error, folder = tmp_path / "stderr", tmp_path / "services" / "reduce"
    folder.mkdir(parents=True)
    (folder / "Hangs.py").write_text(HANGS)
    with Site(tmp_path, "spoold", "noded") as site:
        process = listener.daemon("reduced", site.spool, watchdog=LIMIT, error=error)
        listener.until(lambda said: said.count("WATCHDOG=1") >= 2)
        site.drop_text("one.xml", SESSION)
        until((folder / "hangs").exists, 60, "the work that hangs")
        listener.for_(0.2)  # what was said before
        assert len(psutil.Process(process.pid).threads()) > 1  # others live, and say nothing in its place
        assert listener.for_(LIMIT) == []
        process.send_signal(signal.SIGABRT)
        assert process.wait(20) == -signal.SIGABRT
    assert "Fatal Python error: Aborted" in error.read_text()
    line = HANGS[: HANGS.index("here it hangs")].count("\n") + 1
    assert f'Hangs.py", line {line} in __call__' in error.read_text()


# `park serve`


def serve(listener: Listener, spool: Path, watchdog: float | None = None) -> subprocess.Popen[bytes]:
    argv = (sys.executable, "-c", "from park_spool.cli.main import main; main()")
    return listener.start(*argv, "serve", "--spool", str(spool), "--port", "0", watchdog=watchdog)


def children_of(process: subprocess.Popen[bytes]) -> dict[str, psutil.Process]:
    found = {}
    for child in psutil.Process(process.pid).children():
        with suppress(psutil.Error):
            named = [word for word in child.cmdline() if word.startswith("park_spool.")]
            found |= {named[0]: child} if named else {}  # one that has just been forked has no name yet
    return found


def test_serve_is_ready_when_all_are_and_what_hangs_is_started_again(spool: Path, listener: Listener) -> None:
    process = serve(listener, spool, watchdog=LIMIT)
    listener.until(lambda said: "READY=1" in said)
    ready = listener.said.index("READY=1")
    assert any("waits until" in line and "park-web" in line for line in listener.said[:ready])
    before = children_of(process)
    assert set(before) == {"park_spool.spoold", "park_spool.reduced", "park_spool.web.server"}
    hung = before["park_spool.spoold"]
    hung.suspend()
    until(lambda: not hung.is_running(), 30, "the end of the one that hangs")
    until(lambda: len(children_of(process)) == 3, 30, "its successor")
    after = children_of(process)
    assert after["park_spool.spoold"].pid != hung.pid
    assert after["park_spool.reduced"] == before["park_spool.reduced"]
    seen = len(listener.said)
    listener.until(lambda said: any("at work" in line for line in said[seen:]))
    assert stop(process) == 0
    assert listener.said.count("READY=1") == 1
    listener.until(lambda said: "STOPPING=1" in said)
    log = "".join(path.read_text() for path in (spool / "logs").glob("serve-*"))
    assert "s: it is ended by SIGABRT" in log


def test_one_that_still_starts_is_waited_for_and_one_that_was_ready_is_not(listener: Listener) -> None:
    clock, killed = Clock(), []
    children = Children(Manager(Told(listener.address, 8.0), clock), clock, lambda *what: killed.append(what))
    address = children.environment()["NOTIFY_SOCKET"]
    assert children.environment()["WATCHDOG_USEC"] == "8000000"

    def step(seconds: float, absent: tuple[str, ...] = ()) -> None:
        clock.now += seconds
        children.step({"one": os.getpid()}, absent)

    step(0)
    step(500)
    assert killed == []
    Manager(Told(address)).worked()
    step(1, ("two",))
    while listener.listen(0):
        pass
    assert "READY=1" not in listener.said and listener.said[-1] == "STATUS=waits until two can serve"
    step(1)
    assert "READY=1" in listener.listen(5)
    step(8)
    step(8)
    assert killed == [(os.getpid(), signal.SIGABRT)]
    step(1)
    assert killed[1:] == [(os.getpid(), signal.SIGKILL)]
    children.__exit__()


def test_serve_by_hand_tells_nobody_and_kills_nobody(spool: Path) -> None:
    with Children(Manager()) as children:
        assert children.environment() == {} and children.descriptors() == []
        children.step({"one": os.getpid()})


# threads


def test_threads_that_hang_carry_no_probe(listener: Listener) -> None:
    """A real server all of whose threads are held: its loop turns, and nothing is said."""
    gate, held = threading.Event(), threading.Semaphore(0)

    def application(environ: Any, start_response: Any) -> list[bytes]:
        held.release()
        gate.wait(60)
        start_response("200 OK", [("Content-Length", "0")])
        return []

    sockets: dict[int, Any] = {}
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = create_server(application, host="127.0.0.1", port=0, map=sockets, threads=2)
    manager = Manager(Told(listener.address, 0.4))
    probe = Probe(manager, server.task_dispatcher.add_task, server.pull_trigger, "serves")

    def turns(is_so: Any) -> None:
        while not is_so():
            probe.look()
            wasyncore.loop(timeout=0.02, use_poll=True, map=sockets, count=1)
            listener.listen(0)

    turns(lambda: listener.said.count("WATCHDOG=1") >= 3)
    assert listener.said[:3] == ["READY=1", "WATCHDOG=1", "STATUS=serves"]
    clients = [threading.Thread(target=_ask, args=(server.effective_port,)) for _ in range(2)]
    for client in clients:
        client.start()
    taken = [0]

    def all_are_held() -> bool:
        taken[0] += held.acquire(blocking=False)
        return taken[0] == 2

    turns(all_are_held)
    listener.for_(0.1)
    seen, rounds = len(listener.said), iter(range(50))
    turns(lambda: next(rounds, None) is None)
    assert listener.said[seen:] == []
    gate.set()
    turns(lambda: len(listener.said) > seen)
    server.task_dispatcher.shutdown()
    wasyncore.close_all(sockets)
    for client in clients:
        client.join()


def _ask(port: int) -> None:
    with suppress(OSError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60).read()


# the loop


def run(listener: Listener, *steps: bool | Exception, tick: float = 1.0, watchdog: float = 8.0) -> list[float]:
    """Run the loop through steps, each of which takes `tick`; return the pauses."""
    clock, script, pauses = Clock(), list(steps), []
    manager, ending = Manager(Told(listener.address, watchdog), clock), daemon.Stop()

    def step() -> bool:
        clock.now += tick
        outcome = script.pop(0)
        if not script:
            ending.handle(signal.SIGTERM)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    daemon.run(step, lambda: None, pauses.append, ending, manager, lambda: "at work")
    while listener.listen(0):
        pass
    return pauses


def test_pings_are_at_most_half_the_limit_apart(listener: Listener) -> None:
    run(listener, *[True] * 9)
    beginning = ["READY=1", "WATCHDOG=1", "STATUS=at work"]
    assert listener.said == [*beginning, *["WATCHDOG=1"] * 4, "STOPPING=1", "STATUS=ending"]


def test_a_step_that_fails_is_not_ready_but_alive_and_says_why(listener: Listener) -> None:
    error = TemporaryError("the disk\nis full")
    pauses = run(listener, *[error] * 4, True, True, tick=2.0)
    why = "STATUS=the disk is full; trying again"
    assert listener.said[:6] == ["WATCHDOG=1", why, *["WATCHDOG=1"] * 3, "READY=1"]
    assert pauses == [0.5, 1.0, 2.0, 2.0]  # never longer than a ping may take


def test_a_long_start_that_gets_on_is_given_more_time(listener: Listener) -> None:
    clock = Clock()
    manager = Manager(Told(listener.address, 8.0), clock)
    manager.going_on("1 of 2")
    manager.going_on("1 of 2")
    clock.now += 5
    manager.going_on("2 of 2")
    manager.worked("2 of 2")
    clock.now += 5
    manager.going_on("again")
    while listener.listen(0):
        pass
    more = "EXTEND_TIMEOUT_USEC=600000000"
    assert listener.said[:6] == [more, "WATCHDOG=1", "STATUS=1 of 2", more, "WATCHDOG=1", "STATUS=2 of 2"]
    assert listener.said[6:] == ["READY=1", "WATCHDOG=1", "STATUS=again"]


def test_a_socket_that_is_a_file_and_one_that_is_full_or_gone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = tmp_path / "s"
    with Listener(place) as listener:
        manager = Manager(Told(str(place)))
        manager.worked("a")
        assert listener.listen(1) == ["READY=1", "STATUS=a"]
        for number in range(1000):  # nobody listens: it must not wait
            manager.worked(str(number))
    place.unlink()
    manager.worked("b")
    manager.worked("c")
    [record] = caplog.records
    assert str(place) in record.getMessage()


def test_what_was_told_is_taken_out_of_the_environment() -> None:
    told = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "4711", "HOME": "/"}
    assert notify.take(told, 1) == Told("/run/x", math.inf)  # meant for another process
    assert told == {"HOME": "/"}
    for words in ({"WATCHDOG_USEC": "5000000"}, {"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "soon"}, {}):
        assert math.isinf(notify.take(dict(words)).watchdog)
    assert notify.take({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "8000000"}).every == 2.0


# the journal


def test_lines_for_the_journal_have_a_priority_each_and_no_time() -> None:
    record = logging.LogRecord("park_spool.x", logging.ERROR, "", 0, "first\nsecond", (), None)
    assert journal.JournalFormatter().format(record) == "<3>park_spool.x: first\n<3>second"


def test_only_the_journals_own_stream_is_the_journal(tmp_path: Path) -> None:
    with (tmp_path / "stream").open("wb") as file:
        found = os.fstat(file.fileno())
        assert journal.is_journal(f"{found.st_dev}:{found.st_ino}", file.fileno())
        assert not journal.is_journal(f"{found.st_dev}:{found.st_ino + 1}", file.fileno())
    for text in ("", "8", "a:b", "8:9"):
        assert not journal.is_journal(text, 10**6)


def test_a_daemon_writes_to_the_journal_as_it_wants_it(spool: Path, tmp_path: Path, listener: Listener) -> None:
    error = tmp_path / "journal"
    error.touch()
    found = error.stat()
    argv = (sys.executable, "-m", "park_spool.spoold", "--spool", str(spool))
    process = listener.start(*argv, error=error, JOURNAL_STREAM=f"{found.st_dev}:{found.st_ino}")
    listener.until(lambda said: "READY=1" in said)
    assert stop(process) == 0
    assert f"<6>park_spool.tending.role: tending the spool {spool}" in error.read_text()
    assert all(line.startswith("<") for line in error.read_text().splitlines())
    [log] = (spool / "logs").glob("spoold-*")
    assert json.dumps(log.read_text()).count("INFO park_spool.tending.role") == 1
