"""A slot and its warm child against functions that do what they should not: blame, order, and going on."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from running_site import Site, wait_until_gone

from park_spool.processes import family, identity, is_alive
from park_spool.running.child import Child
from park_spool.running.slot import Slot
from park_spool.sessions.session import DataRef

ZOO = """
import ctypes, os, resource, signal, subprocess, sys, threading, time

def run(text):
    return FUNCTIONS[text.split('"')[1]]()

def typed(values):
    return FUNCTIONS[values["do"]]()

class Odd(BaseException):
    pass

def throw(error):
    raise error

def fork_and_return():
    return "parent" if os.fork() else "child"

def fork_and_raise():
    if os.fork() == 0:
        raise ValueError("in the child")
    return "parent"

def leave_a_process():
    subprocess.Popen(["sleep", "1000"])
    return "left"

def change_folder():
    os.chdir("/")
    return "changed"

def remove_folder():
    os.rmdir(os.getcwd())
    return "removed"

def close_streams():
    sys.stdout.close(); sys.stderr.close(); os.close(1); os.close(2)
    return "closed"

def alarm():
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    return "set"

def ignore():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    return "ignored"

def ignore_and_hang():
    ignore()
    print("hanging")
    while True:
        time.sleep(1000)

def spin():
    while True:
        pass

def recurse():
    return recurse()

def print_much():
    for _ in range(40):
        print("x" * 1_000_000)
    return "printed"

def print_and_die():
    print("last words")
    os._exit(7)

def forge():
    for fd in os.listdir("/proc/self/fd"):
        try:
            if "deleted" in os.readlink("/proc/self/fd/" + fd):
                os.write(int(fd), b"garbage\\n")
        except OSError:
            pass
    return "forged"

HOARD = []

def keep_open():
    try:
        while True:
            HOARD.append(os.open("/", os.O_RDONLY))
    except OSError:
        return "kept"

def lie():
    for fd in os.listdir("/proc/self/fd"):
        try:
            if "pipe" in os.readlink("/proc/self/fd/" + fd):
                os.write(int(fd), b"lost x\\nbegan nan\\nprogress x\\nprogress\\n\\xff\\n")
        except OSError:
            pass
    return "lied"

def small_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    return "limited"

FUNCTIONS = {
    "good": lambda: "good",
    "where": os.getcwd,
    "exit": lambda: os._exit(3),
    "sysexit": lambda: sys.exit(4),
    "segfault": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "close all": lambda: os.closerange(0, 65536) or "closed",
    "close some": lambda: os.closerange(3, 1024) or "closed",
    "close streams": close_streams,
    "print": print_much,
    "print and die": print_and_die,
    "say": lambda: print("said") or "ok",
    "ignore": ignore,
    "ignore and hang": ignore_and_hang,
    "fork": fork_and_return,
    "fork and raise": fork_and_raise,
    "leave a process": leave_a_process,
    "spin": spin,
    "recurse": recurse,
    "interrupt": lambda: throw(KeyboardInterrupt()),
    "odd": lambda: throw(Odd("odd")),
    "error": lambda: throw(ValueError("no such film")),
    "none": lambda: None,
    "bytes": lambda: b"x",
    "set": lambda: {1, 2},
    "surrogate": lambda: chr(0xD800) + "é",
    "huge": lambda: "x" * (64 * 1024 * 1024 + 1),
    "change folder": change_folder,
    "remove folder": remove_folder,
    "alarm": alarm,
    "nap": lambda: time.sleep(0.1) or "slept",
    "forge": forge,
    "small files": small_files,
    "thread": lambda: threading.Thread(target=lambda: time.sleep(1000)).start() or "started",
    "pid": lambda: str(os.getpid()),
    "memory": lambda: "x" * (1 << 60),
    "replace stdout": lambda: setattr(sys, "stdout", None) or "replaced",
    "threads": lambda: os.environ["OMP_NUM_THREADS"],
    "leave files": lambda: open(os.environ["PARK_OUTPUT"] + "/fit", "w").write("fit") and "left",
    "leave and fail": lambda: open(os.environ["PARK_OUTPUT"] + "/fit", "w").write("fit") and throw(ValueError("x")),
    "output": lambda: os.environ.get("PARK_OUTPUT", "nowhere"),
    "progress": lambda: print('{"chisq": 2}\\nnoise\\n{"chisq": 3}\\n', end="") or time.sleep(1000),
    "allocate": lambda: str(len(b"x" * 600_000_000)),
    "keep open": keep_open,
    "nice": lambda: str(os.getpriority(os.PRIO_PROCESS, 0)),
    "grow": lambda: HOARD.append(b"x" * 30_000_000) or "grown",
    "lie": lie,
}
"""

MANIFEST = """
[commands.run]
mode = "function"
function = "zoo:run"
takes = "xml"
timeout = 1.0
[commands.limited]
mode = "function"
function = "zoo:run"
timeout = 60
memory = "300 MB"
open_files = 64
[commands.brief]
mode = "function"
function = "zoo:run"
timeout = 60
cpu = 0.2
output = 100
[commands.typed]
mode = "function"
function = "zoo:typed"
takes = "dict"
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    made.add_service("zoo", MANIFEST, {"zoo.py": ZOO})
    yield made
    made.slot.close()
    assert not list((tmp_path / "scratch").glob("*")), "a child left its scratch folder behind"


def statuses(results: list[dict[str, Any]]) -> list[object]:
    return [result["status"] for result in results]


def test_results_come_in_order_with_output_and_times(site: Site) -> None:
    first, second = site.run("good", "good")
    assert first["output"] == second["output"] == "good"
    assert first["started"] <= second["started"]
    assert set(first) == {"job", "status", "started", "seconds", "output"}


def test_a_child_is_kept_from_one_assignment_to_the_next(site: Site) -> None:
    assert site.run("pid")[0]["output"] == site.run("pid")[0]["output"] == str(site.slot.pid)


FATAL = {
    "exit": ("exited with status 3", "exit", 3),
    "segfault": ("was killed by SIGSEGV", "signal", signal.SIGSEGV),
    "abort": ("was killed by SIGABRT", "signal", signal.SIGABRT),
    "kill": ("was killed by SIGKILL (out of memory?)", "signal", signal.SIGKILL),
    "close all": ("had to give up: the function closed its worker's descriptors", "exit", 122),
    "small files": ("had to give up: a result cannot be written: File too large", "output", ""),
    "forge": ("wrote into the results of its worker", "output", ""),
}


@pytest.mark.parametrize("word", FATAL)
def test_a_fatal_job_takes_down_itself_alone(site: Site, word: str) -> None:
    results = site.run("good", word, "good", word, "good")
    assert statuses(results) == ["ok", "failed", "ok", "failed", "ok"]
    words, key, value = FATAL[word]
    assert words in results[1]["why"] and results[1][key] == value


RAISED = {
    "sysexit": "SystemExit: 4 (zoo.py, line ",
    "interrupt": "KeyboardInterrupt (zoo.py, line ",
    "odd": "Odd: odd (zoo.py, line ",
    "error": "ValueError: no such film (zoo.py, line ",
    "recurse": "RecursionError: maximum recursion depth exceeded (zoo.py, line ",
    "memory": "MemoryError (zoo.py, line ",
    "none": "TypeError: the function returned a NoneType, expected a str",
    "bytes": "TypeError: the function returned a bytes, expected a str",
    "huge": "ValueError: the function returned 67108865 characters, at most 67108864 are taken",
}


@pytest.mark.parametrize("word", RAISED)
def test_whatever_a_function_raises_is_said_in_words_and_its_process_goes_on(site: Site, word: str) -> None:
    results = site.run("pid", word, "pid")
    assert statuses(results) == ["ok", "failed", "ok"]
    assert RAISED[word] in results[1]["why"]
    assert "Traceback" in results[1]["stderr"] and len(results[1]["stderr"]) <= 4096
    assert results[0]["output"] == results[2]["output"]


def test_what_json_cannot_hold_is_a_failure(site: Site) -> None:
    good, bad = site.run("good", "set", command="typed")
    assert good["output"] == '"good"'
    assert "returned a set, which cannot be written as JSON" in bad["why"]


HARMLESS = (
    "close some",
    "close streams",
    "ignore",
    "change folder",
    "remove folder",
    "alarm",
    "thread",
    "replace stdout",
    "fork",
    "fork and raise",
    "print",
)


@pytest.mark.parametrize("word", HARMLESS)
def test_what_a_job_leaves_behind_does_not_reach_the_next(site: Site, word: str) -> None:
    results = site.run("where", "pid", word, "nap", "say", "where", "pid")
    assert statuses(results) == ["ok"] * 7, results
    assert results[0]["output"] == results[5]["output"]
    assert results[1]["output"] == results[6]["output"]


def test_output_is_made_fit_for_every_reader(site: Site) -> None:
    assert site.run("surrogate")[0]["output"] == "?é"


def test_libraries_get_one_thread_each(site: Site) -> None:
    assert site.run("threads")[0]["output"] == "1"


@pytest.mark.parametrize("word", ["spin", "ignore and hang"])
def test_a_job_that_hangs_is_killed_at_its_limit(site: Site, word: str) -> None:
    results = site.run("good", word, "good")
    assert statuses(results) == ["ok", "timeout", "ok"]
    assert results[1]["why"] == "the service gave no result within its limit of 1 s; its process was killed"
    assert results[1]["seconds"] >= 0.9


def test_the_log_is_bounded_and_its_end_is_in_the_result(site: Site) -> None:
    results = site.run("print", "print", "print and die", "error")
    assert results[2]["stderr"].endswith("last words\n")
    assert (site.folder / "slot-0.log").stat().st_size < 100_000_000
    site.run("good")
    assert (site.folder / "slot-0.log").stat().st_size <= 16 * 1024 * 1024


def test_processes_that_a_function_leaves_die_with_its_child(site: Site) -> None:
    site.run("leave a process")
    assert site.slot.pid is not None
    strays = family(site.slot.pid)
    assert strays
    site.run("exit")
    for pid in strays:
        wait_until_gone(pid)


def test_kill_stops_a_job_at_once_and_keeps_what_was_done(site: Site) -> None:
    site.slot.start(site.assignment(["good", "good", "spin", "good"]))
    site.wait_for(lambda: len(site.slot.results()) == 2)
    child = site.slot.pid
    site.slot.kill()
    assert site.slot.assignment is None and site.slot.poll(time.monotonic()) is None
    assert child is not None
    wait_until_gone(child)
    assert site.run("good")[0]["output"] == "good"


def test_a_child_that_died_while_it_was_idle_is_nobodys_fault(site: Site) -> None:
    site.run("good")
    assert site.slot.pid is not None
    os.kill(site.slot.pid, signal.SIGKILL)
    assert statuses(site.run("good", "good")) == ["ok", "ok"]


def test_a_slot_takes_one_assignment_at_a_time(site: Site) -> None:
    site.slot.start(site.assignment(["good"]))
    with pytest.raises(ValueError, match="is busy with"):
        site.slot.start(site.assignment(["good"]))
    site.wait()


def test_two_services_do_not_meet_in_one_interpreter(site: Site) -> None:
    site.add_service("other", MANIFEST, {"zoo.py": "def run(text):\n    return 'other'\n"})
    assert [site.run("good", service=name)[0]["output"] for name in ("zoo", "other", "zoo")] == [
        "good",
        "other",
        "good",
    ]


def test_a_service_that_was_edited_is_taken_up(site: Site) -> None:
    assert site.run("good")[0]["output"] == "good"
    site.add_service("zoo", MANIFEST, {"zoo.py": "def run(text):\n    return 'edited'\n"})
    assert site.run("good")[0]["output"] == "edited"


BROKEN = {
    "import os; os._exit(9)": "exited with status 9 while it was loaded",
    "raise ValueError('not today')": "ValueError: not today (broken.py, line 1)",
    "import sys; sys.exit(2)": "SystemExit: 2",
    "import nowhere_to_be_found": "ModuleNotFoundError: No module named 'nowhere_to_be_found'",
    "x = 1": "has no function 'run'",
    "def run(text:": "SyntaxError",
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_service_that_cannot_be_loaded_fails_all_its_jobs_in_words(site: Site, text: str) -> None:
    site.add_service("broken", MANIFEST.replace("zoo:", "broken:"), {"broken.py": text})
    results = site.run("good", "good", "good", service="broken")
    assert statuses(results) == ["failed"] * 3
    assert all(BROKEN[text] in result["why"] for result in results)
    assert site.run("good")[0]["status"] == "ok"


def test_a_module_with_the_name_of_another_is_refused(site: Site) -> None:
    site.add_service("shadow", MANIFEST.replace("zoo:", "json:"), {"json.py": ZOO})
    assert "its name is another module's" in site.run("good", service="shadow")[0]["why"]


def test_data_is_resolved_and_its_digest_kept(site: Site) -> None:
    (site.folder / "film.txt").write_text("1 2 3\n")
    reader = "def run(text):\n    return text\n"
    site.add_service("reader", MANIFEST.replace("zoo:", "reader:"), {"reader.py": reader})
    film = DataRef("film", "film.txt")
    result = site.run("good", service="reader", data=(film,))[0]
    assert f'path="{site.folder / "film.txt"}"' in result["output"]
    assert result["data"] == {"film": hashlib.sha256(b"1 2 3\n").hexdigest()}


def test_data_that_is_missing_fails_the_job_in_words(site: Site) -> None:
    result = site.run("good", data=(DataRef("film", "film.txt"),))[0]
    assert result["status"] == "failed" and "data set 'film': there is no file film.txt" in result["why"]


def test_a_session_that_cannot_be_read_fails_its_jobs(site: Site) -> None:
    assignment = site.assignment(["good"])
    assignment.session_json.write_text("{")
    site.slot.start(assignment)
    (line,) = site.wait()
    assert f"{assignment.session_json} cannot be read" in json.loads(line)["why"]


def test_a_child_dies_with_its_node(site: Site, tmp_path: Path) -> None:
    """The command pipe's end closes when a node is killed: an idle child sees that and goes."""
    site.run("good")
    child = site.slot._child
    assert child is not None
    one = identity(child.pid)
    os.dup2(os.open(os.devnull, os.O_WRONLY), child._commands)
    site.wait_for(lambda: is_alive(one) is False)


def test_an_idle_slot_does_not_wake_its_node_and_replaces_a_dead_child(site: Site) -> None:
    site.run("good")
    child = site.slot.pid
    assert child is not None
    os.kill(child, signal.SIGKILL)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert select.select([site.slot], [], [], 0) == ([], [], []) and site.slot.wake_at() is None
    assert site.slot.poll(time.monotonic()) is None
    assert site.run("pid")[0]["output"] != str(child)


def test_a_child_that_cannot_be_made_is_tried_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    refusals = [BlockingIOError(errno.EAGAIN, "no more processes"), OSError(errno.EMFILE, "too many open files")]

    def refuse(log: BinaryIO, folder: Path, environment: Mapping[str, str]) -> Child:
        if refusals:
            raise refusals.pop()
        return Child(log, folder, environment)

    monkeypatch.setattr("park_spool.running.slot.Child", refuse)
    monkeypatch.setattr("park_spool.running.slot._RETRY", 0.01)
    assert site.run("good")[0]["status"] == "ok" and not refusals


NODE = """
import sys, time
from pathlib import Path
from park_spool.running.assignment import Assignment
from park_spool.running.slot import Slot
slot = Slot(1, Path(sys.argv[1]))
slot.start(Assignment.from_line(sys.argv[2].encode()))
while True:
    slot.poll(time.monotonic())
    time.sleep(0.01)
"""


@pytest.mark.parametrize("word", ["ignore and hang", "sleep"])
def test_everything_goes_when_the_node_is_killed(site: Site, word: str) -> None:
    manifest = '[commands.run]\nmode = "executable"\nrun = ["run"]\n'
    site.add_service("program", manifest, {"run": "#!/bin/sh\nsleep 1000 & wait\n"})
    (site.services / "program" / "run").chmod(0o755)
    service = "program" if word == "sleep" else "zoo"
    line = site.assignment([word], service).to_line().decode()
    node = subprocess.Popen([sys.executable, "-c", NODE, str(site.folder), line])
    log = site.folder / "slot-1.log"
    site.wait_for(lambda: len(family(node.pid)) == 3 or (log.exists() and "hanging" in log.read_text()))
    everyone = family(node.pid)
    node.kill()
    node.wait()
    for pid in everyone:
        wait_until_gone(pid)
    shutil.rmtree(site.folder / "scratch")  # of a node's temporary folder: its next start does it


def with_files(site: Site, *words: str) -> list[dict[str, Any]]:
    (site.folder / "tmp").mkdir(exist_ok=True)
    kept, tmp = site.folder / "kept", site.folder / "tmp"
    site.slot.start(replace(site.assignment(list(words)), kept=kept, tmp=tmp, owner="n4.slot0"))
    return [json.loads(line) for line in site.wait()]


def test_files_that_a_function_leaves_are_kept_with_its_result(site: Site) -> None:
    before, left, failed, after = with_files(site, "output", "leave files", "leave and fail", "output")
    fit = {"fit": {"sha256": hashlib.sha256(b"fit").hexdigest(), "size": 3}}
    assert left["files"] == failed["files"] == fit and failed["status"] == "failed"
    assert "files" not in before and "files" not in after
    assert [path.name for path in (site.folder / "kept").iterdir()] == [fit["fit"]["sha256"]]
    assert Path(before["output"]).parent.parent == site.folder / "scratch"
    assert site.run("output")[0]["output"] == "nowhere"


def test_memory_beyond_the_limit_fails_one_job_and_a_fresh_process_goes_on(site: Site) -> None:
    first, failed, last = site.run("pid", "allocate", "pid", command="limited")
    assert failed["why"].startswith("MemoryError (zoo.py, line ")
    assert failed["why"].endswith(" (its memory limit is 300 MB)")
    assert (first["status"], last["status"]) == ("ok", "ok") and first["output"] != last["output"]


def test_the_strictest_of_manifest_session_and_node_counts(site: Site) -> None:
    for memory, words in ((None, "300 MB"), (200_000_000, "200 MB"), (10**10, "300 MB")):
        site.slot.start(replace(site.assignment(["allocate"], command="limited"), memory=memory))
        assert f"its memory limit is {words}" in json.loads(site.wait()[0])["why"]


def test_descriptors_that_a_job_keeps_are_not_the_next_ones_loss(site: Site) -> None:
    results = site.run("pid", "keep open", "allocate", "where", "pid", command="limited")
    assert statuses(results) == ["ok", "ok", "failed", "ok", "ok"]
    assert statuses(site.run("good", "where", command="limited")) == ["ok", "ok"]


def test_processor_time_beyond_the_limit_is_said_in_words(site: Site) -> None:
    results = site.run("good", "spin", "good", command="brief")
    assert statuses(results) == ["ok", "failed", "ok"]
    why = "it used more than its limit of 0.2 s of processor time; its process was killed"
    assert results[1]["why"] == why


def test_a_reply_beyond_the_output_limit_is_refused(site: Site) -> None:
    site.add_service("long", MANIFEST.replace("zoo:", "long:"), {"long.py": "def run(text):\n    return 'x' * 101\n"})
    why = site.run("good", service="long", command="brief")[0]["why"]
    assert "the function returned 101 characters, at most 100 are taken" in why


def test_a_nicer_process_is_replaced_when_it_should_not_be_so_nice(site: Site) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    site.slot.start(replace(site.assignment(["nice"]), nice=own + 3))
    assert json.loads(site.wait()[0])["output"] == str(own + 3)
    assert site.run("nice")[0]["output"] == str(own)


def test_a_child_is_replaced_after_so_many_jobs(site: Site) -> None:
    site.slot.close()
    site.slot = Slot(0, site.folder, worker_jobs=3)
    first = {result["output"] for result in site.run("pid", "pid") + site.run("pid", "pid")}
    second = {result["output"] for result in site.run("pid")}
    assert len(first) == 1 and not first & second


def test_a_child_that_has_grown_is_replaced(site: Site) -> None:
    site.slot.close()
    site.slot = Slot(0, site.folder, worker_growth=20_000_000)
    first = site.run("pid", "good")[0]["output"]
    assert site.run("grow", "pid")[1]["output"] == first
    assert site.run("pid")[0]["output"] != first


def test_progress_of_a_function_is_what_it_prints(site: Site) -> None:
    site.slot.start(site.assignment(["good", "progress"], command="limited"))
    site.wait_for(lambda: (running := site.slot.running()) is not None and running.job == 2)
    log = site.folder / "slot-0.log"
    if (running := site.slot.running()) and running.progress is None:  # it was printed before the first question
        with log.open("a") as file:
            file.write('{"chisq": 2}\n')
    running = site.slot.running()
    assert running is not None and (running.job, running.progress) == (2, '{"chisq": 2}')
    site.slot.kill()


def test_messages_that_a_job_forges_change_nothing(site: Site) -> None:
    assert statuses(site.run("lie", "good")) == ["ok", "ok"]


def test_daemons_of_functions_die_with_their_child(site: Site) -> None:
    daemon = "import os\n\ndef run(text):\n    return os.popen('setsid sh -c \"sleep 1000 >/dev/null & echo \\\\$!\"').read()\n"
    site.add_service("daemon", MANIFEST.replace("zoo:", "daemon:"), {"daemon.py": daemon})
    pid = int(site.run("good", service="daemon")[0]["output"])
    site.slot.close()
    wait_until_gone(pid)
    site.slot = Slot(0, site.folder)
