"""What the service manager put into this process's environment: beside config.py the one place that reads it."""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping

from park_spool.system import journal, notify


def service_manager(environment: MutableMapping[str, str] = os.environ) -> notify.Manager:
    """Return the service manager that started this process, once: what this process starts is not told of it."""
    return notify.manager(notify.take(environment))


def logs_to_journal(environment: Mapping[str, str] = os.environ) -> bool:
    """Say whether standard error goes to the system's journal."""
    return journal.is_journal(environment.get("JOURNAL_STREAM", ""))


def environment_with(more: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment, and more."""
    return {**os.environ, **more}
