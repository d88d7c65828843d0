"""Units for systemd as texts. Pure: which they are, and what is in them; cli/installing_service.py writes them.

A unit of a template (`park-noded@.service`) has no spool of its own: that is the name of its instance,
`park-noded@shared-spool` for /shared/spool, so that one file serves every spool and every machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from park_spool.config import Config
from park_spool.supervise import grace_for
from park_spool.system import escaping
from park_spool.system.roles import Role, Service

START_SECONDS = WATCHDOG_SECONDS = 600
TEMPLATE_STOP_SECONDS = 90.0
TEMPORARY = (Path("/tmp"), Path("/var/tmp"))

# Against a daemon that was taken over; of no harm to what these do.
_HARDENED = (
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "SystemCallArchitectures=native",
)
_HARDENED_BY_THE_SYSTEM = (
    "CapabilityBoundingSet=",
    "PrivateDevices=yes",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "RestrictNamespaces=yes",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """For whom units are made: the system or one user, with which Python; a spool, or None for templates."""

    python: Path
    is_system: bool
    settings: Config | None
    user: str = ""
    instance: str = ""

    @property
    def spool(self) -> str:
        """Return the spool as one word of a unit."""
        return "%f" if self.settings is None else escaping.word(str(self.settings.spool))


def name_of(plan: Plan, service: Service) -> str:
    """Return the name of a service's unit."""
    if plan.settings is None:
        return f"{service.role.name}@.service"
    return f"{service.role.name}{f'-{plan.instance}' if plan.instance else ''}.service"


def unit(plan: Plan, service: Service) -> str:
    """Return the text of a service's unit. Raises ConfigError if a path cannot stand in one."""
    sections = {
        "Unit": _about(plan, service.role),
        "Service": [
            *_running(plan, service),
            *_stopping(plan),
            *_limits(service.role),
            *_hardening(plan, service.role),
        ],
        "Install": [f"WantedBy={'multi-user' if plan.is_system else 'default'}.target"],
    }
    head = "# Made by `park install-service`. What you want otherwise goes beside it, by `systemctl edit`.\n"
    return head + "".join(f"\n[{name}]\n" + "\n".join(lines) + "\n" for name, lines in sections.items())


def _about(plan: Plan, role: Role) -> list[str]:
    spool = "%f" if plan.settings is None else escaping.line(str(plan.settings.spool))
    lines = [f"Description=park-spool: {role.does} {spool}"]
    if plan.is_system:
        lines += ["Wants=network-online.target", "After=network-online.target remote-fs.target"]
        lines.append(f"RequiresMountsFor={plan.spool}")
    # A spool that is not mounted yet, a network that is cut: tried again for as long as it takes.
    return [*lines, "StartLimitIntervalSec=0"]


def _running(plan: Plan, service: Service) -> list[str]:
    role = service.role
    program = escaping.command([str(plan.python), "-P", "-m", role.module, *role.words])
    options = [escaping.word(option) for option in service.options]
    return [
        "Type=notify",
        "NotifyAccess=main",
        " ".join([f"ExecStart={program} --spool {plan.spool}", *options]),
        f"SyslogIdentifier={role.name}",
        *([f"User={plan.user}"] if plan.is_system and plan.user else []),
        f"TimeoutStartSec={START_SECONDS}",
        f"WatchdogSec={WATCHDOG_SECONDS}",
        "Restart=on-failure",
        "RestartSec=5",
        "RestartPreventExitStatus=2",
    ]


def _stopping(plan: Plan) -> list[str]:
    """A daemon is asked, and ends what it started itself; what is left after its time is killed."""
    grace = TEMPLATE_STOP_SECONDS if plan.settings is None else grace_for(plan.settings.drain_seconds) + 15
    return ["KillMode=mixed", f"TimeoutStopSec={grace:g}"]


def _limits(role: Role) -> list[str]:
    # A job that takes too much memory is one failed job, and not the end of its node.
    return ["LimitCORE=0", *(["OOMPolicy=continue", "TasksMax=infinity"] if role.runs_jobs else [])]


def _hardening(plan: Plan, role: Role) -> list[str]:
    if role.runs_jobs:
        return ["ProtectSystem=full"] if plan.is_system else []
    if not plan.is_system:
        return list(_HARDENED)
    lines = [*_HARDENED, *_HARDENED_BY_THE_SYSTEM]
    if role.draws:  # matplotlib wants a place for what it knows of fonts
        lines += ["CacheDirectory=%p", "Environment=MPLCONFIGDIR=%C/%p"]
    if plan.settings is None:
        return [*lines, "ProtectSystem=full"]
    writes = [_existing(path) for path in role.writes(plan.settings)]
    # systemd would hide /tmp, and with it a spool that lies there.
    is_temporary = any(path.is_relative_to(place) for path in writes for place in TEMPORARY)
    lines += ["ProtectSystem=strict", "ProtectHome=read-only", *([] if is_temporary else ["PrivateTmp=yes"])]
    return [*lines, f"ReadWritePaths={' '.join(_words(writes))}"]


def _existing(path: Path) -> Path:
    """Return a folder, or the nearest above it that is there: systemd takes no other."""
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def _words(paths: Iterable[Path]) -> list[str]:
    return list(dict.fromkeys(escaping.word(str(path)) for path in paths))
