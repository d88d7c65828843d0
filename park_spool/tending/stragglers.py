"""Which units that run far too long are offered a second time (PROTOCOL.md section 6, "Second offer"). Pure.

One slow or stuck node must not hold up a whole session while others have nothing to do. Both answers count as section
8 says, so a wrong guess costs only CPU time that nobody else wanted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable

from park_spool import tags
from park_spool.cluster import Cluster, NodeView
from park_spool.config import Config
from park_spool.naming import Unit


def overdue(cluster: Cluster, config: Config) -> list[tuple[NodeView, Unit]]:
    """Return the units that one node alone has run much longer than their job list's time lets expect, and that node.

    The slowest come first. A job list whose time nobody knows has none; a unit that two nodes run was offered before.
    """
    holders = Counter(unit for node in cluster.nodes for unit in node.running)
    found = [
        (seconds / _expected(cluster, unit, config), node, unit)
        for node in cluster.nodes
        for unit, seconds in node.running.items()
        if holders[unit] == 1 and (unit.sid, *unit.key) in cluster.job_seconds
    ]
    slow = [one for one in found if one[0] > config.straggler_factor]
    return [(node, unit) for _, node, unit in sorted(slow, key=lambda one: (-one[0], one[2]))]


def _expected(cluster: Cluster, unit: Unit, config: Config) -> float:
    return max(cluster.job_seconds[unit.sid, *unit.key] * unit.size, config.unit_seconds)


def second_offers(
    late: Iterable[tuple[NodeView, Unit]], cluster: Cluster, ready_tags: Collection[str], tag_of: Callable[[Unit], str]
) -> list[Unit]:
    """Choose the late units that another node with nothing to do may claim, one for each of its idle CPUs.

    `ready_tags`: the tags under which units wait now; a node that may claim one of those has something to do.
    """
    idle = {
        node.name: node.cpus - node.busy
        for node in cluster.nodes
        if node.is_claiming and not any(_may_claim(node, tag) for tag in ready_tags)
    }
    chosen: list[Unit] = []
    for holder, unit in late:
        takers = [node for node in cluster.nodes if idle.get(node.name, 0) > 0 and _may_claim(node, tag_of(unit))]
        taker = next((node for node in takers if node.name != holder.name), None)
        if taker is not None:
            idle[taker.name] -= 1
            chosen.append(unit)
    return chosen


def _may_claim(node: NodeView, tag: str) -> bool:
    return tags.suits(tag, node.tags | {tags.COMMAND})
