"""An administrator's day on three hosts: `park up` from nothing, a host cut off and healed, another that dies, `park down`.

On MooseFS, whose listings are never old, and in `make prove` on sshfs as it comes, whose listings are up to 20 s old.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab_hosts import PARK, SPOOL, Lab, require
from lab_story import Story, until

from park_spool.demo import with_starts

DEMO = Path(__file__).resolve().parent.parent / "services" / "reflectivity" / "demo.xml"


class Day(Story):
    """What `park up` on the master's host keeps running, and what happens to it."""

    def prepare(self) -> None:
        """Write the hosts file, and let the master's host know the keys of the others: what people do once."""
        lab, keys = self.lab, self.lab.base / "hosts"
        known = (keys / "known_hosts").read_text()
        lab.run(lab.master, "sh", "-c", "mkdir -p ~/.ssh; cat > ~/.ssh/known_hosts", given=known)
        rest = f"user=root key={keys / 'key'} python={sys.executable} spool={SPOOL}"
        lines = [f"10.77.0.{host[1:]} {host}.lab {host}::2 {rest}\n" for host in lab.hosts]
        lab.write(lab.master, "hosts", "".join(lines))

    def up(self) -> None:
        self.lab.start(self.lab.master, "up", "cli.up", "--no-web", "--linger", "30")
        until(lambda: all(map(self.nodes, self.lab.hosts)), self.patience, "a node on each host")
        self.say("park up: a node on each host")

    def nodes(self, host: str) -> set[str]:
        """Return the nodes of a host that have a folder for what they claim."""
        names = [name for name in self.lab.names("claimed") if "/" not in name and name.startswith(f"{host}_")]
        return {name for name in names if not name.endswith(".expired")}

    def kill_one(self, host: str) -> None:
        """SIGKILL a node that works; its process id is in its name."""
        until(lambda: self.held(host), self.patience, f"a unit in the hands of {host}")
        before = self.nodes(host)
        for node in before:
            self.lab.run(host, "kill", "-KILL", node.split("_")[1])
        until(lambda: self.nodes(host) - before, self.patience, f"another node on {host}")
        self.say(f"node on {host} killed, another was started")

    def crash_and_boot_alone(self, host: str) -> None:
        """Let a whole host die, then start it with its mount; `park up` brings its node."""
        until(lambda: self.held(host), self.patience, f"a unit in the hands of {host}")
        before = self.nodes(host)
        self.lab.crash(host)
        self.say(f"{host} crashed")
        self.lab.boot(host)
        until(lambda: self.nodes(host) - before, self.patience, f"a node on {host} by `park up`")
        self.say(f"{host} is back, and has a node")

    def down(self) -> None:
        print(self.lab.run(self.lab.master, PARK, "down", seconds=120))
        self.assert_all_ended()
        assert self.lab.names("locks") == []
        self.say("park down: no process is left on any host")


@pytest.fixture
def day(needs: Callable[[str], str], request: pytest.FixtureRequest) -> Iterator[Day]:
    require(needs, request.param, pytest.fail, pytest.skip)
    with Lab(request.param) as lab:
        yield Day(lab)


@pytest.mark.long
@pytest.mark.parametrize("day", ["moosefs", pytest.param("sshfs", marks=pytest.mark.prove)], indirect=True)
def test_park_up_on_three_hosts(day: Day) -> None:
    day.prepare()
    day.up()
    fits = day.submit_text(with_starts(DEMO.read_text(encoding="utf-8"), 12), 12)
    work = day.submit(1500, seconds=0.1)
    h1, h2, h3 = day.lab.hosts
    day.kill_one(h1)
    day.cut_and_heal(h3)
    day.crash_and_boot_alone(h2)
    day.until_done(work)
    day.until_done(fits)
    day.until_all_is_done()
    day.down()
    day.assert_counted_once()
    day.assert_nothing_left()
