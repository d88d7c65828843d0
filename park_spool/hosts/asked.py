"""What is run on a host to look at it: sent over the connection, so nothing has to be installed there.

It reads a request a line, `{"do": NAME, ...}`, and answers each with a line: `{"is": RESULT}`, or `{"errno": N, "said":
WORDS}`. Only the standard library, and words that a Python 3.6 understands: it must be able to say that it is too old.
It changes names only below a folder that the asking side made for this look.
"""

import errno
import fcntl
import json
import os
import socket
import sys
import time
from typing import Any

PAUSE = 0.002  # s between two looks at a folder
_held: Any = {}  # path: descriptor; it runs alone in its process


def facts() -> Any:
    """Say what is there: Python, CPUs, names."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "python": list(sys.version_info[:3]),
        "program": sys.executable,
        "cpus": cpus,
        "host": socket.gethostname(),
        "uid": os.getuid(),
    }


def clock() -> float:
    """Say what time it is: seconds since 1970."""
    return time.time()


def kind(path: str) -> str:
    """Say whether a path is a folder there, something else, or nothing."""
    return "folder" if os.path.isdir(path) else "other" if os.path.lexists(path) else ""


def read(path: str, seconds: float) -> Any:
    """Read a file, which may take so long to be seen; None if it is not."""
    end = time.monotonic() + seconds
    while True:
        try:
            with open(path, "rb") as file:
                return file.read().decode("utf-8", "replace")
        except FileNotFoundError:
            if time.monotonic() > end:
                return None
            time.sleep(0.1)


def publish(folder: str, name: str, text: str) -> bool:
    """Write a file under a name that nobody looks for, then rename it."""
    temporary = os.path.join(folder, "." + name)
    with open(temporary, "w") as file:
        file.write(text)
    os.rename(temporary, os.path.join(folder, name))
    return True


def look(folder: str) -> Any:
    """List a folder, sorted."""
    return sorted(os.listdir(folder))


def wait(folder: str, name: str, seconds: float) -> bool:
    """Look until a listing has a name; say whether it came."""
    end = time.monotonic() + seconds
    while name not in os.listdir(folder):
        if time.monotonic() > end:
            return False
        time.sleep(PAUSE)
    return True


def claim(folder: str, target: str, me: str, count: int, at: float, step: float) -> Any:
    """Try to rename each of `count` files to be one's own, the n-th at `at` + n `step` by this host's clock."""
    won = []
    for index in range(count):
        time.sleep(max(0.0, min(5.0, at + index * step - time.time())))
        try:
            os.rename(os.path.join(folder, str(index)), os.path.join(target, f"{index}.{me}"))
            won.append(index)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ESTALE):
                raise
    return won


def lock(path: str, how: str) -> bool:
    """Try to lock a file, by flock or lockf, and keep it; say whether that was possible."""
    if path not in _held:
        _held[path] = os.open(path, os.O_RDWR)
    try:
        (fcntl.flock if how == "flock" else fcntl.lockf)(_held[path], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def usable(paths: Any) -> Any:
    """Say of each program what keeps it from being started; "" if nothing does. Python's are started by Python."""
    return [_unusable(path) for path in paths]


def _unusable(path: str) -> str:
    if not os.path.exists(path):
        return "absent"
    if path.endswith(".py"):
        return "" if os.access(path, os.R_OK) else "unreadable"
    return "" if os.access(path, os.X_OK) else "not executable"


DOINGS: Any = {one.__name__: one for one in (facts, clock, kind, read, publish, look, wait, claim, lock, usable)}


def answer(line: str) -> Any:
    """Do what a line asks for, and write the answer."""
    request = json.loads(line)
    try:
        return {"is": DOINGS[request.pop("do")](**request)}
    except OSError as error:
        return {"errno": error.errno, "said": f"{error.filename or ''}: {error.strerror}"}


def main() -> None:
    """Answer until nobody asks any more."""
    for line in sys.stdin.buffer:
        sys.stdout.write(json.dumps(answer(line.decode("utf-8"))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
