"""Why nothing of an open session runs now, in plain words for `park status`. Pure: the caller has looked.

The first reason that applies is the one to act on: what users said, then what it waits for, then whether anybody is
there, then whether anybody suits, then whether the reducer keeps up; last, what some of its groups wait for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from park_spool import tags
from park_spool.admitted import Admitted
from park_spool.cluster import Cluster
from park_spool.controls import Controls
from park_spool.naming import Start
from park_spool.sessions.after import After
from park_spool.starts import waits_of

NO_NODE = "no node is alive; start one with `park-noded`"
MOST = 3  # groups that are named


def why_waiting(
    session: Admitted,
    said: Controls,
    cluster: Cluster,
    replies: int = 0,
    max_replies: int = 10_000,
    starts: Collection[Start] = (),
    unknown: Collection[str] = (),
) -> str | None:
    """Return one sentence, None if nothing but other work is in the way.

    `said` is what users said of the session, `replies` the number of names in replies/; `starts` are the start values
    that stand for it, `unknown` those of the sessions that it waits for of which nothing is known.
    """
    groups = waits_of(session.session).groups
    waits = {group: _ahead(after, unknown) for group, after in groups.items() if Start(group) not in starts}
    is_begun = len(waits) < len(session.session.groups)
    return (
        _said(said)
        or (None if is_begun else f"it waits for {waits[1]}")
        or _nobody(cluster)
        or _unsuited(session, cluster)
        or _choked(replies, max_replies)
        or _some(waits)
    )


def _some(waits: Mapping[int, str]) -> str | None:
    """Say what some groups wait for.

    >>> _some({2: "group 1", 3: "group 2", 4: "group 3", 5: "group 4"})
    'group 2 waits for group 1; group 3 waits for group 2; group 4 waits for group 3; …'
    """
    first = [f"group {group} waits for {ahead}" for group, ahead in [*waits.items()][:MOST]]
    return "; ".join([*first, *(["…"] if len(waits) > MOST else [])]) or None


def _ahead(after: After, unknown: Collection[str]) -> str:
    return f"{after.name}, which is not known here" if after.sid in unknown else after.name


def _said(said: Controls) -> str | None:
    if said.is_deleted:
        return "it is being deleted"
    if said.is_cancelled:
        return "it was cancelled; what still runs is being stopped"
    return "it is paused; `park resume` lets it go on" if said.is_paused else None


def _nobody(cluster: Cluster) -> str | None:
    if not cluster.nodes:
        return NO_NODE
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
