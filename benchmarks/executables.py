"""No-op executables: one process a job, the same small program for all, with one argument or one line of input.

The program reads its standard input to the end and exits with 0. park-spool gives each job its input there and keeps
its output, errors and status in SQLite; the others give an empty one. HyperQueue keeps output in two files a job
as it comes, and nothing if told so; its client looks once a second whether all is done, so it gets enough jobs that a
second matters little, and half of one is taken off. xargs and GNU parallel keep nothing.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import peers
from figures import Measure, Part, Target
from spools import cpus, running, service, session

SOURCE = "#include <unistd.h>\nint main(void) { char text[4096]; while (read(0, text, sizeof text) > 0); return 0; }\n"
SCRIPT = "#!/bin/sh\nexec cat >/dev/null\n"
MANIFEST = """[commands.noop]
mode = "executable"
run = ["noop"]
"""


@contextmanager
def part(most: int) -> Iterator[Part]:
    """Give the measures, with at most so many jobs a run; slow peers get fewer."""
    with service({"service.toml": MANIFEST}) as services:
        program = services / "bench" / "noop"
        yield _part(services, program, min(most, 10_000), min(most, 2000), compiled(program))


def _part(services: Path, program: Path, many: int, few: int, made: str) -> Part:
    word = str(program)
    measures = [
        Measure("park-spool", lambda: many / park_spool(services, many), many),
        Measure(f"xargs -P{cpus()}", lambda: many / piped(["xargs", f"-P{cpus()}", "-n1", word], many), many),
    ]
    notes = [f"the program: {made}"]
    parallel = shutil.which("parallel")
    if parallel:
        line = [parallel, f"-j{cpus()}", word]
        measures.append(Measure("GNU parallel", lambda: few / piped(line, few), few))
    else:
        notes.append("GNU parallel: skipped, not installed (Debian package parallel)")
    others = [
        ("HyperQueue", "hyperqueue", lambda jobs: peers.hyperqueue(word, jobs, True), many),
        ("HyperQueue, no output files", "hyperqueue", lambda jobs: peers.hyperqueue(word, jobs, False), many),
    ]
    found, missing = peers.installed(others)
    measures += [Measure(name, lambda run=run, jobs=jobs: jobs / run(jobs), jobs) for name, run, jobs in found]
    targets = [Target("park-spool", least=0.7, against=f"xargs -P{cpus()}")]
    return Part("No-op executables, submit to archived", measures, targets, [*notes, *missing])


def compiled(program: Path) -> str:
    """Make the program, with a C compiler or else as a shell script; say which."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        program.write_text(SCRIPT)
        program.chmod(0o755)
        return "a shell script, as there is no C compiler; it costs more than all the queues do"
    with tempfile.NamedTemporaryFile("w", suffix=".c") as source:
        source.write(SOURCE)
        source.flush()
        subprocess.run([compiler, "-O2", "-o", str(program), source.name], check=True)
    return f"C, compiled with {Path(compiler).name}; reads its input to the end"


def park_spool(services: Path, jobs: int) -> float:
    with running(services) as spool:
        return spool.seconds(session("bench/noop", jobs), jobs)


def piped(command: list[str], jobs: int) -> float:
    """Return the seconds that a command takes for so many words on its standard input."""
    words = "".join(f"{number}\n" for number in range(jobs))
    begin = time.perf_counter()
    subprocess.run(command, input=words, text=True, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begin
