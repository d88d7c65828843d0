"""The session of `park demo`, for whoever wants to see one run on a real spool: nobody is told of it by mail."""

from __future__ import annotations

from dataclasses import replace

from park_spool import config
from park_spool.catalog.registry import Registry
from park_spool.sessions.parsing import Limits, parse_session
from park_spool.sessions.writing import to_xml

DEMO = "reflectivity/demo.xml"


def session(user: str) -> bytes:
    """Return the XML of the demo's session as a user's."""
    services = config.shipped_services()
    found = parse_session((services / DEMO).read_bytes(), Registry.load([services]), Limits())
    attributes = {name: text for name, text in found.attributes.items() if name not in ("user", "email")}
    return to_xml(replace(found, user=user, email="", attributes={**attributes, "name": "film in D2O"}))
