"""Preloaded scripts: forked from an interpreter that has done the imports, and yet each a process like any other.

Each test has its own interpreter that preloads, as a worker is one: what is imported here has no part in it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

HOST = """
import json, os, select, subprocess, sys
import zipfile
from pathlib import Path
from park_spool.catalog.registry import Command
from park_spool.running.preload import Preloaded

def talk(process, text):
    process.stdin.write(text.encode())
    process.stdin.close()
    out = err = b""
    while chunk := process.stdout.read(65536):
        out += chunk
    err = process.stderr.read()
    status = process.wait(60)
    assert process.poll() == status
    process.stdout.close()
    process.stderr.close()
    return {"status": status, "out": out.decode(), "err": err.decode(), "pid": process.pid}

def start(words=(), cwd=folder, *, text=""):
    return preloaded.start([sys.executable, str(folder / "job.py"), *words], cwd)

def run(words=(), cwd=folder, text=""):
    results.append(talk(start(words, cwd), text))

results = []
"""
HEAD = """
import zipfile
from pathlib import Path
folder, preload = Path({folder!r}), {preload!r}
"""
AS_IN_A_WORKER = """
import faulthandler, signal
faulthandler.enable()
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGUSR1, print)
"""
PRELOAD = """
preloaded = Preloaded(Command("mine", "job", folder, "executable", ("job.py",), preload=tuple(preload)))
"""


class Host:
    """A folder with a script `job.py`; `does` runs lines in a new interpreter that has preloaded for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, script: str) -> None:
        (self.folder / "job.py").write_text(dedent(script), encoding="utf-8")

    def does(self, lines: str = "run()", *preload: str, before: str = "", **environment: str) -> list[dict[str, Any]]:
        head = HEAD.format(folder=str(self.folder), preload=preload)
        text = head + HOST + before + PRELOAD + dedent(lines) + "\nprint(json.dumps(results))\n"
        done = subprocess.run(
            [sys.executable, "-W", "error::DeprecationWarning", "-P", "-c", text],
            capture_output=True,
            text=True,
            timeout=120,
            cwd="/",
            env=os.environ | environment,
        )
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout.splitlines()[-1]))

    def job(self, script: str, lines: str = "run()", *preload: str, **more: str) -> dict[str, Any]:
        self.write(script)
        (result,) = self.does(lines, *preload, **more)
        return result


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def plainly(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the script as an interpreter of its own does: what the other must be like."""
    return subprocess.run(
        [sys.executable, folder / "job.py", *words],
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


def test_each_job_is_a_process_of_its_own(host: Host) -> None:
    host.write("import os; print(os.getpid(), os.getpgrp())")
    first, second = host.does("run(); run()")
    assert first["out"] == f"{first['pid']} {first['pid']}\n"
    assert first["pid"] != second["pid"] and second["out"] == f"{second['pid']} {second['pid']}\n"


def test_it_is_main_with_its_words_its_folder_and_its_path(host: Host) -> None:
    (host.folder / "work").mkdir()
    (host.folder / "beside.py").write_text("here = 'beside'")
    shown = host.job(
        """
        import sys, os, beside
        assert sys.modules["__main__"].__dict__ is globals()
        print(__name__, __file__, sys.argv, sys.path[0], os.getcwd(), beside.here, __spec__)
        """,
        'run(["--quiet", "a b"], folder / "work")',
    )
    path = host.folder / "job.py"
    words = [str(path), "--quiet", "a b"]
    assert shown["out"].split("\n")[0] == f"__main__ {path} {words} {host.folder} {host.folder}/work beside None"


def test_the_imports_are_done_and_no_job_sees_what_another_did(host: Host) -> None:
    host.write(
        """
        import sys
        print("csv" in sys.modules, "colour" in globals(), hasattr(sys.modules["csv"], "colour"))
        colour = sys.modules["csv"].colour = "red"
        """
    )
    assert [result["out"] for result in host.does("run(); run()", "csv")] == ["True False False\n"] * 2


def test_a_module_of_the_service_may_be_preloaded(host: Host) -> None:
    (host.folder / "model.py").write_text("print('once')\nvalue = 7")
    assert host.job("import model; print(model.value)", "run()", "model")["out"] == "7\n"


def test_what_an_import_raises_is_let_through(host: Host) -> None:
    host.write("")
    with pytest.raises(AssertionError, match="No module named 'no_such_module'"):
        host.does("run()", "no_such_module")


def test_the_environment_is_that_of_the_moment(host: Host) -> None:
    host.write("import os; print(os.environ['PARK_JOB'])")
    lines = "for job in ('1.1.1', '1.1.2'):\n    os.environ['PARK_JOB'] = job\n    run()"
    assert [result["out"] for result in host.does(lines)] == ["1.1.1\n", "1.1.2\n"]


def test_input_is_read_and_umlauts_travel(host: Host) -> None:
    host.write("import sys; print(sys.stdin.read().upper()); sys.stdout.buffer.write(b'raw')")
    (result,) = host.does("run(text='müller')", PYTHONIOENCODING="utf-8")
    assert result["out"] in ("MÜLLER\nraw", "rawMÜLLER\n")


@pytest.mark.parametrize(
    "script",
    [
        "",
        "import sys; sys.exit()",
        "import sys; sys.exit(3)",
        "import sys; sys.exit(-1)",
        "import sys; sys.exit('no such film')",
        "import sys; sys.exit(('a', 2))",
        "raise SystemExit(True)",
        "exit(4)",
        "def fit():\n    raise ValueError('no data')\nfit()",
        "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise ValueError('both') from error",
        "raise KeyboardInterrupt",
        "x = = 1",
        "class Own(BaseException): pass\nraise Own('own')",
        "import json; json.loads('{')",
        "import sys\nsys.excepthook = lambda *what: print('hooked', what[0].__name__)\n1 / 0",
        "import os; print('lost'); os._exit(5)",
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
        "import os, signal; os.kill(os.getpid(), signal.SIGINT)",
        "import atexit; atexit.register(print, 'at the end'); print('first'); raise SystemExit(2)",
        "import threading, time\nthreading.Timer(0.05, print, ['a thread']).start(); print('main is done')",
        "import sys; sys.stdout.close()",
        "import sys; print('out'); print('err', file=sys.stderr); sys.stdout = None",
        "import sys; print(sys.stdout.encoding, sys.stdout.errors, sys.stdin.encoding, sys.stdin.errors)",
        "import sys; print(sys.stderr.errors, sys.stdout.line_buffering, sys.stderr.line_buffering, sys.stderr.encoding)",
        "import signal; print([signal.getsignal(n) for n in sorted(signal.valid_signals())])",
        "import faulthandler; print(faulthandler.is_enabled())",
        "import warnings; warnings.warn('careful')",
        "x: int = 1; print(__annotations__, __doc__, __package__, __builtins__, type(__loader__))",
        "'a document'\nprint(__doc__)",
        "# coding: latin-1\nprint('m\\xfcller')",
        "import os; os.close(1)",
    ],
)
def test_it_ends_as_with_an_interpreter_of_its_own(host: Host, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONWARNINGS", "default")
    result = host.job(script, before=AS_IN_A_WORKER)
    plain = plainly(host.folder)
    assert (result["status"], result["out"], result["err"]) == (plain.returncode, plain.stdout, plain.stderr)


def test_output_waits_in_a_buffer_unless_told_otherwise(host: Host) -> None:
    host.write("import sys, os; print('first', end=''); os.write(1, b'second')")
    assert host.does(PYTHONUNBUFFERED="")[0]["out"] == "secondfirst"
    assert host.does(PYTHONUNBUFFERED="1")[0]["out"] == "firstsecond"


def test_what_waits_in_the_workers_buffers_stays_there(host: Host) -> None:
    result = host.job("print('job')", "print('worker', end=''); sys.stderr.write('worker'); run(); print()")
    assert (result["out"], result["err"]) == ("job\n", "")


def test_no_descriptor_of_the_worker_is_open(host: Host) -> None:
    script = """
    import os
    print([number for number in range(20000) if os.path.exists(f"/proc/self/fd/{number}")])
    """
    lines = "import fcntl; high = fcntl.fcntl(1, fcntl.F_DUPFD, 5000); assert high >= 5000\nos.pipe(); run()"
    before = "import resource; hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
    before += "resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 6000), hard))\n"
    assert host.job(script, lines, before=before)["out"] == "[0, 1, 2]\n"


def test_the_worker_keeps_no_end_open(host: Host) -> None:
    host.write("print(1)")
    lines = "run(); before = os.listdir('/proc/self/fd'); run(); assert os.listdir('/proc/self/fd') == before"
    assert len(host.does(lines)) == 2


def test_it_dies_with_the_worker(host: Host) -> None:
    host.write("import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    lines = """
    import signal, time
    if (middle := os.fork()) == 0:
        process = start()
        os.write(1, process.stdout.read(100))
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(middle, 0)
    """
    text = HEAD.format(folder=str(host.folder), preload=()) + HOST + PRELOAD + dedent(lines)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60)
    pid = int(done.stdout)
    try:
        watch = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([watch], [], [], 60)[0], "the job lives on"
    finally:
        os.close(watch)


def test_its_whole_group_can_be_killed(host: Host) -> None:
    script = "import os, time; pid = os.fork(); print(os.getpgrp(), flush=True); time.sleep(600)"
    lines = """
    import signal
    process = start()
    assert process.poll() is None
    try:
        process.wait(0.01)
    except subprocess.TimeoutExpired:
        pass
    else:
        raise AssertionError("it waited for no end")
    seen = process.stdout.read(100)
    os.killpg(process.pid, signal.SIGKILL)
    while process.stdout.read(100):
        pass
    results.append({"status": process.wait(60), "group": int(seen.split()[0]), "pid": process.pid})
    """
    host.write(script)
    (result,) = host.does(lines)
    assert result["status"] == -signal.SIGKILL and result["group"] == result["pid"]


def test_a_script_that_was_edited_is_run_as_it_is_now(host: Host) -> None:
    host.write("print('old')")
    lines = """
    run()
    (folder / "job.py").write_text("print('newer')")
    run()
    (folder / "job.py").write_text("print(")
    run()
    (folder / "job.py").write_text("print('mended')")
    run()
    """
    old, new, broken, mended = host.does(lines)
    assert (old["out"], new["out"], mended["out"]) == ("old\n", "newer\n", "mended\n")
    assert broken["status"] == 1 and "SyntaxError" in broken["err"]


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        ("run(cwd=folder / 'gone')", "FileNotFoundError"),
        ("(folder / 'job.py').unlink(); run()", "FileNotFoundError"),
        ("def fork():\n    raise BlockingIOError(11, 'no more processes')\nos.fork = fork; run()", "BlockingIOError"),
    ],
)
def test_what_keeps_it_from_starting_is_raised_and_leaves_nothing_open(host: Host, lines: str, error: str) -> None:
    host.write("print(1)")
    guarded = f"""
before = os.listdir('/proc/self/fd')
try:
    exec({lines!r})
except {error}:
    results.append(1)
assert os.listdir('/proc/self/fd') == before
"""
    assert host.does(guarded) == [1]


@pytest.mark.parametrize("source", ["random.random()", "numpy.random.rand()", "numpy.random.default_rng().random()"])
def test_every_job_draws_its_own_numbers(host: Host, source: str) -> None:
    host.write(f"import random, numpy; print({source})")
    draws = [result["out"] for result in host.does("for _ in range(5): run()", "random", "numpy.random")]
    assert len(set(draws)) == 5


def test_processes_of_multiprocessing_work_inside(host: Host) -> None:
    script = """
    import multiprocessing

    def square(x):
        return x * x

    if __name__ == "__main__":
        for method in ("fork", "spawn"):
            with multiprocessing.get_context(method).Pool(2) as pool:
                print(pool.map(square, range(4)))
    """
    result = host.job(script, "run()", "multiprocessing")
    assert (result["out"], result["err"], result["status"]) == ("[0, 1, 4, 9]\n" * 2, "", 0)


def test_a_program_can_be_started_inside(host: Host) -> None:
    result = host.job("import subprocess; print(subprocess.check_output(['echo', 'hello']))", "run()", "subprocess")
    assert result["out"] == "b'hello\\n'\n"


def test_files_that_the_script_left_open_are_written_out(host: Host) -> None:
    result = host.job(
        """
        import zipfile, beside
        file = open("left.txt", "w")
        file.write("left open")
        archive = zipfile.ZipFile("left.zip", "w")
        archive.writestr("curve.txt", "data")
        cycle = [open("cycle.bin", "wb")]
        cycle[0].write(b"in a cycle")
        cycle.append(cycle)
        del cycle
        """,
        "(folder / 'beside.py').write_text(\"log = open('log.txt', 'w'); log.write('of a module')\"); run()",
    )
    assert (result["status"], result["err"]) == (0, "")
    assert (host.folder / "left.txt").read_text() == "left open"
    assert (host.folder / "cycle.bin").read_bytes() == b"in a cycle"
    assert (host.folder / "log.txt").read_text() == "of a module"
    assert zipfile.ZipFile(host.folder / "left.zip").read("curve.txt") == b"data"
