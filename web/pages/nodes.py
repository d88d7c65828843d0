"""The nodes and the data centres: how busy each is, what runs there, what happened to it."""

from __future__ import annotations

from flask import Blueprint, current_app, render_template

from park_spool.accounts.roles import Role
from park_spool.showing.nodes import NodesPage
from park_spool.showing.nodes import node as look_at_one
from park_spool.showing.nodes import nodes as look_at

from ..centres import Centres
from ..keeping import live
from ..reading import disk, found_or_none, settings, shared
from ..who import needs, owner

page = Blueprint("nodes", __name__)


def _nodes() -> NodesPage:
    whose = owner()
    return shared(("nodes", whose), lambda: look_at(settings(), disk(), found_or_none(), whose))


def centres() -> Centres:
    found: Centres = current_app.extensions["centres"]
    return found


@page.get("/nodes")
@needs(Role.VIEWER)
def nodes() -> str:
    return render_template("nodes.html", shown=_nodes(), centre=centres().look())


@page.get("/parts/nodes")
@needs(Role.VIEWER)
@live
def part() -> str:
    return render_template("parts/nodes.html", shown=_nodes(), centre=centres().look())


@page.get("/parts/nodes-in-short")
@needs(Role.VIEWER)
@live
def in_short() -> str:
    return render_template("parts/nodes_in_short.html", nodes=_nodes(), centre=centres().look())


@page.get("/nodes/<name>")
@needs(Role.VIEWER)
def node(name: str) -> str:
    return render_template("node.html", shown=look_at_one(settings(), disk(), found_or_none(), name, owner()))


@page.get("/parts/nodes/<name>")
@needs(Role.VIEWER)
@live
def part_of_one(name: str) -> str:
    return render_template("parts/node.html", shown=look_at_one(settings(), disk(), found_or_none(), name, owner()))
