"""Settings: defaults, park.toml, and sentences that name the key when something is wrong."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest
from console import park

from park_spool import config, notice_settings
from park_spool.config import Config, find_spool, load, make_spool
from park_spool.errors import ConfigError, SpoolError
from park_spool.layout import FOLDERS


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    make_spool(tmp_path / "spool")
    return tmp_path / "spool"


def test_a_new_spool_has_its_folders_and_settings(spool: Path) -> None:
    assert all((spool / name).is_dir() for name in FOLDERS)
    assert (spool / "park.toml").is_file()
    settings = load(spool)
    mine = config.is_personal(settings.layout)
    assert settings == Config(spool=spool, archive=spool / "archive" / "park.sqlite", functions_by_value=mine)


def test_making_a_spool_again_changes_nothing(spool: Path) -> None:
    (spool / "park.toml").write_text("port = 1\n")
    assert make_spool(spool) == []
    assert (spool / "park.toml").read_text() == "port = 1\n"
    (spool / "ready").rmdir()
    assert make_spool(spool) == [spool / "ready"]


def test_a_folder_that_is_no_spool(tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match=r"is not a spool: it has no folder 'inbox'\. Make one with `park init"):
        load(tmp_path)


def test_settings_are_read_and_typed(spool: Path) -> None:
    (spool / "park.toml").write_text(
        'heartbeat_seconds = 3\nservices = ["mine", "/shared"]\nhost = "::1"\narchive = "a.sqlite"\n'
    )
    settings = load(spool, window=7, port=None)
    assert settings.heartbeat_seconds == 3.0
    assert isinstance(settings.heartbeat_seconds, float)
    assert settings.services == (spool / "mine", Path("/shared"))
    assert (settings.host, settings.window, settings.port) == ("::1", 7, 5400)
    assert settings.archive == spool / "a.sqlite"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("hartbeat_seconds = 3", "unknown setting 'hartbeat_seconds'; known are archive, audit_seconds,"),
        ("is_shared = true", "unknown setting 'is_shared'"),
        ("spool = '/x'", "unknown setting 'spool'"),
        ("port = '5400'", "port: expected int, got '5400'"),
        ("port = true", "port: expected int, got True"),
        ("port = 65536", "port: expected 0 to 65535, got 65536"),
        ("port = -1", "port: expected 0 to 65535, got -1"),
        ("window = 1.5", "window: expected int, got 1.5"),
        ("functions_by_value = 1", "functions_by_value: expected bool, got 1"),
        ("window = 0", "window: expected a number above 0, got 0"),
        ("services = '/shared'", "services: expected a list of folders, got '/shared'"),
        ("heartbeat_seconds = '10'", "heartbeat_seconds: expected float, got '10'"),
        ("heartbeat_seconds = -1", "heartbeat_seconds: expected a number above 0, got -1.0"),
        ("audit_seconds = nan", "audit_seconds: expected a number above 0, got nan"),
        ("look_seconds = inf", "look_seconds: expected a number above 0, got inf"),
        ("max_attempts = 100", "max_attempts: expected 1 to 99, got 100"),
        ("claim_expiry = 100", r"claim_expiry: expected more than unit_lifetime \+ heartbeat_seconds \(90.0 \+ 10.0\)"),
        ("lease_renew = 30", r"lease_expiry: expected more than lease_renew \(30.0\), got 30.0"),
        ("port = ", "not valid TOML: .*; nothing was started"),
        ("\udcff", "not valid TOML"),
    ],
)
def test_wrong_settings_are_named_with_their_file(spool: Path, text: str, sentence: str) -> None:
    (spool / "park.toml").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ConfigError, match=sentence) as caught:
        load(spool)
    assert str(spool / "park.toml") in str(caught.value)


def test_the_worker_dies_before_the_janitor_moves(spool: Path) -> None:
    settings = load(spool)
    assert settings.unit_lifetime + settings.heartbeat_seconds < settings.claim_expiry


def test_a_shared_spool_looks_less_often_and_keeps_its_archive_at_home(
    spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config.filesystem, "is_shared", lambda path: True)
    monkeypatch.setenv("HOME", str(spool.parent))
    settings = load(spool)
    assert settings.is_shared
    assert settings.staleness_seconds == 35.0
    assert settings.archive == spool.parent / ".local/share/park-spool/spool.sqlite"
    (spool / "park.toml").write_text("staleness_seconds = 3\n")
    assert load(spool).staleness_seconds == 3.0


@pytest.mark.parametrize("folder", [".", "inbox", "calls", "tmp"])
@pytest.mark.parametrize("mode", [0o775, 0o757, 0o2775])
def test_functions_by_value_are_for_a_spool_that_only_its_owner_writes_to(spool: Path, folder: str, mode: int) -> None:
    for path in (spool, *(spool / name for name in FOLDERS)):
        path.chmod(0o755)
    assert load(spool).functions_by_value is True
    (spool / folder).chmod(mode)
    settings, found = config.load_with_sources(spool)
    assert (settings.functions_by_value, found["functions_by_value"]) == (False, config.BY_MODE)
    (spool / "park.toml").write_text("functions_by_value = true\n")
    settings, found = config.load_with_sources(spool)
    assert (settings.functions_by_value, found["functions_by_value"]) == (True, "park.toml, line 1")
    (spool / folder).chmod(0o755)
    (spool / "park.toml").write_text("functions_by_value = false\n")
    assert load(spool).functions_by_value is False


def test_which_spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_spool("/a", {"PARK_SPOOL": "/b"}) == Path("/a")
    assert find_spool(None, {"PARK_SPOOL": "b"}) == tmp_path / "b"
    assert find_spool(None, {}) == tmp_path / "spool"


def test_services_beside_the_spool_come_last(spool: Path) -> None:
    assert load(spool).service_folders == (config.shipped_services(),)
    (spool.parent / "services").mkdir()
    (spool / "park.toml").write_text('services = ["mine"]\n')
    assert load(spool).service_folders == (config.shipped_services(), spool / "mine", spool.parent / "services")


def test_settings_are_frozen_and_paths_come_from_the_layout(spool: Path) -> None:
    settings = load(spool)
    with pytest.raises(FrozenInstanceError):
        settings.port = 1  # type: ignore[misc]
    assert settings.layout.root == spool
    assert all(field.name == field.name.lower() for field in fields(Config))


# where values come from


def sources(spool: Path, **overrides: object) -> dict[str, str]:
    settings, found = config.load_with_sources(spool, **overrides)
    assert settings == load(spool, **overrides)
    assert set(found) == {field.name for field in fields(Config)}
    return found


def test_every_setting_says_where_it_came_from(spool: Path) -> None:
    (spool / "park.toml").write_text(
        "# port = 1\nport = 5500\n\n  'window' = 7\nservices = [\n 'mine',\n]\nlook_seconds=2\n"
    )
    found = sources(spool, host="::1", port=None)
    told = {name: source for name, source in found.items() if source != "default"}
    assert told == {
        "port": "park.toml, line 2",
        "window": "park.toml, line 4",
        "services": "park.toml, line 5",
        "look_seconds": "park.toml, line 8",
        "host": "command line",
        "is_shared": "the system's table of mounts",
        "functions_by_value": "the mode bits of the spool's folders",
    }
    assert sources(spool, port=80)["port"] == "command line"


def test_a_shared_spool_says_so(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config.filesystem, "is_shared", lambda path: True)
    (spool / "park.toml").write_text("settle_seconds = 3\n")
    found = sources(spool)
    assert found["staleness_seconds"] == found["archive"] == "default on a shared file system"
    assert (found["settle_seconds"], found["port"]) == ("park.toml, line 1", "default")


def test_where_the_spool_comes_from() -> None:
    assert config.spool_source("/a", {"PARK_SPOOL": "/b"}) == "command line"
    assert config.spool_source(None, {"PARK_SPOOL": "/b"}) == "environment PARK_SPOOL"


def test_the_command_shows_every_setting(spool: Path) -> None:
    (spool / "park.toml").write_text("port = 5500\n")
    lines = [line.split(maxsplit=2) for line in park("config", spool=spool).stdout.splitlines()]
    assert [line[0] for line in lines] == ["setting", *(field.name for field in fields(Config))]
    assert ["port", "5500", "park.toml, line 1"] in lines and ["spool", str(spool), "command line"] in lines
    shown = json.loads(park("config", "--json", spool=spool).stdout)
    assert shown["port"] == {"value": 5500, "source": "park.toml, line 1"}
    assert shown["services"] == {"value": [], "source": "default"}


# the data centre and its sources


def test_sources_are_tables(spool: Path) -> None:
    (spool / "park.toml").write_text(
        'datacenter = ["http://master:5401"]\ndata_quota = 0\ndata_store = "/large"\n[sources.beamline]\n'
        'root = "https://data.example.org/x"\nusers = ["wei"]\n[sources.disk]\nroot = "file:///data"\n'
    )
    settings, found = config.load_with_sources(spool)
    assert [(one.name, one.root) for one in settings.sources] == [
        ("beamline", "https://data.example.org/x/"),
        ("disk", "file:///data/"),
    ]
    assert (settings.datacenter, settings.data_quota) == (("http://master:5401",), None)
    assert (settings.store, settings.secret) == (Path("/large"), spool / "datacenter.secret")
    assert found["sources"] == "park.toml, line 4"
    shown = json.loads(park("config", "--json", spool=spool).stdout)
    assert shown["sources"]["value"] == ["beamline", "disk"]
    assert shown["data_store"] == {"value": "/large", "source": "park.toml, line 3"}
    assert load(spool.parent / "spool", data_port=0).data_port == 0


def test_the_store_is_in_the_spool_unless_told_otherwise(spool: Path) -> None:
    assert load(spool).store == spool / "data"
    (spool / "park.toml").write_text('data_store = "elsewhere"\ndata_secret = "~/token"\n')
    settings = load(spool)
    assert (settings.store, settings.secret) == (spool / "elsewhere", Path("~/token").expanduser())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('datacenter = "http://x"', "datacenter: expected a list of texts"),
        ('datacenter = ["ftp://x"]', "datacenter: expected addresses that begin with http:// or https://"),
        ("data_port = 70000", "data_port: expected 0 to 65535, got 70000"),
        ("data_quota = -1", "data_quota: expected a number above 0, got -1"),
        ("data_quota = 1.5", "data_quota: expected int, got 1.5"),
        ("data_free = 0", "data_free: expected a number above 0, got 0"),
        ("data_fresh = 0", "data_fresh: expected a number above 0, got 0.0"),
        ("data_store = 1", "data_store: expected a path, got 1"),
        ("sources = 1", "sources: expected tables [sources.NAME], got 1"),
        ("[sources]\nx = 1", "sources: expected tables [sources.NAME]"),
        ("[sources.x]", "sources.x.root: expected"),
        ('[sources.put]\nroot = "file:///x"', "sources.put: expected a name"),
        ('[sources.x]\nroot = "file:///x"\nrot = 1', "sources.x.rot: unknown setting"),
    ],
)
def test_settings_of_data_that_cannot_be_meant(spool: Path, text: str, words: str) -> None:
    (spool / "park.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(spool)
    assert words in str(caught.value) and str(spool / "park.toml") in str(caught.value)


# notices


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('notify = ["ended"]', "notify: expected some of started, done, failed, cancelled, got 'ended'"),
        ('notify = "done"', "notify: expected a list of texts, got 'done'"),
        ('smtp = "smtp://x"', "smtp: expected HOST or HOST:PORT, got 'smtp://x'"),
        ('smtp_security = "ssl"', "smtp_security: expected none or starttls or tls, got 'ssl'"),
        ('webhook = "file:///etc/passwd"', "webhook: expected an address that begins with http"),
    ],
)
def test_settings_of_notices_that_cannot_be_meant(tmp_path: Path, line: str, words: str) -> None:
    make_spool(tmp_path)
    (tmp_path / "park.toml").write_text(f"{line}\n")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert words in str(caught.value)


def test_a_secret_is_referred_to(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\n")
    assert notice_settings.secret("file:password", tmp_path) == "secret"
    assert notice_settings.secret("env:PASSWORD", tmp_path, {"PASSWORD": "x"}) == "x"
    assert notice_settings.secret("", tmp_path) == ""


@pytest.mark.parametrize("reference", ["secret", "file:none", "env:NONE"])
def test_a_secret_that_is_not_there_or_stands_there_itself(tmp_path: Path, reference: str) -> None:
    with pytest.raises(ConfigError) as caught:
        notice_settings.secret(reference, tmp_path, {})
    words = "expected env:NAME or file:PATH" if reference == "secret" else "cannot be read"
    assert words in str(caught.value)
