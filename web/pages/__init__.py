"""The pages: each module has one blueprint; a view asks the core one question and renders the answer."""

from __future__ import annotations

from flask import Flask

from . import (
    account,
    audit,
    compare,
    controls,
    files,
    groups,
    helping,
    jobs,
    login,
    logs,
    messages,
    nodes,
    overview,
    provenance,
    session,
    submit,
    submit_form,
    users,
)

MODULES = (
    overview,
    session,
    controls,
    submit,
    submit_form,
    jobs,
    groups,
    messages,
    provenance,
    files,
    compare,
    nodes,
    logs,
    helping,
    login,
    account,
    users,
    audit,
)


def register(app: Flask) -> None:
    """Put all pages into an application."""
    for module in MODULES:
        app.register_blueprint(module.page)
