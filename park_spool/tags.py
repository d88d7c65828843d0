"""Which nodes may claim a unit: the TAG of its rank folder, held against the tags that a node carries.

A tag is a conjunction of alternatives, `n1,n2+gpu`: (n1 or n2) and gpu. Every node carries its host's first label; a
site gives it others (`park-noded --tag gpu`). `command` marks short commands, which a node runs beside its slots. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

COMMAND = "command"
MOST = 180  # characters: a rank folder's name must fit into a file system's 255 bytes

_LABEL = re.compile(r"[a-z0-9_.-]+", re.ASCII)


def is_label(word: str) -> bool:
    """Say whether a word can be a node's name or a tag, once it is in lower case."""
    return _LABEL.fullmatch(word) is not None


def tag(nodes: Iterable[str] = (), tags: Iterable[str] = (), is_command: bool = False) -> str:
    """Write what a task asks of its nodes as a tag: any of `nodes`, and all of `tags`.

    >>> tag(["n2", "n1"], ["gpu"]), tag(), tag(is_command=True)
    ('n1,n2+gpu', '', 'command')
    """
    alternatives = ",".join(sorted(set(nodes)))
    parts = [alternatives, *sorted(set(tags)), COMMAND if is_command else ""]
    return "+".join(part for part in parts if part)


def python(version: tuple[int, int]) -> str:
    """Return the tag that a node carries for its Python: functions by value run on no other.

    >>> python((3, 11))
    'python3.11'
    """
    return f"python{version[0]}.{version[1]}"


def suits(tag: str, carried: Collection[str]) -> bool:
    """Say whether a node that carries these tags may claim under a tag.

    >>> suits("n1,n2+gpu", {"n2", "gpu"}), suits("gpu", {"n2"}), suits("", set())
    (True, False, True)
    """
    return all(any(word in carried for word in part.split(",")) for part in tag.split("+") if part)
