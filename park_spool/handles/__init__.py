"""park-spool for Python programs: a spool, its sessions, and what came out of them (docs/python.md)."""
