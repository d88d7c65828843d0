"""The bell that wakes an asker's thread."""

from __future__ import annotations

import threading
import time

from park_spool.client.bell import Bell

PATIENCE = 30.0


def test_what_was_rung_before_ends_the_wait_once() -> None:
    bell = Bell()
    for _ in range(5):
        bell.ring()
    before = time.monotonic()
    bell.wait(PATIENCE)
    assert time.monotonic() - before < PATIENCE
    bell.wait(0.01)
    bell.wait(-1.0)


def test_it_wakes_another_thread() -> None:
    bell, woken = Bell(), threading.Event()

    def sleep() -> None:
        bell.wait(PATIENCE)
        woken.set()

    threading.Thread(target=sleep, daemon=True).start()
    bell.ring()
    assert woken.wait(PATIENCE / 2)


def test_it_may_be_rung_in_the_middle_of_a_wait_by_the_very_thread() -> None:
    """As a finalizer does that comes while the thread is about to sleep."""
    bell = Bell()

    class Late(float):
        def __gt__(self, other: object) -> bool:
            bell.ring()
            return super().__gt__(other)  # type: ignore[operator]

    before = time.monotonic()
    bell.wait(Late(PATIENCE))
    assert time.monotonic() - before < PATIENCE
