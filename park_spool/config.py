"""The site's settings: one frozen value, built and checked once from the defaults, park.toml and the environment.

The environment is read here and nowhere else. Every setting is a field below; docs/settings.md lists them (tested).
"""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from park_spool import data_settings, filesystem, notice_settings, page_settings, settings_file
from park_spool.errors import ConfigError, SpoolError
from park_spool.hosts import shell_command
from park_spool.layout import FOLDERS, Layout, page_accounts
from park_spool.pilots.profiles import Profile, read_profiles
from park_spool.places import Places
from park_spool.sources.paths import PUT
from park_spool.sources.settings import SourceSettings

DEFAULT, DEFAULT_SHARED = "default", "default on a shared file system"
BY_MODE = "the mode bits of the spool's folders"
PORTS = ("port", "data_port")


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of one spool. Times are in seconds."""

    spool: Path
    archive: Path
    is_shared: bool = False
    services: tuple[Path, ...] = ()
    data_roots: tuple[Path, ...] = ()
    functions_by_value: bool = False
    host: str = "127.0.0.1"
    port: int = 5400
    heartbeat_seconds: float = 10.0
    # RACE: the worker must die before the janitor moves. A node that could not publish a heartbeat for
    # unit_lifetime stops its jobs; others take its units back after claim_expiry. Checked below.
    unit_lifetime: float = 90.0
    claim_expiry: float = 120.0
    lease_renew: float = 5.0
    lease_expiry: float = 30.0
    audit_seconds: float = 60.0
    staleness_seconds: float = 1.0
    look_seconds: float = 5.0
    settle_seconds: float = 0.3
    settle_folder_seconds: float = 3.0
    reject_seconds: float = 10.0
    unit_seconds: float = 1.0
    max_unit: int = 5000
    window: int = 2000
    max_replies: int = 10_000
    max_attempts: int = 3
    batch_jobs: int = 20_000
    tally_seconds: float = 2.0
    snapshot_seconds: float = 60.0
    control_seconds: float = 1.0
    drain_seconds: float = 10.0
    elsewhere_seconds: float = 10.0
    straggler_factor: float = 3.0
    bad_node_failures: int = 10
    units_per_second: float = 2000.0
    worker_jobs: int = 1_000_000
    worker_growth: int = 1_000_000_000
    max_submission_bytes: int = 4_000_000_000
    notify: tuple[str, ...] = ("done", "failed", "cancelled")
    smtp: str = ""
    smtp_security: str = "starttls"
    smtp_user: str = ""
    smtp_password: str = ""
    mail_from: str = ""
    webhook: str = ""
    webhook_secret: str = ""
    keep_days: float | None = None  # for ever; 0 in park.toml means that, too
    datacenter: tuple[str, ...] = ()
    data_host: str = "127.0.0.1"
    data_port: int = 5401
    data_store: Path = Path("data")
    data_quota: int | None = None  # as much as the disk has; 0 in park.toml means that, too
    data_free: int = 1_000_000_000
    data_fresh: float = 60.0
    data_secret: Path = Path("datacenter.secret")
    data_cache: Path = Path("~/.cache/park-spool/data")
    data_cache_size: int = 20_000_000_000
    direct_fallback: bool = False
    sources: tuple[SourceSettings, ...] = ()
    page_accounts: Path = Path()  # beside the archive
    page_open: bool = False
    page_private: bool = False
    page_proxy: tuple[str, ...] = ()
    page_proxy_header: str = "X-Remote-User"
    page_proxy_role: str = "viewer"
    page_names: tuple[str, ...] = ()
    rsh: str = ""
    cluster: tuple[Profile, ...] = ()

    def __post_init__(self) -> None:
        if self.page_accounts == Path():
            object.__setattr__(self, "page_accounts", page_accounts(self.archive))
        for field in fields(self):
            value = getattr(self, field.name)
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if is_number and field.name not in PORTS and not 0 < value < math.inf:
                raise ConfigError(f"{field.name}: expected a number above 0, got {value!r}")
        if not self.unit_lifetime + self.heartbeat_seconds < self.claim_expiry:
            raise ConfigError(
                "claim_expiry: expected more than unit_lifetime + heartbeat_seconds "
                f"({self.unit_lifetime} + {self.heartbeat_seconds}), "
                f"got {self.claim_expiry}: a node must stop its jobs before others take its units back"
            )
        if not self.lease_renew < self.lease_expiry:
            raise ConfigError(
                f"lease_expiry: expected more than lease_renew ({self.lease_renew}), got {self.lease_expiry}: "
                "else a standby would take over from one that lives"
            )
        if not 1 <= self.max_attempts <= 99:
            raise ConfigError(f"max_attempts: expected 1 to 99, got {self.max_attempts}")
        for name in PORTS:
            if not 0 <= getattr(self, name) <= 65535:
                raise ConfigError(f"{name}: expected 0 to 65535, got {getattr(self, name)}")
        data_settings.check(self.datacenter)
        shell_command.check(self.rsh)
        notice_settings.check(self.notify, self.smtp, self.smtp_security, self.webhook)
        by_proxy = (self.page_proxy, self.page_proxy_header, self.page_proxy_role)
        page_settings.check(self.page_open, self.page_private, *by_proxy, self.page_names)

    @property
    def layout(self) -> Layout:
        return Layout(self.spool)

    @property
    def store(self) -> Path:
        """Return the folder of the data centre's store."""
        return self.spool / self.data_store

    @property
    def cache(self) -> Path:
        """Return the folder in which this machine keeps data of sources."""
        return self.spool / self.data_cache.expanduser()

    @property
    def places(self) -> Places:
        """Return where the data of sessions may lie."""
        names = (*(source.name for source in self.sources), *[PUT] * bool(self.datacenter))
        return Places(self.data_roots, names, {source.name: source.users for source in self.sources if source.users})

    @property
    def secret(self) -> Path:
        """Return the file with the data centre's token."""
        return self.spool / self.data_secret

    @property
    def service_folders(self) -> tuple[Path, ...]:
        """Return the folders with services: those that come along, the site's, then `services/` beside the spool."""
        beside = self.spool.parent / "services"
        own = (beside,) if beside.is_dir() and beside.resolve() != shipped_services().resolve() else ()
        return (shipped_services(), *self.services, *own)


def shipped_services() -> Path:
    """Return the folder of the services that come along, without importing any of them."""
    package = Path(__file__).resolve().parent
    inside, beside = package / "services", package.parent / "services"
    return inside if inside.is_dir() else beside


def find_spool(given: str | Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the spool's folder: the one given, else $PARK_SPOOL, else ./spool."""
    return Path(given or environment.get("PARK_SPOOL") or "spool").absolute()


def spool_source(given: str | Path | None, environment: Mapping[str, str] = os.environ) -> str:
    """Say where `find_spool` has its answer from.

    >>> spool_source(None, {"PARK_SPOOL": "/shared/spool"}), spool_source(None, {})
    ('environment PARK_SPOOL', 'default')
    """
    if given:
        return "command line"
    return "environment PARK_SPOOL" if environment.get("PARK_SPOOL") else DEFAULT


def load(spool: Path, **overrides: Any) -> Config:
    """Build the settings of a spool.

    Raises SpoolError if the folder is none, ConfigError with file and key otherwise.
    """
    return load_with_sources(spool, **overrides)[0]


def load_with_sources(spool: Path, **overrides: Any) -> tuple[Config, dict[str, str]]:
    """Build the settings of a spool, and say of each where its value came from. Raises as `load` does."""
    layout = Layout(spool.absolute())
    if _is_checkouts_own(layout.root):
        make_spool(layout.root)
    missing = [name for name in FOLDERS if not layout.folder(name).is_dir()]
    if missing:
        raise SpoolError(
            f"{spool} is not a spool: it has no folder {missing[0]!r}. "
            f"Make one with `park init {spool}`, or name yours with --spool or PARK_SPOOL."
        )
    shared = filesystem.is_shared(layout.root)
    values, sources = _gather(layout, shared, overrides)
    values.setdefault("functions_by_value", is_personal(layout))
    archive = values.pop("archive", None)
    named, clusters = values.pop("sources", None), values.pop("cluster", {})
    hints = {key: hint for key, hint in get_type_hints(Config).items() if key not in ("spool", "is_shared")}
    typed = settings_file.typed(layout.settings, hints, values)
    try:
        if named is not None:
            typed["sources"] = data_settings.read_sources(named, layout.root)
        typed["cluster"] = read_profiles(clusters)
        settings = Config(spool=layout.root, archive=_archive(layout, shared, archive), is_shared=shared, **typed)
    except ConfigError as error:
        raise ConfigError(f"{layout.settings}: {error}") from error
    return settings, {field.name: sources.get(field.name, DEFAULT) for field in fields(Config)}


def _gather(layout: Layout, shared: bool, overrides: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Put the values of all sources above each other, and note which source each is from."""
    text = settings_file.read(layout.settings)
    given = {key: value for key, value in overrides.items() if value is not None}
    parsed = settings_file.parse(layout.settings, text)
    values: dict[str, Any] = {**_defaults(shared), **parsed, **given}
    sources = dict.fromkeys([*_defaults(shared), *(["archive"] if shared else [])], DEFAULT_SHARED)
    sources |= {"is_shared": "the system's table of mounts", "functions_by_value": BY_MODE}
    sources |= {key: f"{layout.settings.name}, line {settings_file.line_of(text, key)}" for key in parsed}
    return values, {**sources, **dict.fromkeys(given, "command line")}


def _is_checkouts_own(root: Path) -> bool:
    """Say whether a folder is the empty spool that comes with a checkout: daemons may fill that one, and no other."""
    readme = root / "README.md"
    if root != shipped_services().parent / "spool" or not readme.is_file():
        return False
    return [path.name for path in root.iterdir()] == [readme.name]


def _defaults(shared: bool) -> dict[str, Any]:
    """Return what differs on a file system that other hosts see: listings are late there, and every look costs."""
    return (
        {"staleness_seconds": 35.0, "look_seconds": 1.4, "settle_seconds": 2.0, "units_per_second": 100.0}
        if shared
        else {}
    )


def is_personal(layout: Layout) -> bool:
    """Say whether nobody but its owner may write to a spool: then whatever functions lie there are the owner's own."""
    others = stat.S_IWGRP | stat.S_IWOTH
    return not any(layout.folder(name).stat().st_mode & others for name in (".", *FOLDERS))


def _archive(layout: Layout, shared: bool, given: object) -> Path:
    if given is not None:
        return (layout.root / Path(str(given)).expanduser()).absolute()
    if shared:
        # SQLite's documentation rules WAL out on network file systems, and their locks are not to be trusted.
        return Path(f"~/.local/share/park-spool/{layout.root.name}.sqlite").expanduser()
    return layout.archive


def make_spool(root: Path) -> list[Path]:
    """Make the folders of a spool, and park.toml if there is none; return what was made. Safe to call again."""
    layout = Layout(root.absolute())
    made = [folder for folder in (layout.folder(name) for name in FOLDERS) if not folder.is_dir()]
    for folder in made:
        folder.mkdir(parents=True, exist_ok=True)
    if not layout.settings.exists():
        layout.settings.write_text(_TEMPLATE, encoding="utf-8")
        made.append(layout.settings)
    return made


_TEMPLATE = """\
# Settings of this spool; every one has a default (docs/settings.md). Shared by being here.
# services = ["/shared/services"]      # folders with services of your own
# data_roots = ["/shared/data"]        # where an absolute path in an href may point
"""
