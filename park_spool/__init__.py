"""park-spool: PARK with only a shared folder, a queue of fits with no broker and no database server.

    from park_spool import Session, Spool

docs/python.md says what can be done with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["Session", "Spool", "__version__"]

if TYPE_CHECKING:
    from park_spool.handles.spool import Spool
    from park_spool.sessions.session import Session


def __getattr__(name: str) -> object:
    """Import what a program asks for, and nothing before: `park status` must start at once."""
    if name == "Session":
        from park_spool.sessions.session import Session

        return Session
    if name == "Spool":
        from park_spool.handles.spool import Spool

        return Spool
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
