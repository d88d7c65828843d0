"""park-spool: PARK with only a shared folder, a queue of fits with no broker and no database server."""

__version__ = "0.1.0"
