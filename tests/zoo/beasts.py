"""Functions that do to their process what a service should not; `think` is the innocent job between them.

Each is named by the attribute `do` of its input.  None needs more than it takes to do harm: bombs are bounded.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import math
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

HOARD: list[object] = []
FOR_EVER = 1000.0
BEASTS: dict[str, Callable[[], object]] = {}


def run(text: str) -> object:
    """Do what the input asks for: `<input do="NAME"/>`."""
    return BEASTS[text.split('"')[1]]()


def typed(values: dict[str, str]) -> object:
    return BEASTS[values["do"]]()


def beast(function: Callable[[], object]) -> Callable[[], object]:
    BEASTS[function.__name__] = function
    return function


@beast
def think() -> str:
    """Be an ordinary job: compute a little, use the folder, print, start a program."""
    end = time.process_time() + 0.02
    while time.process_time() < end:
        math.sqrt(2.0)
    Path("note").write_text("thought", encoding="utf-8")
    print("thinking")
    subprocess.run(["true"], check=True)
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    return Path("note").read_text(encoding="utf-8")


# how a process ends


@beast
def exit_at_once() -> None:
    os._exit(5)


@beast
def segfault() -> None:
    ctypes.string_at(0)


@beast
def abort() -> None:
    os.abort()


@beast
def kill_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@beast
def kill_its_group() -> None:
    os.killpg(0, signal.SIGKILL)


@beast
def become_another_program() -> None:
    os.execv("/bin/sh", ["sh", "-c", "exit 6"])


@beast
def become_a_program_that_hangs() -> None:
    os.execv("/bin/sleep", ["sleep", str(FOR_EVER)])


@beast
def overflow_the_stack() -> object:
    sys.setrecursionlimit(1 << 30)
    return eval("[" * 50 + "overflow()" + "]" * 50, {"overflow": overflow_the_stack})


# what a function raises


class Odd(BaseException):
    """Not an Exception: few catch it."""


class Unspeakable(Exception):
    """Cannot be said."""

    def __str__(self) -> str:
        raise RuntimeError("do not ask")

    __repr__ = __str__


class Endless(Exception):
    """Takes for ever to be said."""

    def __str__(self) -> str:
        time.sleep(FOR_EVER)
        return ""


@beast
def raise_system_exit() -> None:
    raise SystemExit("enough")


@beast
def raise_keyboard_interrupt() -> None:
    raise KeyboardInterrupt


@beast
def raise_odd() -> None:
    raise Odd("odd")


@beast
def raise_unspeakable() -> None:
    raise Unspeakable


@beast
def raise_endless() -> None:
    raise Endless


@beast
def raise_a_long_story() -> None:
    raise ValueError("\n".join(["a long \0 story \ud800"] * 1_000_000))


@beast
def raise_a_crowd() -> None:
    raise BaseExceptionGroup("a crowd", [ValueError("one"), Odd("two"), KeyboardInterrupt()])


@beast
def recurse() -> object:
    return recurse()


# memory


@beast
def leak() -> None:
    while True:
        HOARD.append(b"x" * 1_000_000)


@beast
def allocate_at_once() -> int:
    return len(b"x" * 600_000_000)


@beast
def leak_in_children() -> None:
    for _ in range(4):
        if os.fork() == 0:
            keep = b"x" * 80_000_000
            time.sleep(FOR_EVER)
            os._exit(len(keep))
    time.sleep(FOR_EVER)


# processes


@beast
def fork_and_return() -> str:
    return "parent" if os.fork() else "child"


@beast
def fork_and_raise() -> str:
    if os.fork() == 0:
        raise ValueError("in the copy")
    return "parent"


@beast
def fork_a_bomb() -> str:
    for _ in range(5):
        os.fork()  # 31 copies, each of which stays
    if os.getpid() != LEADER:
        time.sleep(FOR_EVER)
    return "forked"


LEADER = os.getpid()


@beast
def daemonize() -> str:
    _daemon()
    return "daemonized"


@beast
def daemonize_and_die() -> None:
    _daemon()
    os._exit(7)


def _daemon() -> None:
    """Fork twice, in a session of its own, with every signal ignored; be sure that it stands."""
    ready, told = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            os.write(told, b"!")
            time.sleep(FOR_EVER)
        os._exit(0)
    os.wait()
    os.read(ready, 1)


@beast
def leave_a_process() -> str:
    subprocess.Popen(["sleep", str(FOR_EVER)])
    return "left"


@beast
def start_threads() -> str:
    for _ in range(20):
        threading.Thread(target=time.sleep, args=(FOR_EVER,)).start()
    return "started"


@beast
def start_a_busy_thread() -> str:
    threading.Thread(target=_spin).start()
    return "started"


def _spin() -> None:
    while True:
        pass


@beast
def register_an_endless_end() -> str:
    atexit.register(time.sleep, FOR_EVER)
    return "registered"


# hanging


@beast
def spin() -> None:
    _spin()


@beast
def ignore_and_hang() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM, signal.SIGXCPU, signal.SIGCHLD):
        signal.signal(number, signal.SIG_IGN)
    while True:
        time.sleep(FOR_EVER)


@beast
def block_and_hang() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    time.sleep(FOR_EVER)


@beast
def stop_itself() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


@beast
def hang_in_c() -> None:
    ctypes.CDLL(None).pause()


# what it leaves behind


@beast
def block_signals() -> str:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    return "blocked"


@beast
def ignore_children() -> str:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    return "ignored"


@beast
def close_all() -> str:
    os.closerange(0, 65536)
    return "closed"


@beast
def close_streams() -> str:
    sys.stdout.close()
    sys.stderr.close()
    os.close(1)
    os.close(2)
    return "closed"


@beast
def close_input() -> str:
    os.close(0)
    return "closed"


@beast
def lose_its_folder() -> str:
    folder = Path.cwd()
    os.chdir("/")
    shutil.rmtree(folder)
    return "lost"


@beast
def set_alarm() -> str:
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    return "set"


@beast
def set_profile_alarm() -> str:
    signal.setitimer(signal.ITIMER_PROF, 0.01)
    return "set"


@beast
def set_virtual_alarm() -> str:
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.01)
    return "set"


@beast
def change_everything() -> str:
    """Change whatever a process has only once."""
    os.umask(0o777)
    os.environ.clear()
    sys.path.clear()
    sys.stdout = sys.stderr = sys.stdin = None  # type: ignore[assignment]
    random.seed(1)
    gc.disable()
    os.environ["PATH"] = os.defpath
    return "changed"


@beast
def shorten_the_stack() -> str:
    """Leave just enough to return: whoever calls one more is out."""
    depth = 0
    frame = sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back  # type: ignore[assignment]
    for limit in range(depth, depth + 20):
        try:
            sys.setrecursionlimit(limit)
        except RecursionError:
            continue
        break
    return "shortened"


@beast
def forbid_files() -> str:
    resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))
    return "forbidden"


@beast
def grow_nice() -> str:
    os.nice(19)
    return "nice"


# what it says


@beast
def print_much() -> str:
    for _ in range(40):
        print("x" * 1_000_000)
    return "printed"


@beast
def print_garbage_and_die() -> None:
    os.write(1, b'\xff\xfe\0\0{"job": 1, "status": "ok"}\r\x1b[2J no line feed')
    os._exit(8)


@beast
def print_garbage() -> str:
    os.write(1, b"\xff\xfe\0\0 no line feed")
    os.write(2, b"\x80" * 100_000)
    return "printed"


@beast
def write_into_all_descriptors() -> str:
    for name in os.listdir("/proc/self/fd"):
        try:
            os.write(int(name), b"garbage\ndone\nbegan nan\nlost nothing\n")
        except OSError:
            continue
    return "written"


@beast
def forge_the_next_result() -> str:
    for name in os.listdir("/proc/self/fd"):
        try:
            if "deleted" in os.readlink(f"/proc/self/fd/{name}"):
                os.write(int(name), b'{"job": 9, "status": "ok", "output": "forged"}\n')
        except OSError:
            continue
    return "forged"


# what it gives back


@beast
def return_none() -> None:
    return None


@beast
def return_bytes() -> bytes:
    return b"x"


@beast
def return_huge() -> str:
    return "x" * (64 * 1024 * 1024 + 1)


@beast
def return_surrogates() -> str:
    return "\ud800 and \udfff and é\0"


@beast
def return_nan() -> dict[str, float]:
    return {"chisq": math.nan, "dof": math.inf, "seed": -math.inf}


@beast
def return_itself() -> dict[str, object]:
    knot: dict[str, object] = {}
    knot["self"] = knot
    return knot


@beast
def return_a_set() -> set[int]:
    return {1, 2}


@beast
def return_depth() -> list[object]:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    return deep


# files


@beast
def open_too_many() -> int:
    found = [os.open("/dev/null", os.O_RDONLY) for _ in range(100_000)]
    return len(found)


@beast
def keep_files_open() -> str:
    try:
        while True:
            HOARD.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        return "kept"


# its node


@beast
def kill_the_nodes_group() -> str:
    os.killpg(os.getpgid(os.getppid()), signal.SIGKILL)
    time.sleep(FOR_EVER)
    return ""
