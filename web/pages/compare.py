"""Fits and sessions side by side."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from park_spool.accounts.roles import Role
from park_spool.showing.compare import MOST
from park_spool.showing.compare import compare as look_at

from ..reading import disk, reader, session_row, settings
from ..who import needs

page = Blueprint("compare", __name__)


@page.get("/compare")
@needs(Role.VIEWER)
def compare() -> str:
    asked = [word.strip() for text in request.args.getlist("fit") for word in text.split() if word.strip()]
    if not asked:
        return render_template("compare.html", shown=None, asked=[], most=MOST)
    for one in asked:
        session_row(one.partition(":")[0])
    return render_template("compare.html", shown=look_at(settings(), disk(), reader(), asked), asked=asked, most=MOST)
