"""What the text of a reducer's file says of its class, without running it: whether it is there, and its options.

Admission looks at every session's reducer, in a daemon that must not run users' code.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_OPTIONS = "OPTIONS"


def holds_class(path: Path, classname: str) -> bool:
    """Say whether a file holds a class of this name. Raises OSError."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return re.search(rf"^class\s+{classname}\b", text, re.MULTILINE) is not None


def options_of(path: Path, classname: str) -> tuple[str, ...]:
    """Name the options that a class lists in a dict `OPTIONS`; none where it lists none. Raises OSError."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8", errors="replace"))
    except (SyntaxError, ValueError, RecursionError):
        return ()  # it is told when the reducer is made, with its line
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == classname]
    return tuple(name for node in classes for name in _listed(node))


def _listed(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        value = getattr(statement, "value", None)
        if isinstance(value, ast.Dict) and any(isinstance(one, ast.Name) and one.id == _OPTIONS for one in targets):
            yield from (key.value for key in value.keys if isinstance(key, ast.Constant) and isinstance(key.value, str))
