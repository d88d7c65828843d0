"""One job on this terminal: as a node would run it, but seen by whoever asks, and counted by nobody.

    input ──▶ stdin ┐
                    ├ the program, or an interpreter of its own for a function (one_call.py)
    output, live ◀──┘   standard error is the terminal's

The environment, the folder, the input and the program are those of a node; limits are set where they are asked for:
time, CPU time, address space, descriptors and nice level (the output is shown, not bounded).
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from park_spool.catalog.command_line import command_words, program
from park_spool.catalog.registry import Command
from park_spool.limits import Limits
from park_spool.processes import describe_exit, kill_family
from park_spool.running.assignment import Outcome
from park_spool.running.child import child_environment
from park_spool.running.inputs import Input
from park_spool.running.programs import data_variables

OUTPUT = "PARK_OUTPUT"
_CHUNK = 65536
_DRAIN = 2.0  # s


@dataclass(frozen=True, slots=True)
class Call:
    """A job to be run here: its command, its input, where it stands in its session, and limits if any."""

    command: Command
    given: Input
    sid: str
    job: str
    cwd: Path | None = None
    limits: Limits | None = None
    output: Path | None = None  # what is $PARK_OUTPUT, and stays; else a temporary folder


@dataclass(frozen=True, slots=True)
class Run:
    """How it went, how long it took (s), and what it left in `$PARK_OUTPUT`: names and sizes."""

    outcome: Outcome
    seconds: float
    files: Mapping[str, int]


def run(call: Call, show: Callable[[bytes], object]) -> Run:
    """Run a job; `show` gets its standard output piece by piece. Raises ServiceError where there is no such program."""
    with tempfile.TemporaryDirectory(prefix="park-rerun-") as name:
        scratch = Path(name)
        folders = {"job": scratch / "job", "output": call.output or scratch / "output"}
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
        begun = time.perf_counter()
        if call.command.mode == "function":
            outcome = _call_function(call, scratch, folders, show)
        else:
            outcome = _run_program(call, folders, show)
        seconds = time.perf_counter() - begun
        return Run(outcome, seconds, _sizes(folders["output"]))


def _run_program(call: Call, folders: Mapping[str, Path], show: Callable[[bytes], object]) -> Outcome:
    try:
        words = (*program(call.command), *command_words(call.command, call.given.element)[1:])
    except ValueError as error:
        return Outcome("failed", why=str(error))
    return _converse(call, words, call.given.text.encode("utf-8", "replace"), folders, show)


def _call_function(call: Call, scratch: Path, folders: Mapping[str, Path], show: Callable[[bytes], object]) -> Outcome:
    """Call a function in an interpreter of its own; what it prints is shown, its reply is the output."""
    order, reply = scratch / "call.json", scratch / "reply"
    folder, name = call.command.folder.absolute(), call.command.name
    given = {"element": call.given.element.to_json(), "text": call.given.text, "digests": call.given.digests}
    order.write_text(json.dumps({"folder": str(folder), "command": name, "given": given, "reply": str(reply)}))
    words = (sys.executable, "-P", "-m", "park_spool.running.one_call", str(order))
    outcome = _converse(call, words, b"", folders, show)
    if outcome.status != "ok":
        return outcome
    if not reply.exists():
        return Outcome("failed", why="the function ended its process", exit=0)
    return Outcome("ok", reply.read_text(encoding="utf-8"), exit=0)


def _converse(
    call: Call, words: Sequence[str], text: bytes, folders: Mapping[str, Path], show: Callable[[bytes], object]
) -> Outcome:
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=call.cwd or folders["job"],
            env=_environment(call, folders["output"]),
            preexec_fn=_limiter(call.limits),
            bufsize=0,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Outcome("failed", why=f"{words[0]} cannot be started: {error}")
    assert process.stdin and process.stdout
    pieces: list[bytes] = []
    threads = [
        threading.Thread(target=_write, args=(process.stdin, text), daemon=True),
        threading.Thread(target=_read, args=(process.stdout, pieces, show), daemon=True),
    ]
    for thread in threads:
        thread.start()
    why = _wait(process, call.limits)
    for thread in threads:
        thread.join(_DRAIN)  # what it started and left behind may hold the pipes for ever
    return _outcome(process.returncode, b"".join(pieces).decode(errors="replace"), why)


def _write(stdin: IO[bytes], text: bytes) -> None:
    left = memoryview(text)
    with suppress(BrokenPipeError), stdin:  # a program that does not read its input is no error
        while left:
            left = left[stdin.write(left) :]


def _read(stdout: IO[bytes], pieces: list[bytes], show: Callable[[bytes], object]) -> None:
    with stdout:
        while piece := os.read(stdout.fileno(), _CHUNK):
            pieces.append(piece)
            show(piece)


def _wait(process: subprocess.Popen[bytes], limits: Limits | None) -> str:
    """Wait for the end; return in words which limit was passed, empty if none was."""
    try:
        process.wait(limits.timeout if limits else None)
        return ""
    except subprocess.TimeoutExpired:
        process.terminate()
    except KeyboardInterrupt:
        kill_family(process.pid)
        raise
    assert limits is not None
    why = f"ran longer than its limit of {limits.timeout:g} s"
    try:
        process.wait(limits.grace)
    except subprocess.TimeoutExpired:
        kill_family(process.pid)
        process.wait()
        why += f", did not stop within {limits.grace:g} s of SIGTERM, and was killed"
    return why


def _outcome(status: int, output: str, why: str) -> Outcome:
    code, number = (status, None) if status >= 0 else (None, -status)
    if why:
        return Outcome("timeout", output, why, code, number)
    if status == 0:
        return Outcome("ok", output, exit=0)
    return Outcome("failed", output, describe_exit(status), code, number)


def _limiter(limits: Limits | None) -> Callable[[], None] | None:
    """Return what sets the limits in the new process; None where there are none."""
    if limits is None:
        return None
    bounds = {
        resource.RLIMIT_CPU: limits.cpu and max(1, round(limits.cpu)),
        resource.RLIMIT_AS: limits.memory,
        resource.RLIMIT_NOFILE: limits.open_files,
    }

    def limit() -> None:
        for kind, most in bounds.items():
            if most is not None:
                hard = resource.getrlimit(kind)[1]
                lowest = int(most) if hard == resource.RLIM_INFINITY else min(int(most), hard)
                resource.setrlimit(kind, (lowest, hard))
        os.nice(limits.nice)

    return limit


def _environment(call: Call, output: Path) -> dict[str, str]:
    """Return what a node gives to the job; Python writes at once, so that the output can be followed."""
    own = {
        "PARK_SERVICE": str(call.command.folder.absolute()),
        "PARK_SESSION": call.sid,
        "PARK_JOB": call.job,
        OUTPUT: str(output),
        "PYTHONUNBUFFERED": "1",
    } | data_variables(call.given.element)
    return child_environment(os.environ) | own


def _sizes(folder: Path) -> dict[str, int]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}
