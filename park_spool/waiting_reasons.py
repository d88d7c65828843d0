"""Why nothing of an open session runs now, in plain words for `park status`. Pure: the caller has looked.

The first reason that applies is the one to act on: what users said, then whether anybody is there, then whether
anybody suits, then whether the reducer keeps up.
"""

from __future__ import annotations

from park_spool import tags
from park_spool.admitted import Admitted
from park_spool.cluster import Cluster
from park_spool.controls import Controls


def why_waiting(
    session: Admitted, said: Controls, cluster: Cluster, replies: int = 0, max_replies: int = 10_000
) -> str | None:
    """Return one sentence, None if nothing but other work is in the way.

    `said` is what users said of the session, `replies` the number of names in replies/.
    """
    return _said(said) or _nobody(cluster) or _unsuited(session, cluster) or _choked(replies, max_replies)


def _said(said: Controls) -> str | None:
    if said.is_deleted:
        return "it is being deleted"
    if said.is_cancelled:
        return "it was cancelled; what still runs is being stopped"
    return "it is paused; `park resume` lets it go on" if said.is_paused else None


def _nobody(cluster: Cluster) -> str | None:
    if not cluster.nodes:
        return "no node is alive; start one with `park-noded`"
    if any(node.is_claiming for node in cluster.nodes):
        return None
    many = len(cluster.nodes)
    who = "the only node takes no" if many == 1 else f"none of the {many} nodes takes"
    return f"{who} work now; `park nodes` says why"


def _unsuited(session: Admitted, cluster: Cluster) -> str | None:
    """Say what is lacking for the groups that no node suits."""
    wanted = {number: session.tag(number) for number in range(1, len(session.session.groups) + 1)}
    alone = {number: tag for number, tag in wanted.items() if not cluster.cpus_for(tag)}
    if not alone:
        return None
    lacking = "; ".join(sorted({_lacking(tag, cluster) for tag in alone.values()}))
    return lacking if len(alone) == len(wanted) else f"group {', '.join(map(str, alone))}: {lacking}"


def _lacking(tag: str, cluster: Cluster) -> str:
    """Say which parts of a tag no node carries; if each is carried by some, that none carries all of them.

    >>> _lacking("n1,n2+gpu", Cluster(0, {}))
    'no node that takes work carries the tag n1 or n2, gpu'
    """
    parts = [part for part in tag.split("+") if part != tags.COMMAND]
    absent = [part for part in parts if not cluster.cpus_for(part)]
    shown = [part.replace(",", " or ") for part in absent or parts]
    return f"no node that takes work carries {'the tag' if absent else 'all of'} {', '.join(shown)}"


def _choked(replies: int, max_replies: int) -> str | None:
    if replies <= max_replies:
        return None
    most = f"max_replies ({max_replies:,})"
    return f"{replies:,} replies wait for the reducer, more than {most}; see whether `park-reduced` runs"
