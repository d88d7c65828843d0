"""What executors call in the tests, by name: it can be imported wherever these tests run."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

PREPARED: list[str] = []


def add(x: int, y: int = 1) -> int:
    return x + y


def tell(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return args, kwargs


def fail(text: str) -> NoReturn:
    raise ValueError(text)


def fail_at(x: int, bad: int) -> int:
    if x == bad:
        raise KeyError(x)
    return x


def nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def wait_for(path: Path) -> str:
    """Say that it has begun (`.begun`), and go on until a file is there."""
    path.with_suffix(f".begun.{time.monotonic_ns()}").touch()
    end = time.monotonic() + 60
    while not path.exists():
        if time.monotonic() > end:
            raise TimeoutError(f"{path} never came")
        time.sleep(0.005)
    return path.name


def begun(path: Path) -> int:
    """Count the calls of `wait_for` that have begun."""
    return len(list(path.parent.glob(f"{path.stem}.begun.*")))


def mark(path: Path) -> None:
    path.with_suffix(f".{os.getpid()}.{time.monotonic_ns()}").touch()


def prepare(word: str) -> None:
    PREPARED.append(word)


def prepared() -> list[str]:
    return list(PREPARED)


def process() -> int:
    return os.getpid()


def die(number: int = signal.SIGKILL) -> None:
    os.kill(os.getpid(), number)


def lock() -> threading.Lock:
    return threading.Lock()


class NeedsTwo(Exception):
    """An exception whose class needs more than it says: pickle makes it again in vain."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


class Rich(Exception):
    """An exception with more in it than its text."""

    def __init__(self, text: str, place: int) -> None:
        super().__init__(text, place)
        self.place = place


def raise_needs_two() -> NoReturn:
    raise NeedsTwo(1, 2)


def raise_with_lock() -> NoReturn:
    raise ValueError(threading.Lock())


def raise_rich() -> NoReturn:
    error = Rich("no film", 7)
    error.add_note("it was looked for")
    raise error


def leave(status: int) -> NoReturn:
    raise SystemExit(status)


def total(array: Any) -> Any:
    return array.sum()
