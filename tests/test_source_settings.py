"""The tables [sources.NAME] of park.toml: what they may say, and what a wrong one is told."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from park_spool.errors import ConfigError
from park_spool.sources.files import FileSource
from park_spool.sources.opening import open_source
from park_spool.sources.settings import SourceSettings, read, root_path

SPOOL = Path("/shared/spool")
WEB = "https://data.example.org/"


def read_text(text: str, name: str = "beamline") -> SourceSettings:
    return read(name, tomllib.loads(text), SPOOL)


def test_all_that_a_source_may_have() -> None:
    settings = read_text(
        """
        root = "sftp://reader@data.example.org:2222/raw%20data"
        users = ["wwchen"]
        secret = "file:secrets/beamline"
        key = "keys/id"
        known_hosts = "/etc/ssh/ssh_known_hosts"
        timeout = 5
        tries = 2
        """
    )
    assert settings.root == "sftp://reader@data.example.org:2222/raw%20data/"
    assert root_path(settings.root) == "/raw data" and settings.scheme == "sftp"
    assert settings.users == ("wwchen",) and (settings.timeout, settings.tries) == (5.0, 2)
    assert settings.secret == "file:/shared/spool/secrets/beamline" and settings.key == "/shared/spool/keys/id"


def test_the_root_of_an_administrator_may_have_letters_that_mean_something_in_paths() -> None:
    assert root_path(read_text('root = "file:///users/me@site/[raw]%20data%23"').root) == "/users/me@site/[raw] data#"


def test_the_defaults() -> None:
    assert read_text(f'root = "{WEB}x"') == SourceSettings("beamline", f"{WEB}x/")


def test_options_are_fsspecs_own() -> None:
    settings = read_text('root = "s3://bucket/x"\noptions = { anon = true, key = "env:KEY", n = 3 }')
    assert settings.options == (("anon", True), ("key", "env:KEY"), ("n", 3))


@pytest.mark.parametrize("name", ["package", "file", "http", "https", "put", "Beamline", "1x", "", "a.b", "a" * 33])
def test_a_name_that_is_none(name: str) -> None:
    with pytest.raises(ConfigError, match=r"^sources\..*: expected a name"):
        read(name, {"root": WEB}, SPOOL)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "root: expected file:///FOLDER"),
        ('root = ""', "root: expected file:///FOLDER"),
        ("root = 3", "root: expected a text, got 3"),
        ('root = "/data"', "root: expected file:///FOLDER"),
        ('root = "http:///x"', "expected a host"),
        ('root = "http://x:99999/"', "expected a URL"),
        ('root = "http://[::1/"', "expected a URL"),
        ('root = "http://x:0/"', "expected a URL"),
        ('root = "http://x..y/"', "expected a URL"),
        (f'root = "http://{"x" * 64}/"', "expected a URL"),
        ('root = "http://x/a b"', "without blanks"),
        ('root = "http://x/?a=b"', "without '\\?' and '#'"),
        ('root = "http://x/a/../b"', "root: .* climbs"),
        ('root = "http://x/%ff"', "root: "),
        ('root = "http://me@x/"', "give it as `user`"),
        ('root = "file://host/data"', "folder of this machine"),
        ('root = "https://x/"\ncolour = "red"', "colour: unknown setting; known are root, users"),
        ('root = "https://x/"\nusers = "wwchen"', "users: expected a list of names"),
        ('root = "https://x/"\ntimeout = 0', "timeout: expected a number above 0, got 0"),
        ('root = "https://x/"\ntimeout = true', "timeout: expected a number above 0"),
        ('root = "https://x/"\ntries = 0', "tries: expected a whole number"),
        ('root = "https://x/"\nuser = "me"', "user: expected together with secret"),
        ('root = "https://x/"\nuser = "m:e"\nsecret = "env:X"', "without ':'"),
        ('root = "https://x/"\nuser = "me"\nsecret = "env:X"\ntoken = "env:Y"', "either a token or user"),
        ('root = "https://x/"\nkey = "id"', "key: expected only where root begins with sftp, got https"),
        ('root = "sftp://x/"\ntoken = "env:Y"', "token: expected only where root begins with http or https"),
        ('root = "sftp://me@x/"\nuser = "you"', "user: expected here or in root"),
        ('root = "s3://x/"\nuser = "me"', "user: expected only where"),
        ('root = "https://x/"\noptions = { a = 1 }', "options: expected only for sources that fsspec reads"),
        ('root = "s3://x/"\noptions = { a = [1] }', "options: expected a table"),
    ],
)
def test_what_cannot_be_meant(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=rf"^sources\.beamline\..*{words}"):
        read_text(text)


@pytest.mark.parametrize(
    "text",
    [
        'root = "https://x/"\nuser = "me"\nsecret = "hunter2"',
        'root = "https://x/"\ntoken = "hunter2"',
        'root = "sftp://me:hunter2@x/"',
        'root = "s3://me:hunter2@x/"',
    ],
)
def test_a_secret_never_stands_there_itself_and_is_not_shown(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_text(text)
    assert "hunter2" not in str(caught.value) and "secret" in str(caught.value)


def test_a_source_is_opened_by_its_scheme() -> None:
    assert isinstance(open_source(read_text('root = "file:///data"'), {}), FileSource)
    assert type(open_source(read_text('root = "http://x/"'), {})).__name__ == "HttpSource"
    assert type(open_source(read_text('root = "sftp://x/"'), {})).__name__ == "SftpSource"


@pytest.mark.parametrize("token", ["", "two words", "new\nline", "ü"])
def test_a_secret_that_is_missing_or_no_token_is_said_without_it(token: str) -> None:
    settings = read_text(f'root = "{WEB}"\ntoken = "env:TOKEN"')
    with pytest.raises(ConfigError, match="TOKEN"):
        open_source(settings, {})
    with pytest.raises(ConfigError, match="expected ASCII letters") as caught:
        open_source(settings, {"TOKEN": token})
    assert not token or token not in str(caught.value)
