"""The meaning of `<calls/>`: a job list of function calls, which grows while a Python program makes them.

Guarantees: a session with `<calls/>` runs python/call and holds nothing else, and python/call never runs an `<input>`;
where the site does not allow functions by value, it is rejected.
"""

from __future__ import annotations

from park_spool.catalog.builtin import CMD
from park_spool.sessions.fields import Warnings, check_attributes, check_children, name_of, priority, reject, single
from park_spool.sessions.session import JobList
from park_spool.sessions.xml_tree import Node

CALLS = "calls"
REFUSAL = (
    "functions that a Python program brings along do not run on this spool, since others than its owner may write "
    "to it; where that is meant to be so, say functions_by_value = true in park.toml"
)


def read_calls(joblist: Node, number: int, is_call: bool, is_allowed: bool, warnings: Warnings) -> JobList | None:
    """Read a job list of calls; None if it is one of inputs. SessionError with the place if it cannot be run."""
    node = single(joblist, CALLS)
    if node is None:
        if is_call:
            reject(joblist, f"cmd='{CMD}' runs <calls/> alone: a Python program sends them, see docs/executor.md")
        return None
    if not is_call:
        reject(node, f"<calls/> goes with cmd='{CMD}' alone")
    if not is_allowed:
        reject(node, REFUSAL)
    if len(joblist.children) > 1 or "cnt" in joblist.attributes:
        reject(node, "<calls/> stands alone in its <joblist>: the calls come later, and nobody knows how many")
    check_children(node, ())
    check_attributes(node, (), warnings)
    return JobList(name_of(joblist, f"joblist{number}"), priority(joblist), 0, grows=True)


def check_alone(session: Node) -> None:
    """Reject a session that holds calls and anything else: its asker alone says when it is over."""
    joblists = [child for group in session.children for child in group.children if child.tag == "joblist"]
    if not any(child.tag == CALLS for joblist in joblists for child in joblist.children):
        return
    if len(joblists) > 1:
        reject(joblists[1], "a second <joblist> in a session of <calls/>: expected nothing else in it")
    for child in session.children[0].children:
        if child.tag in ("dataSet", "reduce"):
            reject(child, f"<{child.tag}> in a session of <calls/>: expected a <task> and a <joblist> alone")
