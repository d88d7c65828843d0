"""The thread behind an executor, when steps fail: what passes is tried again, what does not breaks the executor."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from typing import Any

import pytest

from park_spool.client.background import MOST_FAILURES, Background
from park_spool.client.bell import Bell


class Asker:
    """A stand-in that fails as it is told."""

    sid = "20261123-025532-k3j9"

    def __init__(self, *errors: Exception | None) -> None:
        self.errors, self.steps = list(errors), 0
        self.bell, self.given_up = Bell(), []
        self.is_over = False
        self.over = threading.Event()

    def step(self) -> bool:
        self.steps += 1
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        self.is_over = True
        self.over.set()
        return True

    def settled(self) -> list[Any]:
        return []

    def wait_seconds(self) -> float:
        return 0.0

    def give_up(self, reason: str) -> None:
        self.given_up.append(reason)

    def shut(self) -> None:
        pass


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("park_spool.client.background.backoff", lambda failures: 0.001 * failures)


def run(asker: Asker) -> None:
    background = Background(asker)  # type: ignore[arg-type]
    background.join()


def test_what_passes_by_itself_is_tried_again() -> None:
    asker = Asker(*(OSError(errno.ENOSPC, "full") for _ in range(3 * MOST_FAILURES)))
    run(asker)
    assert asker.is_over and asker.given_up == [] and asker.steps == 3 * MOST_FAILURES + 1


@pytest.mark.parametrize("error", [PermissionError(errno.EACCES, "no"), ValueError("a mistake")], ids=repr)
def test_what_does_not_pass_breaks_the_executor(error: Exception) -> None:
    asker = Asker(error)
    run(asker)
    assert asker.is_over
    assert asker.given_up == [f"the executor cannot go on: {type(error).__name__}: {error}"]


def test_a_spool_that_takes_no_leave_does_not_hold_the_thread_for_ever() -> None:
    asker = Asker(*(PermissionError(errno.EACCES, "no") for _ in range(100)))
    run(asker)
    assert not asker.is_over and asker.steps == MOST_FAILURES


def test_whoever_waits_in_the_thread_itself_does_not_wait_for_ever() -> None:
    made: list[Background] = []
    begin: Callable[[], bool] = threading.Event().is_set

    class Own(Asker):
        def step(self) -> bool:
            if made:
                made[0].join()
                return super().step()
            return begin()

    asker = Own()
    made.append(Background(asker))  # type: ignore[arg-type]
    assert asker.over.wait(30)
