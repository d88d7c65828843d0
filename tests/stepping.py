"""Actors stepped against each other at system-call level: one thread each, and one baton between them.

Before every system call on the spool an actor hands the baton back and waits for its next turn; a seeded scheduler
chooses who
goes on, lets time pass, and freezes an actor for long now and then. The order is the same for the same seed.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from world import Killed, World

from park_spool.atomic import Disk


@dataclass
class Actor:
    """One thread with its two ends of the baton."""

    name: str
    make: Callable[[type[Disk]], Any]
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    back: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    frozen_until: float = 0.0
    is_doomed: bool = False
    is_over: bool = False
    error: BaseException | None = None
    calls: int = 0

    def gate(self) -> None:
        """Hand the baton back, and wait for it; a doomed actor dies here."""
        self.calls += 1
        self.back.release()
        self.go.acquire()
        if self.is_doomed:
            raise Killed

    def disk(self) -> type[Disk]:
        actor = self

        class Stepped(Disk):
            def step(self, call: str, path: Path) -> None:
                actor.gate()

        return Stepped

    def live(self) -> None:
        self.go.acquire()
        try:
            actor = self.make(self.disk())
            while not self.is_doomed:
                actor.step()
                self.gate()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 (told to the scheduler's thread)
            self.error = error
        finally:
            self.is_over = True
            self.back.release()


class Stage:
    """The actors of one world and the order in which they go."""

    def __init__(self, world: World, seed: int, makers: dict[str, Callable[[type[Disk]], Any]]) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.makers = makers
        self.actors = {name: self._start(name) for name in makers}

    def _start(self, name: str) -> Actor:
        actor = Actor(name, self.makers[name])
        threading.Thread(target=actor.live, daemon=True, name=name).start()
        return actor

    def turn(self) -> str:
        """Let one actor make one system call; return its name."""
        now = self.world.clock.now
        awake = [actor for actor in self.actors.values() if actor.frozen_until <= now]
        actor = self.random.choice(awake or list(self.actors.values()))
        actor.go.release()
        actor.back.acquire()
        if actor.error is not None:
            raise AssertionError(f"{actor.name} failed") from actor.error
        self.world.clock.now += self.random.choice((0.0, 0.01, 0.1, 0.4))
        return actor.name

    def freeze_somebody(self, seconds: float) -> None:
        actor = self.random.choice(list(self.actors.values()))
        actor.frozen_until = self.world.clock.now + seconds

    def kill_somebody(self) -> None:
        """Kill an actor where it stands, and start another process in its place."""
        name = self.random.choice(list(self.actors))
        self._end(self.actors[name])
        self.actors[name] = self._start(name)

    @staticmethod
    def _end(actor: Actor) -> None:
        actor.is_doomed = True
        while not actor.is_over:
            actor.go.release()
            actor.back.acquire()

    def close(self) -> None:
        for actor in self.actors.values():
            self._end(actor)
