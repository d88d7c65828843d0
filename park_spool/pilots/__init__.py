"""Nodes that come from a batch system: pilot jobs that run park-noded, submitted while work waits (docs/batch.md)."""
