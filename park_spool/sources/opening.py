"""One table: which scheme of a root is read by which source."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from park_spool.sources.files import FileSource
from park_spool.sources.settings import SourceSettings
from park_spool.sources.source import Source

Environment = Mapping[str, str]
Opener = Callable[[SourceSettings, Environment], Source]


def open_source(settings: SourceSettings, environment: Environment = os.environ) -> Source:
    """Make a source of its settings, and read its secrets; nothing is connected to yet.

    Raises ConfigError if a secret, or a package that it needs, is not there.
    """
    return _OPENERS.get(settings.scheme, _remote_fs)(settings, environment)


def _files(settings: SourceSettings, _: Environment) -> Source:
    return FileSource(settings)


# Imported late: a node that reads files needs neither TLS nor paramiko, and fsspec may not be there.
def _http(settings: SourceSettings, environment: Environment) -> Source:
    from park_spool.sources.http_source import HttpSource

    return HttpSource(settings, environment)


def _sftp(settings: SourceSettings, environment: Environment) -> Source:
    from park_spool.sources.sftp import SftpSource

    return SftpSource(settings, environment)


def _remote_fs(settings: SourceSettings, environment: Environment) -> Source:
    from park_spool.sources.remote_fs import FsspecSource

    return FsspecSource(settings, environment)


_OPENERS: Mapping[str, Opener] = {"file": _files, "http": _http, "https": _http, "sftp": _sftp}
