"""The beasts of the zoo: how each is run, what is to be said of it, and who of them lives on."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from park_spool.processes import send_signal

ZOO = Path(__file__).with_name("zoo")
GIVEN_UP = "had to give up: the function closed its worker's descriptors"
FORGED = "wrote into the results of its worker"
CPU = r"used more than its limit of 0\.5 s of processor time"
MEMORY = "memory limit (of|is) 200 MB"
SLOW = r"^the service gave no result within its limit of 0\.7 s; its process was killed$"
LATE = r"^ran longer than its limit of 0\.7 s"
DEAF = LATE + r", did not stop within 0\.2 s of SIGTERM, and was killed$"


@dataclass(frozen=True, slots=True)
class Beast:
    """One hostile job: its word in the input, the command that runs it, the status it gets, what its why must match."""

    word: str
    why: str = ""
    command: str = "run"
    status: str = "failed"
    output: str | None = None

    def __str__(self) -> str:
        return self.word[:40] if self.command in ("run", "program") else f"{self.command}-{self.word[:40]}"

    @property
    def is_program(self) -> bool:
        return self.command.endswith("program")

    def faults(self, result: Mapping[str, Any]) -> list[str]:
        """Say what is wrong with what was said of it."""
        why, stderr = result.get("why") or "", result.get("stderr") or ""
        truths = {
            f"expected {self.status}": result["status"] == self.status,
            f"expected a why like {self.why!r}": re.search(self.why, why) if self.why else not why,
            "a why is one line of plain words": why.isprintable() and len(why) < 2000,
            "too much of what it printed": len(stderr) <= 4096,
            f"expected the output {self.output!r}": self.output in (None, result["output"]),
        }
        return [f"{self}: {words}, got {str(result)[:500]}" for words, is_true in truths.items() if not is_true]


def survivors(mark: str, guests: Callable[[], set[int]] = set, patience: float = 5.0) -> dict[int, str]:
    """Find processes with a mark in their environment, guests left out; a killed one needs a moment to go."""
    end = time.monotonic() + patience
    while (found := _marked(mark.encode()) - guests()) and time.monotonic() < end:
        time.sleep(0.01)
    return {pid: _read(Path(f"/proc/{pid}/cmdline")).replace(b"\0", b" ").decode(errors="replace") for pid in found}


def put_down(mark: str) -> None:
    """End what lived on: a test that found it has said so."""
    for pid in _marked(mark.encode()):
        send_signal(pid, signal.SIGKILL)


def _marked(mark: bytes) -> set[int]:
    return {int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if mark in _read(path)}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


FUNCTIONS = [
    Beast("exit_at_once", r"exited with status 5 while it ran this job"),
    Beast("segfault", "was killed by SIGSEGV while it ran this job"),
    Beast("abort", "was killed by SIGABRT"),
    Beast("kill_itself", r"was killed by SIGKILL"),
    Beast("kill_its_group", r"was killed by SIGKILL"),
    Beast("become_another_program", "exited with status 6"),
    Beast("become_a_program_that_hangs", SLOW, "short", "timeout"),
    Beast("overflow_the_stack", "SIGSEGV|RecursionError"),
    Beast("raise_system_exit", r"SystemExit: enough \(beasts.py, line \d+\)"),
    Beast("raise_keyboard_interrupt", r"KeyboardInterrupt \(beasts.py, line "),
    Beast("raise_odd", r"Odd: odd \(beasts.py, line "),
    Beast("raise_unspeakable", r"Unspeakable.*\(beasts.py, line "),
    Beast("raise_endless", SLOW, "short", "timeout"),
    Beast("raise_a_long_story", r"ValueError: a long .* story .* \(beasts.py, line "),
    Beast("raise_a_crowd", r"BaseExceptionGroup: a crowd \(3 sub-exceptions\) \(beasts.py, line "),
    Beast("recurse", r"RecursionError: .* \(beasts.py, line "),
    Beast("fork_and_return", status="ok", output="parent"),
    Beast("fork_and_raise", status="ok", output="parent"),
    Beast("fork_a_bomb", status="ok", output="forked"),
    Beast("daemonize", status="ok", output="daemonized"),
    Beast("daemonize_and_die", "exited with status 7"),
    Beast("leave_a_process", status="ok"),
    Beast("start_threads", status="ok"),
    Beast("start_a_busy_thread", status="ok"),
    Beast("register_an_endless_end", status="ok"),
    Beast("spin", SLOW, "short", "timeout"),
    Beast("ignore_and_hang", SLOW, "short", "timeout"),
    Beast("block_and_hang", SLOW, "short", "timeout"),
    Beast("stop_itself", SLOW, "short", "timeout"),
    Beast("hang_in_c", SLOW, "short", "timeout"),
    Beast("block_signals", status="ok"),
    Beast("ignore_children", status="ok"),
    Beast("close_all", GIVEN_UP),
    Beast("close_streams", status="ok", output="closed"),
    Beast("close_input", status="ok"),
    Beast("lose_its_folder", status="ok"),
    Beast("set_alarm", status="ok"),
    Beast("set_profile_alarm", status="ok"),
    Beast("set_virtual_alarm", status="ok"),
    Beast("change_everything", status="ok"),
    Beast("shorten_the_stack", status="ok"),
    Beast("forbid_files", status="ok"),
    Beast("grow_nice", status="ok"),
    Beast("print_much", status="ok"),
    Beast("print_garbage", status="ok"),
    Beast("print_garbage_and_die", "exited with status 8"),
    Beast("write_into_all_descriptors", f"{FORGED}|had to give up"),
    Beast("forge_the_next_result", FORGED),
    Beast("return_none", "TypeError: the function returned a NoneType, expected a str"),
    Beast("return_bytes", "TypeError: the function returned a bytes, expected a str"),
    Beast("return_huge", "ValueError: the function returned 67108865 characters, at most 67108864 are taken"),
    Beast("return_surrogates", status="ok", output="? and ? and é\0"),
    Beast("return_nan", status="ok", command="typed"),
    Beast("return_itself", "ValueError: Circular reference", "typed"),
    Beast("return_a_set", "returned a set, which cannot be written as JSON", "typed"),
    Beast("return_depth", "RecursionError", "typed"),
]

PROGRAMS = [
    Beast("x" * 200_000, command="deaf_program", status="ok", output="has not read\n"),
    Beast("x" * 200_000, command="closing_program", status="ok", output="closed\n"),
    Beast("write_for_ever", "^wrote more than its output limit of 100 kB on standard output$", "output_program"),
    Beast("complain_for_ever", LATE, "short_program", "timeout"),
    Beast("segfault", "was killed by SIGSEGV", "program"),
    Beast("exit_with_3", "^exited with status 3: no such film$", "program"),
    Beast("close_output_early", command="program", status="ok", output=""),
    Beast("hold_the_pipes", command="program", status="ok", output="held\n"),
    Beast("write_garbage", command="program", status="ok"),
    Beast("ignore_and_hang", DEAF, "short_program", "timeout"),
    Beast("stop_itself", LATE, "short_program", "timeout"),
    Beast("fork_a_bomb", command="program", status="ok", output="forked\n"),
    Beast("daemonize", command="program", status="ok", output="daemonized\n"),
    Beast("become_another_program", "^exited with status 6: other$", "program"),
    Beast("kill_its_worker", "was killed by SIGKILL", "program"),
    Beast("escape_and_kill_its_worker", "was killed by SIGKILL", "program"),
    Beast("spoil_its_workers_files", command="program", status="ok", output="spoilt\n"),
    Beast("leave_read_only_folders", command="program", status="ok"),
    Beast("leave_odd_names", command="program", status="ok"),
]

# What goes beyond a limit of the manifest.
LIMITED = [
    Beast("spin", CPU, "cpu"),
    Beast("leak", MEMORY, "memory"),
    Beast("allocate_at_once", MEMORY, "memory"),
    Beast("leak_in_children", MEMORY, "memory"),
    Beast("open_too_many", r"Too many open files.* \(its limit is 64 open files\)", "files"),
    Beast("keep_files_open", status="ok", command="files"),
    Beast("spin", CPU, "cpu_program"),
    Beast("spin_in_children", CPU, "cpu_program"),
    Beast("leak", MEMORY, "memory_program"),
    Beast("allocate_at_once", MEMORY, "memory_program"),
    Beast("leak_in_children", MEMORY, "memory_program"),
    Beast("open_too_many", r"Too many open files.* \(its limit is 64 open files\)", "files_program"),
    Beast("say_much", "^wrote more than its output limit of 100 kB on standard output", "output_program"),
    Beast(
        "leave_a_sparse_file",
        r"^left 2 GB in \$PARK_OUTPUT, more than its limit of 1 MB: nothing was kept$",
        "kept_program",
    ),
    Beast("leave_odd_things", command="kept_program", status="ok"),
    Beast("remove_the_output_folder", command="kept_program", status="ok"),
]
BEASTS = FUNCTIONS + PROGRAMS + LIMITED
