"""What an executor asks of its nodes, as the session that it is on the spool.

Guarantees: a session that comes out would be admitted; what is wrong with it is said before anything is sent.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from park_spool import tags
from park_spool.catalog.builtin import CMD
from park_spool.catalog.registry import Registry
from park_spool.sessions.parsing import Limits, parse_session


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who asks, how urgently, of which nodes, and what a call may use: `timeout` in seconds, `memory` as in a task."""

    user: str
    name: str = "calls"
    priority: int = 0
    nodes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    timeout: float | None = None
    memory: int | str | None = None

    def session(self) -> tuple[bytes, str]:
        """Write it as a session; return that, and the tag that its nodes must suit.

        Raises SessionError if it would be rejected.
        """
        task = {
            "cmd": CMD,
            "nodes": " ".join(self.nodes),
            "tags": " ".join((*self.tags, tags.python(sys.version_info[:2]))),
            "timeout": self.timeout,
            "memory": self.memory,
        }
        session = {"version": "2.0.1", "user": self.user, "name": self.name, "priority": self.priority}
        text = (
            f"<session{_attributes(session.items())}>"
            f"<group name={quoteattr(self.name)}><task{_attributes(task.items())}/><joblist><calls/></joblist></group>"
            "</session>\n"
        ).encode()
        parsed = parse_session(text, Registry({}, {}), Limits(), functions_by_value=True).groups[0].task
        return text, tags.tag(parsed.nodes, parsed.tags)


def _attributes(pairs: Iterable[tuple[str, object]]) -> str:
    """Write attributes, those without a value left out.

    >>> _attributes([("user", "anna"), ("memory", None)])
    ' user="anna"'
    """
    return "".join(f" {name}={quoteattr(str(value))}" for name, value in pairs if value not in (None, ""))
