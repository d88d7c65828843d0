"""`park rerun`: a job as a node runs it, on this terminal, with the archive's result beside it, and nothing counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from park_spool.admitted import Admitted
from park_spool.archive.rows import JobDetail, JobRow
from park_spool.catalog.registry import Registry
from park_spool.cli import rerun as module
from park_spool.cli.options import FAILED, FINE, USAGE
from park_spool.cli.rerun import compared, rerun
from park_spool.config import load, make_spool
from park_spool.running.assignment import Outcome
from park_spool.running.here import Run
from park_spool.sessions.parsing import Limits, parse_session

SID = "20261123-025532-k3j9"
MANIFEST = """
[commands.go]
mode = "executable"
run = ["go.py", "--quiet"]
timeout = 30
[commands.sleepy]
mode = "executable"
run = ["sleepy.py"]
timeout = 0.2
grace = 0.2
[commands.short]
mode = "command"
run = ["echo", "{word}"]
[commands.short.inputs.word]
default = "hello"
[commands.double]
mode = "function"
function = "f:double"
takes = "dict"
[commands.double.inputs.x]
type = "float"
required = true
[commands.leave]
mode = "function"
function = "f:leave"
"""
FILES = {
    "go.py": """
import os, sys
text = sys.stdin.read()
print(text, sys.argv[1:], os.environ["PARK_JOB"], os.environ["PARK_SESSION"], os.path.basename(os.getcwd()))
print("a warning", file=sys.stderr)
open(os.path.join(os.environ["PARK_OUTPUT"], "curve.txt"), "w").write("12345")
if "bad" in text:
    sys.exit(7)
""",
    "sleepy.py": "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('begun')\ntime.sleep(600)",
    "f.py": """
import logging, os
log = logging.getLogger("fit")

def double(values):
    log.debug("x is %s", values["x"])
    print("printed")
    if values["x"] < 0:
        raise ValueError("x is negative")
    return {"twice": 2 * values["x"], "chisq": values["x"]}

def leave(text):
    os._exit(0)
""",
}
XML = """<session user='wwchen'>
<group><task cmd='mine/go' timeout='20'/><joblist cnt='3'><input name='good'/><input name='bad'/></joblist></group>
<group><task cmd='mine/go'><cwd value='mine'/></task><joblist><input/></joblist></group>
<group><task cmd='mine/sleepy'/><joblist><input/></joblist></group>
<group><task cmd='mine/double'/><joblist><input x='2.5'/><input x='-1'/></joblist></group>
<group><task cmd='mine/leave'/><joblist><input/></joblist></group>
<group><task cmd='mine/short'/><joblist><input/><input word='a b'/></joblist></group>
<group><dataSet><data name='film' href='film.txt'/></dataSet><task cmd='mine/go'/><joblist><input/></joblist></group>
</session>"""


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    spool, service = tmp_path / "spool", tmp_path / "services" / "mine"
    make_spool(spool)
    service.mkdir(parents=True)
    for name, text in {"service.toml": MANIFEST, **FILES}.items():
        (service / name).write_text(text)
    registry = Registry.load(load(spool).service_folders)
    session = parse_session(XML.encode(), registry, Limits(), files=frozenset({"film.txt"}))
    folder = spool / "sessions" / "closed" / SID
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "film.txt").write_text("0.1 0.9 0.01")
    (folder / "session.json").write_bytes(Admitted(SID, "a.xml", "wwchen", 0.0, 3, session).encode())
    return spool


def again(spool: Path, job: str, *more: str) -> Result:
    words = [SID[:12], job, "--here", "--spool", str(spool), *more]
    return CliRunner().invoke(rerun, words, catch_exceptions=False)


def test_a_program_gets_what_a_node_gives_it(spool: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = sorted(spool.rglob("*"))
    result = again(spool, "1.1.3")
    assert result.exit_code == FINE
    assert result.stdout == f"""<input name="good"/> ['--quiet'] 1.1.3 {SID} job\n"""
    assert "mine/go, without limits" in result.stderr and "ok after" in result.stderr
    assert "it left curve.txt (5 B) in $PARK_OUTPUT" in result.stderr and "not compared" in result.stderr
    assert "a warning" in capfd.readouterr().err
    assert sorted(spool.rglob("*")) == before, "nothing is counted"


def test_a_program_that_fails_makes_the_exit_code(spool: Path) -> None:
    result = again(spool, "1.1.2")
    assert result.exit_code == FAILED and "failed after" in result.stderr and "exited with status 7" in result.stderr


def test_it_runs_where_the_session_says(spool: Path) -> None:
    assert again(spool, "2.1.1").stdout.endswith(" mine\n")


def test_limits_hold_when_they_are_asked_for(spool: Path) -> None:
    result = again(spool, "3.1.1", "--limits")
    assert result.exit_code == FAILED
    assert "timeout after" in result.stderr and "ran longer than its limit of 0.2 s" in result.stderr
    assert "at most 20 s" in again(spool, "1.1.1", "--limits").stderr


def test_a_function_is_called_with_its_logging_visible(spool: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result = again(spool, "4.1.1")
    assert result.exit_code == FINE
    assert result.stdout == 'printed\n{"twice": 5.0, "chisq": 2.5}\n'
    assert "DEBUG fit: x is 2.5" in capfd.readouterr().err


def test_a_function_that_raises_shows_its_traceback(spool: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert again(spool, "4.1.2").exit_code == FAILED
    assert "ValueError: x is negative" in capfd.readouterr().err


def test_a_function_that_ends_its_process_is_no_success(spool: Path) -> None:
    result = again(spool, "5.1.1")
    assert result.exit_code == FAILED and "the function ended its process" in result.stderr


def test_a_short_command_gets_its_words(spool: Path) -> None:
    assert [again(spool, f"6.1.{job}").stdout for job in (1, 2)] == ["hello\n", "a b\n"]


def test_data_are_resolved(spool: Path) -> None:
    path = spool / "sessions" / "closed" / SID / "files" / "film.txt"
    assert f'path="{path}"' in again(spool, "7.1.1").stdout


def test_what_is_left_can_be_kept(spool: Path, tmp_path: Path) -> None:
    again(spool, "1.1.1", "-o", str(tmp_path / "kept"))
    assert (tmp_path / "kept" / "curve.txt").read_text() == "12345"


@pytest.mark.parametrize(
    ("job", "words"),
    [
        ("1.1.4", "job list 1.1 has 3 jobs"),
        ("9.1.1", "there is no such job list"),
        ("1.1.1-2", "several jobs"),
        ("first", "is no job"),
    ],
)
def test_a_job_that_is_not_there_is_told(spool: Path, job: str, words: str) -> None:
    result = again(spool, job)
    assert result.exit_code == FAILED and words in result.stderr


def test_here_must_be_said(spool: Path) -> None:
    result = CliRunner().invoke(rerun, [SID, "1.1.1", "--spool", str(spool)])
    assert result.exit_code == USAGE and "--here" in result.stderr and "park retry" in result.stderr


def test_a_session_that_is_nowhere_is_told(spool: Path) -> None:
    result = CliRunner().invoke(rerun, ["2027", "1.1.1", "--here", "--spool", str(spool)])
    assert result.exit_code == FAILED and "no session begins with '2027'" in result.stderr


def detail(status: str = "ok", output: str = "", why: str | None = None) -> JobDetail:
    numbers = dict.fromkeys(("chisq", "npoints", "dof", "nllf", "seed"))
    row = JobRow("1.1.1", status, 0, 0, "n4_4711_x0p2qa", 0.0, 0.4, 0.4, duplicates=0, why=why, **numbers)
    return JobDetail("1.1.1", row, output, None, None, None, None, [], [], [])


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ("no archive", "not compared: no archive"),
        (detail(output='{"chisq": 2.5}\n'), "the same output as the archive's (n4_4711_x0p2qa, 1970-01-01T00:00:00Z"),
        (detail(output='{"chisq": 3}'), "chisq 2.5 here, 3 there"),
        (detail("failed", why="exited with status 3"), "is failed: exited with status 3"),
    ],
)
def test_the_archives_result_is_compared(known: JobDetail | str, words: str) -> None:
    done = Run(Outcome("ok", json.dumps({"chisq": 2.5})), 1.0, {})
    (line,) = compared(done, known)
    assert words in line


def test_the_module_says_that_a_result_is_missing() -> None:
    known = JobDetail("1.1.1", None, "", None, None, None, None, [], [], [])
    (line,) = module.compared(Run(Outcome("ok"), 1.0, {}), known)
    assert "no final result" in line
