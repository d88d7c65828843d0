"""What is proved on every file system of the lab, step by step; each step leaves the spool in use for the next.

race: claims through different mounts, each won once · work: a session while nodes, spoold and reducer are killed, a host is
cut off and healed, another crashes · silence: nobody is told by inotify, work flows all the same · rest: nothing is left over.
"""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from lab_hosts import PARK, SCRIPTS, SPOOL, Lab

CLAIMER = str(SCRIPTS.parent / "claimer.py")
SERVICE = """
[commands.doze]
mode = "function"
function = "doze:doze"
takes = "dict"
"""
DOZE = """
import time

def doze(values):
    time.sleep(float(values["seconds"]))
    return {"chisq": 1.0}
"""
SESSION = """<session version='2.0.1' user='administrator' email=''><group name='doze'><task cmd='drowsy/doze'/>
<joblist name='j' cnt='{jobs}'><input seconds='{seconds}'/></joblist></group></session>"""
MASTERS = ("spoold", "reduced")


def settings(staleness: float) -> dict[str, float]:
    """Return short times. RACE: who sees old listings must wait for longer than they are old before it judges others."""
    return {
        "staleness_seconds": staleness,
        "heartbeat_seconds": 0.5,
        "unit_lifetime": 4.0,
        "claim_expiry": 8.0 + (staleness if staleness > 5 else 0),
        "lease_renew": 0.5,
        "lease_expiry": 4.0 + (staleness if staleness > 5 else 0),
        "audit_seconds": 2.0,
        "look_seconds": 0.5,
        "settle_seconds": 0.5,
        "tally_seconds": 1.0,
        "drain_seconds": 1.0,
        "elsewhere_seconds": 0.5,
        "max_attempts": 90,
        "units_per_second": 20.0,
    }


def until(is_so: Callable[[], Any], seconds: float, what: str) -> Any:
    """Look a few times a second; fail after so many seconds."""
    end = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < end, f"{what} did not come true in {seconds:g} s"
        time.sleep(0.3)
    return found


class Story:
    """One spool in one lab, and what was asked of it."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.expected: dict[str, int] = {}  # SID → jobs
        self._began = time.monotonic()
        self.patience = 90 + 4 * lab.kind.staleness
        lab.run(lab.master, PARK, "init", SPOOL)
        lines = [f"{key} = {value}\n" for key, value in settings(lab.kind.staleness).items()]
        lab.write(lab.master, "spool/park.toml", "".join(lines))
        lab.write(lab.master, "services/drowsy/service.toml", SERVICE)
        lab.write(lab.master, "services/drowsy/doze.py", DOZE)
        self.say("the spool is made")

    def say(self, what: str) -> None:
        print(f"{time.monotonic() - self._began:6.1f} s  {what}", flush=True)

    # the race

    def race(self, units: int, claimers: int) -> None:
        """Let real processes on all hosts claim single units through their own mounts: each is run once, by one of them."""
        lab = self.lab
        sid = lab.python(lab.master, str(SCRIPTS / "single_units.py"), SPOOL, str(units)).strip()
        self.expected[sid] = units
        racing = [
            lab.open(host, CLAIMER, SPOOL, f"/run/lab/notes-{number}", "4")
            for host in lab.hosts
            for number in range(claimers)
        ]
        for process in racing:
            assert process.stdout is not None and process.stdout.readline() == "ready\n", process.communicate(
                timeout=10
            )
        for process in racing:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in racing:
            _, complaints = process.communicate(timeout=self.patience + units)
            assert process.returncode == 0, complaints
        ran = {host: lab.run(host, "sh", "-c", "cat /run/lab/notes-*").split() for host in lab.hosts}
        won = Counter(unit for units_ in ran.values() for unit in units_)
        assert set(won.values()) == {1}, [unit for unit, times in won.items() if times > 1]
        assert len(won) == units
        assert all(ran.values()), "a host won nothing: they did not race"
        self.say(f"race: {units} units, each won once: { ({host: len(units_) for host, units_ in ran.items()}) }")

    # work

    def start_masters(self) -> None:
        for master in MASTERS:
            self.lab.start(self.lab.master, master, master)

    def start_nodes(self) -> None:
        for host in self.lab.hosts:
            self.start_node(host)

    def start_node(self, host: str) -> None:
        self.lab.start(host, "noded", "noded", "--cpus", "2", "--no-standby", "--nice", "1")

    def submit(self, jobs: int, seconds: float, host: str | None = None) -> str:
        """Submit so many jobs that do nothing for so long."""
        return self.submit_text(SESSION.format(jobs=jobs, seconds=seconds), jobs, host)

    def submit_text(self, xml: str, jobs: int, host: str | None = None) -> str:
        """Copy a session into the inbox on some host, and wait until it is admitted."""
        before = set(self.open_sessions())
        self.lab.write(host or self.lab.master, f"spool/inbox/s{jobs}.xml", xml)
        [sid] = until(lambda: set(self.open_sessions()) - before, self.patience, "the admission")
        self.expected[sid] = jobs
        self.say(f"{sid} with {jobs} jobs is admitted")
        return str(sid)

    def open_sessions(self) -> list[str]:
        return [name for name in self.lab.names("sessions") if "/" not in name and name.startswith("20")]

    def is_open(self, sid: str) -> bool:
        return sid in self.open_sessions()

    def until_done(self, sid: str) -> None:
        try:
            until(lambda: not self.is_open(sid), self.patience, f"the end of {sid}")
        except AssertionError as error:
            standing = [
                name for folder in ("sessions", "ready", "claimed", "replies") for name in self.lab.names(folder)
            ]
            raise AssertionError(f"{error}: {self.lab.counted()} {standing}") from error
        self.say(f"{sid} is closed")

    def kill_node(self, host: str) -> None:
        """SIGKILL a node while it holds work, and start another there."""
        until(lambda: self.held(host), self.patience, f"a unit in the hands of {host}")
        self.lab.signal(host, "noded")
        self.start_node(host)
        self.say(f"node on {host} killed")

    def kill_master(self, label: str) -> None:
        self.lab.signal(self.lab.master, label)
        self.lab.start(self.lab.master, label, label)
        self.say(f"{label} killed")

    def held(self, host: str) -> list[str]:
        """Return the names below claimed/ that are a host's."""
        return [name for name in self.lab.names("claimed") if name.startswith(f"{host}_") and "/" in name]

    def cut_and_heal(self, host: str) -> None:
        self.heal(host, self.cut(host))

    def cut(self, host: str) -> set[str]:
        """Pull a host's cable while it works; return the names of its nodes."""
        names = until(lambda: self.held(host), self.patience, f"a unit in the hands of {host}")
        self.lab.cut(host)
        self.say(f"{host} cut off, with {len(names)} units in hand")
        return {name.partition("/")[0].removesuffix(".expired") for name in names}

    def heal(self, host: str, nodes: set[str]) -> None:
        """Heal a host when its claims have lasted for too long and its work is in other hands."""
        until(lambda: not nodes & set(self.lab.names("claimed")), self.patience, f"{host} fenced")
        self.say(f"{host} is fenced")
        self.lab.heal(host)
        until(lambda: self.reborn(host, nodes), self.patience, f"{host} under a new name")
        self.say(f"{host} healed, and goes on under a new name")

    def reborn(self, host: str, nodes: set[str]) -> bool:
        """Say whether a host's node has a folder under a name that is none of these."""
        here = {name for name in self.lab.names("claimed") if "/" not in name and name.startswith(f"{host}_")}
        return bool({name for name in here if not name.endswith(".expired")} - nodes)

    def crash_and_boot(self, host: str) -> None:
        """Let a whole host die while it works, then start it and its node again."""
        until(lambda: self.held(host), self.patience, f"a unit in the hands of {host}")
        self.lab.crash(host)
        self.say(f"{host} crashed")
        self.lab.boot(host)
        self.start_node(host)
        self.say(f"{host} is back")

    def freeze_and_thaw(self, host: str) -> None:
        """Stop a host's clock for longer than its claims last."""
        names = until(lambda: self.held(host), self.patience, f"a unit in the hands of {host}")
        nodes = {name.partition("/")[0] for name in names}
        self.lab.freeze(host)
        until(lambda: not nodes & set(self.lab.names("claimed")), self.patience, f"{host} fenced")
        self.lab.thaw(host)
        until(lambda: self.reborn(host, nodes), self.patience, f"{host} under a new name")
        self.say(f"{host} frozen and thawed")

    def kill_at_random(self, sid: str, seed: int, most: int = 30) -> None:
        """SIGKILL daemons anywhere, at random moments, while a session runs, then let it come to its end."""
        choose, kills = random.Random(seed), 0
        between = 10.0 if self.lab.kind.is_machines else 3.0  # s; a program needs seconds to start there
        while kills < most and self.is_open(sid):
            victim = choose.choice((*self.lab.hosts, *self.lab.hosts, *MASTERS))
            if victim in MASTERS:
                self.kill_master(victim)
            else:
                self.lab.signal(victim, "noded")
                self.start_node(victim)
            kills += 1
            time.sleep(choose.uniform(0.2, between))
        self.say(f"seed {seed}: {kills} daemons killed")
        self.until_done(sid)

    # inotify

    def silence(self, watcher: str, writer: str) -> None:
        """Nobody on one host is told by inotify what another does there; his own changes he hears."""
        ear = self.lab.open(watcher, str(SCRIPTS / "listener.py"), f"{SPOOL}/inbox")
        assert ear.stdout is not None and ear.stdout.readline() == "ready\n"
        self.lab.write(writer, "spool/inbox/.told", "by another host")
        assert _heard(ear) == 0, f"{watcher} was told by inotify what {writer} did: docs/lab.md says that nobody is"
        self.lab.write(watcher, "spool/inbox/.own", "by this host")
        assert _heard(ear) > 0, "the listener hears nothing at all"
        ear.kill()
        self.say(f"{watcher} was told nothing of what {writer} did")

    # the end

    def finish(self) -> None:
        """Wait for every session, stop all daemons, and find each job once in the archive and nothing left over."""
        self.until_all_is_done()
        for host in self.lab.hosts:
            self.lab.signal(host, "noded", "TERM")
        for master in MASTERS:
            self.lab.signal(self.lab.master, master, "TERM")
        self.assert_all_ended()
        self.assert_counted_once()
        self.assert_nothing_left()

    def until_all_is_done(self) -> None:
        names = self.lab.names
        until(lambda: not self.open_sessions(), self.patience + 30, "the end of every session")
        until(lambda: not [name for name in names("claimed") if "/" in name], self.patience, "an empty claimed/")
        until(lambda: not names("replies"), self.patience, "an empty replies/")

    def assert_all_ended(self) -> None:
        for host in self.lab.clients:
            until(lambda host=host: not self.lab.processes(host), 60, f"no process on {host}")  # type: ignore[misc]

    def assert_counted_once(self) -> None:
        """Find each job of each session once in the archive, and that all hosts worked."""
        counted, workers = self.lab.counted(), set[str]()
        for sid, jobs in self.expected.items():
            found = dict(counted[sid])
            duplicates, hosts = found.pop("duplicates"), found.pop("hosts")
            workers |= set(hosts)
            assert found == {"state": "done", "jobs": jobs, "distinct": jobs, "ok": jobs, "ranges": jobs}, sid
            self.say(f"{sid}: {jobs} jobs ok, each once; {duplicates} ran twice and counted once")
        assert workers == set(self.lab.hosts)

    def assert_nothing_left(self) -> None:
        lab = self.lab
        assert [name for name in lab.names("ready") if "/" in name] == []
        assert lab.names("quarantine") == []
        host, spool = lab.truth
        print(lab.run(host, PARK, "check", "--spool", spool, seconds=120))


def _heard(ear: subprocess.Popen[str]) -> int:
    assert ear.stdin is not None and ear.stdout is not None
    ear.stdin.write("?\n")
    ear.stdin.flush()
    return int(ear.stdout.readline())
