"""`park demo`: its pure parts, and the whole of it as a process, ended in every way that it can end."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import signed_in
from daemons import until

from park_spool import config, demo
from park_spool.archive.rows import BestRow, SessionRow
from park_spool.catalog.registry import Registry
from park_spool.check import check
from park_spool.cli import demo as acting
from park_spool.cli.options import FAILED, FINE, INTERRUPTED
from park_spool.errors import TemporaryError
from park_spool.sessions.parsing import Limits, parse_session

SHIPPED = config.shipped_services() / "reflectivity" / "demo.xml"


def row(ok: int = 48, failed: int = 0) -> SessionRow:
    return SessionRow("sid", "w", "f.xml", "running", 0, 0.0, None, 48, ok, failed, 0, 966.193, "1.1.9", 10.0, 20.0)


def best(chisq: float = 966.193) -> BestRow:
    parameters = [
        {"name": "film thickness", "value": 258.863, "error": 0.24, "unit": "Å"},
        {"name": "colour", "value": 1},
    ]
    return BestRow("1.1.9", chisq, 408, 399, chisq / 399, None, "n", 0.4, 34, parameters, None, "")


def test_the_shipped_session_is_admitted_with_as_many_starts_as_asked() -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    registry = Registry.load([config.shipped_services()])
    for starts in (48, 1, 100):
        session = parse_session(demo.with_starts(text, starts).encode(), registry, Limits())
        (joblist,) = session.groups[0].joblists
        assert joblist.size == starts
        assert joblist.input(starts).attributes["seed"] == str(25 + starts)
    with pytest.raises(ValueError, match="48"):
        demo.with_starts("<session/>", 3)


def test_the_verdict() -> None:
    assert demo.complaints(demo.Outcome(row(), best(), ())) == []
    for outcome, word in (
        (demo.Outcome(row(47, 1), best(), ()), "47"),
        (demo.Outcome(row(), best(967.01), ()), "967.01"),
        (demo.Outcome(row(), best(float("nan")), ()), "nan"),
        (demo.Outcome(row(), None, ()), "none"),
    ):
        (complaint,) = demo.complaints(outcome)
        assert complaint.startswith("expected") and word in complaint


def test_the_best_fit_stands_beside_the_known_answer() -> None:
    rows = {name: (value, known) for name, value, known in demo.result_rows(best())}
    assert rows["chisq"] == ("966.193", "966.19")
    assert rows["chisq/dof (dof 399)"] == ("2.422", "2.422")
    assert rows["film thickness"] == ("258.86 ± 0.24 Å", "258.86")
    assert rows["colour"] == ("1", "–")


def test_progress_is_one_line() -> None:
    line = demo.progress_line(row(ok=12))
    assert line == "12 of 48 jobs, 1.2 jobs/s, about 30 s left; best chisq 966.19 (job 1.1.9)"


def test_a_demo_that_hangs_says_so(tmp_path: Path) -> None:
    news = acting.News(0.0)
    news.look(None, acting.PATIENCE, tmp_path)
    news.look(row(1), 2 * acting.PATIENCE, tmp_path)
    with pytest.raises(TemporaryError, match="nothing happened"):
        news.look(row(1), 3 * acting.PATIENCE + 1, tmp_path)


# the whole

Demo = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path, needs: Callable[[str], str]) -> Iterator[Demo]:
    """Give a function that starts a demo whose temporary folder is the test's, from a working folder full of traps."""
    needs("refnx")
    traps = tmp_path / "cwd"
    (traps / "spool").mkdir(parents=True)
    for name in ("signal.py", "numpy.py", "park_spool.py"):
        (traps / name).write_text("raise SystemExit('a file of the working folder was imported')\n")
    started: list[subprocess.Popen[str]] = []

    def run(*options: str, stderr: int = subprocess.PIPE) -> subprocess.Popen[str]:
        code = "from park_spool.cli.main import main; main()"
        command = [sys.executable, "-P", "-c", code, "demo", *options]
        environment = {**os.environ, "TMPDIR": str(tmp_path), "PARK_SPOOL": str(traps / "spool")}
        started.append(
            subprocess.Popen(
                command, cwd=traps, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True, process_group=0
            )
        )
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()
    assert sorted(path.name for path in traps.iterdir()) == ["numpy.py", "park_spool.py", "signal.py", "spool"]
    assert list((traps / "spool").iterdir()) == []


def left(folder: Path) -> list[str]:
    """Return the processes that still have to do with a folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        words = [*(process.info["cmdline"] or ()), process.info["cwd"] or ""]
        if any(f"{folder}/park-" in word for word in words):
            found.append(" ".join(words))
    return found


def folder_of(tmp_path: Path) -> Path:
    (folder,) = tmp_path.glob("park-demo-*")
    return folder


def test_the_demo_finds_the_known_answer_and_leaves_nothing_running(
    start: Demo, tmp_path: Path, needs: Callable[[str], str]
) -> None:
    process = start("--starts", "12")
    out, err = process.communicate(timeout=120)
    assert process.returncode == FINE, out + err
    assert left(tmp_path) == []
    assert "12 of 12 fits" in out and re.search(r"chisq +966\.193 +966\.19\n", out)
    assert re.search(r"film thickness +258\.86 ± 0\.24 Å +258\.86\n", out)
    assert re.search(r"^\d+ of 12 jobs, .* jobs/.*best chisq", err, re.MULTILINE)  # plain lines: no terminal
    folder = folder_of(tmp_path)
    for name in ("fit.png", "chisq.png"):
        assert f"{folder / name}" in out
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    assert check(folder / "spool") == []
    needs("sqlite3")
    (query,) = re.findall(r"sqlite3 -header.*", out)
    done = subprocess.run(shlex.split(query), capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[2].split()[1].startswith("966.193")


def test_a_wrong_answer_fails_loudly_and_a_terminal_gets_a_bar(start: Demo, tmp_path: Path) -> None:
    """One start sticks far above the best fit."""
    terminal, other_end = os.openpty()
    process = start("--starts", "1", "--cpus", "1", stderr=other_end)
    os.close(other_end)
    err = read_all(terminal)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == FAILED
    assert "THE DEMO FAILED: expected a best chisq of 966.19" in " ".join(err.split())
    assert "\x1b[" in err and "1 of 1 jobs" in err
    assert "known" in out and left(tmp_path) == []


def read_all(terminal: int) -> str:
    """Read what a terminal shows until nobody writes to it any more."""
    shown = b""
    with open(terminal, "rb", buffering=0) as reader:
        try:
            while data := reader.read(4096):
                shown += data
        except OSError:  # EIO: the last writer is gone
            pass
    return shown.decode(errors="replace")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_stops_everything(start: Demo, tmp_path: Path, number: int) -> None:
    process = start()
    until(lambda: len(list(tmp_path.glob("park-demo-*/spool/nodes/*.json"))) == 1, 60, "the node")
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED, err
    assert "interrupted" in err and left(tmp_path) == []


def test_the_daemons_of_a_killed_demo_end_too(start: Demo, tmp_path: Path) -> None:
    process = start()
    until(lambda: len(list(tmp_path.glob("park-demo-*/spool/nodes/*.json"))) == 1, 60, "the node")
    process.kill()
    process.wait()
    until(lambda: left(tmp_path) == [], 60, "the end of the orphans")


def test_a_demo_that_is_kept_shows_its_page_until_it_is_stopped(start: Demo, tmp_path: Path) -> None:
    process = start("--keep", "--starts", "12")
    assert process.stderr
    said = []
    while not said or "Ctrl-C stops" not in said[-1]:
        said.append(process.stderr.readline())
        assert said[-1], "it ended"
    assert len(left(tmp_path)) >= 4
    (page,) = re.findall(r"(http://\S+/)login\?link=\S+", said[0])
    (spool,) = tmp_path.glob("park-demo-*/spool")
    with urllib.request.urlopen(signed_in.asking(config.load(spool), page)) as answer:
        assert "reflectivity.xml" in answer.read().decode()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == FINE and "until Ctrl-C" in out
    assert left(tmp_path) == []
