"""Where the results of a batch came from: what ran them, by the headers of their replies, and which data they read.

Pure. Headers are written by other machines, perhaps of other versions: what is odd in one is left out, never an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from park_spool.admitted import Admitted
from park_spool.archive.entries import DataSet, Provenance, Result
from park_spool.replies import Reply
from park_spool.sessions import datasets

_TEXTS = ("host", "version", "python", "service", "service_digest")


def provenance(replies: Iterable[Reply]) -> list[Provenance]:
    """Return what ran the jobs of these replies; nothing of one whose header does not say it (of a lost job)."""
    found: dict[tuple[int, str, str], Provenance] = {}
    for reply in replies:
        host, version, python, service, digest = (_text(reply.header, name) for name in _TEXTS)
        key = (reply.unit.group, reply.node, digest)
        if key not in found and (host or version or python or service or digest):
            told = (host, version, python, service, digest, versions(reply.header))
            found[key] = Provenance(reply.unit.sid, reply.unit.group, reply.node, *told)
    return list(found.values())


def versions(header: Mapping[str, Any]) -> str:
    """Return the versions of libraries in a header as JSON, sorted.

    >>> versions({"versions": {"scipy": "1.17.1", "numpy": "2.4.6", "odd": 3}}), versions({"versions": "none"})
    ('{"numpy": "2.4.6", "scipy": "1.17.1"}', '{}')
    """
    said = header.get("versions")
    known = {name: text for name, text in said.items() if isinstance(text, str)} if isinstance(said, dict) else {}
    return json.dumps(known, sort_keys=True, ensure_ascii=False)


def _text(header: Mapping[str, Any], name: str) -> str:
    value = header.get(name)
    return value if isinstance(value, str) else ""


def data_sets(session: Admitted, results: Iterable[Result]) -> set[DataSet]:
    """Return the data sets that jobs read, with their places by the session."""
    found, groups = set(), session.session.groups
    for result in results:
        if result.data and result.group <= len(groups):  # a bundle may be damaged
            group = groups[result.group - 1]
            hrefs = datasets.hrefs(group, result.joblist, result.job)
            for name, digest in result.data.items():
                if isinstance(digest, str):
                    found.add(DataSet(result.sid, result.group, name, digest, hrefs.get(name, "")))
    return found
