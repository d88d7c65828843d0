"""The script that measures one side. It is sent to a Python over standard input, so it needs no more than that has.

    python - PLAN < probing.py      PLAN is JSON: act, root (a folder of its own on this side), side (0 changes,
                                    1 looks), start (when, on this machine's clock), limit (s), files, racers, how

One act for each plan: `exists`, `race` and `see` (side 0 changes things while side 1 looks). The answer is one
line of JSON; its times are of this machine's clock, and who asked corrects them. Everything happens below `root`, which
alone.py has prepared.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import select
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

Plan = dict[str, Any]
SAMPLES = 5
FIRST, BETWEEN, STEP = 0.8, 0.35, 0.002  # s: the first change, from one to the next, between two looks
LOCKED, TRIED, FREED = 0.3, 1.1, 1.9  # s: when side 0 locks, side 1 tries, side 0 lets go
TURNS = 40  # under one lock, on each side
LOCKS = ("flock", "lockf")


def error_name(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, str(error.errno))


def until(moment: float) -> None:
    while (left := moment - time.time()) > 0:
        time.sleep(left)


def fill(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def publish(folder: str, name: str, text: str) -> None:
    fill(f"{folder}/.new.{name}", text)
    os.rename(f"{folder}/.new.{name}", f"{folder}/{name}")


def exists(plan: Plan) -> Any:
    """Say whether the other side's folder is to be seen here, within the limit."""
    while not os.path.isdir(plan["root"] + "/queue"):
        if time.time() > plan["start"] + plan["limit"]:
            return False
        time.sleep(0.05)
    return True


# --- the race: all processes of both sides try for every file


def race(plan: Plan) -> Any:
    pipes = [_racer(plan, number) for number in range(plan["racers"])]
    answers = []
    for child, reader in pipes:
        with os.fdopen(reader) as file:
            answers.append(json.loads(file.read() or "null"))
        os.waitpid(child, 0)
    return answers


def _racer(plan: Plan, number: int) -> Any:
    """Start a process that tries for all files; return its id and where it answers."""
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        return child, reader
    try:
        os.write(writer, json.dumps(_try_all(plan, f"{plan['side']}-{number}")).encode())
    finally:
        os._exit(0)


def _try_all(plan: Plan, me: str) -> Any:
    root, how = plan["root"], plan["how"]
    won: list[int] = []
    errors: Counter[str] = Counter()
    until(plan["start"])
    begun = time.time()
    for number in range(plan["files"]):
        if time.time() - begun > plan["limit"]:
            break
        tried = time.time()
        try:
            if how == "rename":
                os.rename(f"{root}/queue/{number:05d}", f"{root}/won/{number:05d}.{me}")
            else:
                os.close(os.open(f"{root}/made/{number:05d}", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            won.append(number)
            time.sleep(3 * (time.time() - tried) + STEP / 2)  # who won steps back, so that all stay in the race
        except OSError as error:
            errors[error_name(error)] += 1
    return {"me": me, "won": won, "errors": errors}


# --- what side 1 sees of what side 0 does, each in a folder of its own


def _is_listed(folder: str, name: str) -> bool:
    return name in os.listdir(folder)


def _opens(folder: str, name: str) -> bool:
    os.close(os.open(f"{folder}/{name}", os.O_RDONLY))
    return True


def _is_new(folder: str, name: str) -> bool:
    with open(f"{folder}/{name}") as file:
        return file.read() == "new"


def _has_grown(folder: str, name: str) -> bool:
    return os.stat(f"{folder}/{name}").st_size > len("old")


def _is_gone(folder: str, name: str) -> bool:
    return not os.path.exists(f"{folder}/{name}")


def _append(folder: str, name: str, text: str) -> None:
    with open(f"{folder}/{name}", "a") as file:
        file.write(text)


def _remove(folder: str, name: str, text: str) -> None:
    os.unlink(f"{folder}/{name}")


CHANGES = {"list": publish, "open": publish, "content": publish, "size": _append, "gone": _remove}
LOOKS: dict[str, Callable[[str, str], bool]] = {
    "list": _is_listed,
    "open": _opens,
    "content": _is_new,
    "size": _has_grown,
    "gone": _is_gone,
}


def see(plan: Plan) -> Any:
    """Run all of it at once, a thread for each folder."""
    answer: dict[str, Any] = {"begun": time.time(), "times": {}, "locks": {how: {} for how in LOCKS}, "events": None}
    threads = [threading.Thread(target=_locking, args=(plan, answer["locks"][how], how)) for how in LOCKS]
    threads.append(threading.Thread(target=_event, args=(plan, answer)))
    if plan["side"] == 0:
        threads.append(threading.Thread(target=_changing, args=(plan, answer)))
    else:
        threads += [threading.Thread(target=_looking, args=(plan, answer, what)) for what in LOOKS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answer


def _changing(plan: Plan, answer: dict[str, Any]) -> None:
    times: dict[str, list[float | None]] = {what: [] for what in CHANGES}
    answer["times"] = times
    for number in range(SAMPLES):
        until(plan["start"] + FIRST + number * BETWEEN)
        for what, change in CHANGES.items():
            try:
                change(f"{plan['root']}/{what}", str(number), "new")
                times[what].append(time.time())
            except OSError:
                times[what].append(None)


def _looking(plan: Plan, answer: dict[str, Any], what: str) -> None:
    folder, look = f"{plan['root']}/{what}", LOOKS[what]
    seen: dict[int, float] = {}
    end = plan["start"] + FIRST + SAMPLES * BETWEEN + plan["limit"]
    while len(seen) < SAMPLES and time.time() < end:
        for number in range(SAMPLES):
            try:
                if number not in seen and look(folder, str(number)):
                    seen[number] = time.time()
            except OSError:
                pass  # not there, or half replaced: it is looked at again
        time.sleep(STEP)
    answer["times"][what] = [seen.get(number) for number in range(SAMPLES)]


# --- locks, and whether a change is told


def _lock(how: str, file: Any) -> bool:
    """Try to lock; False if another has it."""
    flags = fcntl.LOCK_EX | fcntl.LOCK_NB
    try:
        fcntl.flock(file, flags) if how == "flock" else fcntl.lockf(file, flags)
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise
        return False
    return True


def _locking(plan: Plan, said: dict[str, Any], how: str) -> None:
    path, start = f"{plan['root']}/locks/{how}", plan["start"]
    try:
        with open(path, "r+") as file:
            until(start + (LOCKED if plan["side"] == 0 else TRIED))
            said["at"], said["got"], said["by"] = time.time(), _lock(how, file), time.time()
            if plan["side"] == 0:
                until(start + FREED)
            said["till"] = time.time()
        until(start + FREED + 0.3)
        said["turns"] = _turns(how, path + ".count")
    except OSError as error:
        said["error"] = error_name(error)


def _turns(how: str, path: str) -> int:
    """Count up in a file under the lock, as often as time allows; of both sides' turns none should be lost."""
    turns, end = 0, time.time() + 2.0
    while turns < TURNS and time.time() < end:
        with open(path, "r+") as file:
            if not _lock(how, file):
                time.sleep(STEP)
                continue
            digits = file.read().strip("\0")
            file.seek(0)
            file.write(str(int(digits) + 1 if digits.isdigit() else 1))
            file.flush()
            turns += 1
    return turns


def _event(plan: Plan, answer: dict[str, Any]) -> None:
    if plan["side"] == 0:
        until(plan["start"] + FIRST)
        publish(f"{plan['root']}/watched", "told", "x")
        return
    try:
        library = ctypes.CDLL(None, use_errno=True)
        descriptor = library.inotify_init1(os.O_NONBLOCK)
        watch = library.inotify_add_watch(
            descriptor, f"{plan['root']}/watched".encode(), 0x180
        )  # IN_CREATE, IN_MOVED_TO
    except (OSError, AttributeError):
        return
    if descriptor >= 0 and watch >= 0:
        ready = select.select([descriptor], [], [], max(0.0, plan["start"] + 2.5 - time.time()))[0]
        answer["events"] = bool(ready)
    if descriptor >= 0:
        os.close(descriptor)


ACTS = {"exists": exists, "race": race, "see": see}

if __name__ == "__main__":
    ordered = json.loads(sys.argv[1])
    print(json.dumps(ACTS[ordered["act"]](ordered)))
