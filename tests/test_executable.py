"""Executables, alone and through a slot: pipes, limits, groups, and what is said of how they ended."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from running_site import Site, wait_until_gone

from park_spool.limits import Limits
from park_spool.processes import become_reaper, kill_strays
from park_spool.running.assignment import Outcome
from park_spool.running.executable import NodeGone, run_executable

LIMITS = Limits(timeout=30.0, output=100_000, grace=0.2)
SHORT = Limits(timeout=0.2, output=100_000, grace=0.2)


def sh(script: str, tmp_path: Path, text: str = '<input count="2"/>', limits: Limits = LIMITS) -> Outcome:
    return run_executable(["/bin/sh", "-c", script], text, cwd=tmp_path, environment=dict(os.environ), limits=limits)


def test_input_goes_in_and_output_comes_out(tmp_path: Path) -> None:
    assert sh("cat", tmp_path) == Outcome("ok", '<input count="2"/>', exit=0)


@pytest.mark.parametrize("size", [1, 65536, 65537, 99_999])
def test_large_input_and_output_do_not_wait_for_each_other(tmp_path: Path, size: int) -> None:
    assert sh("cat", tmp_path, "x" * size).output == "x" * size


def test_input_that_nobody_reads_is_no_error(tmp_path: Path) -> None:
    assert sh("exec <&-; echo done", tmp_path, "x" * 1_000_000) == Outcome("ok", "done\n", exit=0)


def test_standard_error_is_kept_apart_and_only_its_end(tmp_path: Path) -> None:
    outcome = sh("echo reply; seq 100000 >&2; echo last >&2", tmp_path)
    assert outcome.output == "reply\n"
    assert outcome.stderr.endswith("100000\nlast\n") and len(outcome.stderr) <= 4096


ENDINGS = {
    "echo no film >&2; exit 3": ("exited with status 3: no film", 3, None),
    "exit 4": ("exited with status 4", 4, None),
    "kill -SEGV $$": ("was killed by SIGSEGV", None, signal.SIGSEGV),
    "ulimit -c 0; kill -KILL $$": ("was killed by SIGKILL (out of memory?)", None, signal.SIGKILL),
}


@pytest.mark.parametrize("script", ENDINGS)
def test_how_a_program_ended_is_said_in_words(tmp_path: Path, script: str) -> None:
    outcome = sh(script, tmp_path)
    assert (outcome.why, outcome.exit, outcome.signal) == ENDINGS[script]
    assert outcome.status == "failed"


def test_output_that_is_not_text_is_made_text(tmp_path: Path) -> None:
    assert sh(r"printf 'a\377b'", tmp_path).output == "a\ufffdb"


def test_output_beyond_the_limit_stops_the_program(tmp_path: Path) -> None:
    outcome = sh("yes", tmp_path)
    assert outcome.status == "failed" and len(outcome.output) == LIMITS.output
    assert outcome.why == "wrote more than its output limit of 100 kB on standard output"


def test_a_program_that_is_too_slow_gets_sigterm(tmp_path: Path) -> None:
    outcome = sh("trap 'echo bye; exit 0' TERM; echo first; while :; do sleep 0.01; done", tmp_path, limits=SHORT)
    assert outcome.status == "timeout" and outcome.output == "first\nbye\n"
    assert outcome.why == "ran longer than its limit of 0.2 s"


def test_a_program_that_ignores_sigterm_is_killed_with_its_group(tmp_path: Path) -> None:
    outcome = sh("trap '' TERM; sleep 1000 & echo $!; wait", tmp_path, limits=SHORT)
    assert outcome.status == "timeout" and outcome.signal == signal.SIGKILL
    assert outcome.why == "ran longer than its limit of 0.2 s, did not stop within 0.2 s of SIGTERM, and was killed"
    wait_until_gone(int(outcome.output))


def test_a_stopped_program_is_killed_too(tmp_path: Path) -> None:
    assert sh("kill -STOP $$", tmp_path, limits=SHORT).status == "timeout"


def test_endless_standard_error_is_read_and_dropped(tmp_path: Path) -> None:
    outcome = sh("yes >&2", tmp_path, limits=SHORT)
    assert outcome.status == "timeout" and len(outcome.stderr) <= 4096


def test_what_a_program_leaves_in_its_group_is_killed(tmp_path: Path) -> None:
    outcome = sh("sleep 1000 & echo $!", tmp_path)
    assert outcome.status == "ok"
    wait_until_gone(int(outcome.output))


def test_a_daemon_that_holds_the_output_open_does_not_hold_the_job(tmp_path: Path) -> None:
    become_reaper()
    outcome = sh("setsid sh -c 'echo $$; exec sleep 1000' & sleep 0.1", tmp_path)
    assert outcome.status == "ok"
    assert kill_strays() >= 1
    wait_until_gone(int(outcome.output))


def test_a_program_that_closes_its_streams_is_waited_for(tmp_path: Path) -> None:
    assert sh("exec >&- 2>&-; sleep 0.05; exit 4", tmp_path).exit == 4


def test_a_program_that_cannot_be_started_is_a_failure_in_words(tmp_path: Path) -> None:
    (plain := tmp_path / "plain").write_text("no program")
    (text := tmp_path / "text").write_text("no program")
    text.chmod(0o755)
    for path, words in ((tmp_path / "absent", "No such file"), (plain, "run bit"), (text, "starts with #!")):
        outcome = run_executable([str(path)], "", cwd=tmp_path, environment={}, limits=LIMITS)
        assert outcome.status == "failed" and words in outcome.why and str(path) in outcome.why


def test_the_program_is_killed_when_the_node_is_gone(tmp_path: Path) -> None:
    lifeline, node = os.pipe()
    os.close(node)
    with pytest.raises(NodeGone):
        run_executable(
            ["/bin/sh", "-c", "echo $$ > pid; exec sleep 1000"],
            "",
            cwd=tmp_path,
            environment=dict(os.environ),
            limits=LIMITS,
            lifeline=lifeline,
        )
    os.close(lifeline)
    assert kill_strays() == 0


def test_no_descriptor_is_leaked(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for script in ("cat", "exit 3", "yes", "sleep 1000 & echo"):
        sh(script, tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before


PROGRAM = """
import json, os, sys
print(json.dumps({
    "input": sys.stdin.read(), "cwd": os.getcwd(), "empty": not os.listdir(), "python": sys.executable,
    "descriptors": sorted(int(fd) for fd in os.listdir("/proc/self/fd")),
    "park": {key: value for key, value in os.environ.items() if key.startswith("PARK_")},
}))
open("left behind", "w").close()
"""
MANIFEST = """
[commands."tell.py"]
mode = "executable"
run = ["tell.py"]
[commands."script"]
mode = "executable"
run = ["script", "one", "two"]
timeout = 0.3
"""
SCRIPT = """#!/bin/sh
case "$(cat)" in
*sleep*) trap '' TERM; sleep 1000 & echo $! > "$PARK_SERVICE/pid"; wait;;
*daemon*) setsid sh -c 'echo $$ > "$PARK_SERVICE/pid"; exec sleep 1000' >/dev/null 2>&1 & sleep 0.1; echo ok;;
*fail*) echo sorry >&2; exit 5;;
*) echo "$@";;
esac
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    made.add_service("tell", MANIFEST, {"tell.py": PROGRAM, "script": SCRIPT})
    (made.services / "tell" / "script").chmod(0o755)
    yield made
    made.slot.close()
    assert not list((tmp_path / "scratch").glob("*")), "a scratch folder was left behind"


def test_a_python_program_runs_in_a_scratch_folder_with_its_names(site: Site) -> None:
    results = site.run("a", "b", service="tell", command="tell.py")
    assert [result["status"] for result in results] == ["ok", "ok"]
    told = [json.loads(result["output"]) for result in results]
    assert told[1]["input"] == '<input do="b"/>'
    assert told[0]["empty"] and told[1]["empty"] and not list(Path(told[0]["cwd"]).iterdir())
    assert told[0]["python"] == sys.executable
    assert told[0]["descriptors"] == [0, 1, 2, 3]  # 3 lists the folder
    service = str(site.services / "tell")
    assert told[1]["park"] == {
        "PARK_SERVICE": service,
        "PARK_SESSION": "20261123-025532-k3j9",
        "PARK_JOB": "1.1.2",
    }
    assert results[0]["exit"] == 0


def test_a_program_runs_in_the_folder_of_the_service_that_the_task_names(site: Site) -> None:
    result = site.run("a", service="tell", command="tell.py", cwd="tell")[0]
    assert f'"cwd": "{site.services / "tell"}"' in result["output"]


def test_programs_fail_and_time_out_one_by_one(site: Site) -> None:
    results = site.run("x", "fail", "sleep", "x", service="tell", command="script")
    assert [result["status"] for result in results] == ["ok", "failed", "timeout", "ok"]
    assert results[0]["output"] == "one two\n"
    assert (results[1]["why"], results[1]["exit"]) == ("exited with status 5: sorry", 5)
    assert results[2]["seconds"] >= 0.3
    wait_until_gone(int((site.services / "tell" / "pid").read_text()))


def test_a_daemon_of_a_program_does_not_outlive_its_job(site: Site) -> None:
    assert site.run("daemon", service="tell", command="script")[0]["status"] == "ok"
    wait_until_gone(int((site.services / "tell" / "pid").read_text()))


def test_kill_ends_a_program_and_its_children(site: Site) -> None:
    manifest = MANIFEST.replace("0.3", "300")
    site.add_service("tell", manifest, {})
    site.slot.start(site.assignment(["sleep"], "tell", "script"))
    pid = site.services / "tell" / "pid"
    site.wait_for(lambda: pid.exists() and bool(pid.read_text().strip()))
    site.slot.kill()
    wait_until_gone(int(pid.read_text()))


def test_programs_do_not_run_in_an_interpreter_that_ran_functions(site: Site) -> None:
    function = '[commands.run]\nmode = "function"\nfunction = "words:run"\n'
    site.add_service("words", function, {"words.py": "def run(text):\n    return 'word'\n"})
    assert site.run("x", service="words")[0]["output"] == "word"
    first = site.slot.pid
    assert site.run("x", service="tell", command="script")[0]["output"] == "one two\n"
    second = site.slot.pid
    assert site.run("x", service="words")[0]["output"] == "word"
    assert first != second == site.slot.pid


def test_a_program_that_removes_its_folder_spoils_nobody_elses(site: Site) -> None:
    site.add_service(
        "dirty", MANIFEST, {"tell.py": PROGRAM.replace("open(", "os.rmdir(os.getcwd()); open("), "script": SCRIPT}
    )
    results = site.run("a", "b", service="dirty", command="tell.py")
    assert [result["why"] for result in results] == [
        "exited with status 1: FileNotFoundError: [Errno 2] No such file or directory: 'left behind'"
    ] * 2
    assert all('"empty": true' in result["output"] for result in results)


def python(script: str, tmp_path: Path, limits: Limits) -> Outcome:
    return run_executable([sys.executable, "-c", script], "", cwd=tmp_path, limits=limits)


def test_too_much_memory_in_one_process_is_said_with_the_limit(tmp_path: Path) -> None:
    outcome = python("input and len(b'x' * 600_000_000)", tmp_path, Limits(memory=200_000_000))
    assert outcome.why == "exited with status 1: MemoryError (its memory limit is 200 MB)"


def test_too_many_open_files_are_said_with_the_limit(tmp_path: Path) -> None:
    script = "import os\nwhile True: os.open('/', os.O_RDONLY)"
    outcome = python(script, tmp_path, Limits(open_files=64))
    assert "Too many open files" in outcome.why and outcome.why.endswith(" (its limit is 64 open files)")


def test_the_nice_level_is_that_of_the_whole_group(tmp_path: Path) -> None:
    nice = max(9, os.getpriority(os.PRIO_PROCESS, 0))
    # It is set a moment after the start, so the program asks until it is.
    script = f"import os\nwhile os.getpriority(os.PRIO_PROCESS, 0) != {nice}: pass\nprint('nice')"
    assert python(script, tmp_path, Limits(timeout=60, nice=nice)).output == "nice\n"


def test_processor_time_of_children_counts_and_all_of_them_are_killed(tmp_path: Path) -> None:
    script = "import os\nfor _ in range(2): os.fork()\nwhile True: pass"
    outcome = python(script, tmp_path, Limits(timeout=60, cpu=0.2, grace=0.2))
    assert outcome.status == "failed" and outcome.why.startswith("used more than its limit of 0.2 s of processor time")


def test_memory_of_a_family_counts_together(tmp_path: Path) -> None:
    script = "import os, time\nos.fork(); os.fork()\nkeep = b'x' * 60_000_000\ntime.sleep(1000)"
    outcome = python(script, tmp_path, Limits(timeout=60, memory=150_000_000, grace=0.2))
    assert outcome.why.startswith("used more than its memory limit of 150 MB: ") and "in 4 processes" in outcome.why


def test_progress_is_told_while_the_program_runs(tmp_path: Path) -> None:
    told: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        (tmp_path / "told").touch()

    script = """echo '{"chisq": 5}'; while [ ! -e told ]; do sleep 0.01; done; echo '{"chisq": 4}'"""
    outcome = run_executable(["/bin/sh", "-c", script], "", cwd=tmp_path, limits=LIMITS, tell=tell)
    assert told == ['{"chisq": 5}'] and outcome.output == '{"chisq": 5}\n{"chisq": 4}\n'
