"""How often a node looks at the spool by itself, so that all nodes together ask no more than a share carries. Pure."""

from __future__ import annotations

from park_spool.config import Config


def control_seconds(config: Config, nodes: int) -> float:
    """Return how often one of so many nodes looks whether what it runs is still wanted, in seconds."""
    return max(config.control_seconds, _share(config, nodes))


def look_seconds(config: Config, nodes: int) -> float:
    """Return how often one of so many nodes with a free slot looks for work, in seconds.

    >>> from pathlib import Path
    >>> shared = Config(Path("s"), Path("a"), is_shared=True, look_seconds=1.4, units_per_second=100.0)
    >>> look_seconds(shared, 100), look_seconds(shared, 1000)
    (1.4, 10.0)
    """
    return max(config.look_seconds, _share(config, nodes))


def _share(config: Config, nodes: int) -> float:
    """Return how long all nodes need to look once each; on a local disk a look costs nothing.

    NFS: units grow with the cluster, so that units_per_second is kept. Looks would not, and at a thousand nodes they
    would be nearly all that the server does.
    """
    return nodes / config.units_per_second if config.is_shared else 0.0
