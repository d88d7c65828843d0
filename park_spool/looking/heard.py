"""What the nodes that may be alive say of themselves, with the notices that stand beside their heartbeats."""

from __future__ import annotations

import time
from collections.abc import Callable

from park_spool import wishes
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.looking import alive, reports
from park_spool.looking.reports import Report


def nodes(disk: Disk, settings: Config, wall: Callable[[], float] = time.time) -> list[Report]:
    """Read the heartbeats of the nodes that may be alive."""
    said = map(wishes.parse_notice, disk.names(settings.layout.notices))
    notices = dict(notice for notice in said if notice is not None)
    crew = alive.look(disk, settings.layout)
    now = wall()
    return [reports.read(node, notices.get(str(node.get("node"))), now) for node in crew.nodes]
