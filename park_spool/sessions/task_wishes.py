"""What a <task> asks of its nodes, and the limits that it lowers: nodes, tags, timeout, memory and the like.

Guarantees: what comes out makes a rank folder that a file system can hold; a limit never raises the manifest's.
"""

from __future__ import annotations

import re

from park_spool import tags
from park_spool.catalog.input_spec import finite_number, whole_number
from park_spool.catalog.registry import Command
from park_spool.catalog.suggestions import quoted
from park_spool.limits import NAMES, SIZES, WHOLE, limit_words, read_limit
from park_spool.sessions.fields import Warnings, reject
from park_spool.sessions.xml_tree import Node

ATTRIBUTES = ("nodes", "tags", *NAMES)
_BETWEEN = re.compile(r"[\s,]+")


def read_places(task: Node, command: Command) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the nodes, any of which may run the task, and the tags, all of which that node must carry."""
    nodes = tuple(dict.fromkeys(word.partition(".")[0] for word in _words(task, "nodes")))
    wanted = tuple(dict.fromkeys(_words(task, "tags")))
    length = len(tags.tag(nodes, wanted, command.mode == "command"))
    if length > tags.MOST:
        reject(
            task,
            f"the nodes and tags of <task> are {length} characters together, at most {tags.MOST} may be: "
            "give the nodes one tag of their own (park-noded --tag)",
        )
    return nodes, wanted


def _words(task: Node, name: str) -> list[str]:
    found = [word for word in _BETWEEN.split(task.attributes.get(name, "").lower()) if word]
    for word in found:
        if not tags.is_label(word) or word.startswith("."):
            reject(task, f"{name} of <task> holds {quoted(word)}; expected names of letters, digits, '_' and '-'")
        if word == tags.COMMAND:
            reject(task, f"{name} of <task> holds {word!r}, which marks the short commands of a manifest")
    return found


def read_limits(task: Node, command: Command, warnings: Warnings) -> dict[str, float]:
    """Return the limits that a task sets; one that the manifest has lower already is warned about."""
    found = {name: _limit(task, name) for name in NAMES if name in task.attributes}
    for name, value in found.items():
        counts = getattr(command.limits.lowered({name: value}), name)
        if counts != value:
            warnings.add(
                task,
                f"{name}={quoted(task.attributes[name])} of <task> has no effect: "
                f"{command.service}/{command.name} sets {limit_words(name, counts)}, which counts",
            )
    return found


def _limit(task: Node, name: str) -> float:
    text = task.attributes[name].strip()
    try:
        if name not in SIZES:
            (whole_number if name in WHOLE else finite_number)(text)
        return read_limit(name, text)
    except ValueError as error:
        said = str(error)
        reject(task, f"{said if said.startswith(name) else f'{name} {said}'} (in <task>)")
