"""The whole of PARK on several hosts with a real shared file system between them: see lab_story.py for what is proved.

Short on MooseFS, sshfs (without its caches) and the kernel's NFS 4.2; the others, and long forms of all, in `make prove`.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from lab_hosts import FILE_SYSTEMS, Lab, require
from lab_story import MASTERS, Story

prove = pytest.mark.prove
SHORT = [
    pytest.param(kind, marks=() if kind in ("moosefs", "sshfs-strict", "nfs4.2") else (prove,)) for kind in FILE_SYSTEMS
]


@pytest.mark.long
@pytest.mark.parametrize("kind", SHORT)
def test_nothing_is_lost_and_nothing_counted_twice(kind: str, needs: Callable[[str], str]) -> None:
    """Race, a session of 2,000 jobs with a node killed and a host cut off and healed in it, masters killed, a host crashed."""
    require(needs, kind, pytest.fail, pytest.skip)
    with Lab(kind) as lab:
        story = Story(lab)
        first, middle, last = lab.hosts[0], lab.hosts[1], lab.hosts[-1]  # of two hosts the middle one is the last
        story.race(units=120 if lab.kind.is_machines else 240, claimers=2)
        story.start_masters()
        sid = story.submit(2000, seconds=0.05, host=last)
        story.start_nodes()
        story.kill_node(first)
        for master in MASTERS:
            story.kill_master(master)
        nodes = story.cut(last)
        if middle != last and kind != "sshfs":  # there a host that has nothing to do is slow to get something
            story.crash_and_boot(middle)
        story.heal(last, nodes)
        if middle == last:
            story.crash_and_boot(middle)
        story.silence(watcher=last, writer=lab.master)
        story.until_done(sid)
        story.finish()


@prove
@pytest.mark.parametrize("kind", FILE_SYSTEMS)
def test_daemons_killed_at_random_moments(kind: str, needs: Callable[[str], str]) -> None:
    require(needs, kind, pytest.fail, pytest.skip)
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    with Lab(kind) as lab:
        story = Story(lab)
        story.race(units=2000, claimers=4)
        story.start_masters()
        story.start_nodes()
        sid = story.submit(4000, seconds=0.05)
        story.kill_at_random(sid, seed)
        if not lab.kind.is_machines:
            sid = story.submit(1000, seconds=0.1)
            story.freeze_and_thaw(lab.hosts[1])
            story.crash_and_boot(lab.hosts[2])
            story.until_done(sid)
        story.finish()
