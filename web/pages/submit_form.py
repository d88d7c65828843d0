"""The form of a service's command: what is filled in becomes the XML of a session, shown as it grows.

GET  /submit/form?cmd=SERVICE/COMMAND     the empty form
POST /submit/preview                      the XML that it makes, or what is missing
POST /submit/edit                         the XML as a text to go on with
POST /submit/form                         sends it
GET  /submit/data?place=…&path=…          data to pick from
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response as Answer

from park_spool.accounts.roles import Role
from park_spool.catalog.registry import Registry
from park_spool.composing import browsing, filling
from park_spool.composing.browsing import Listing
from park_spool.composing.checking import Checked, check_text
from park_spool.composing.filling import Filled
from park_spool.composing.form import Form, form_of
from park_spool.errors import ParkError, ServiceError, SessionError

from ..reading import settings
from ..uploads import Uploaded, bound, uploaded
from ..who import needs, who
from .submit import UNPROCESSABLE, refused, sent, shown

page = Blueprint("submit_form", __name__)
NOTHING: Mapping[str, str] = {}


@page.url_value_preprocessor
def _bound(endpoint: str | None, values: object) -> None:
    bound()


@dataclass(frozen=True, slots=True)
class Request:
    """One filled form as it came: its texts, the session that it makes, and what would become of that."""

    form: Form
    texts: Mapping[str, str]
    made: Filled
    verdict: Checked | None

    @property
    def is_fine(self) -> bool:
        return self.verdict is not None and self.verdict.is_fine


@page.get("/submit/form")
@needs(Role.SUBMITTER)
def empty() -> str:
    form = form_of(_registry(), *_command(request.args.get("cmd", "")))
    return _shown(Request(form, request.args, Filled(), None))


@page.post("/submit/preview")
@needs(Role.SUBMITTER)
def preview() -> str:
    with uploaded() as files:
        one = _read(files, request.form.get("names", "").splitlines())
    if "HX-Request" in request.headers:
        return render_template("parts/preview.html", one=one)
    return _shown(one)


@page.post("/submit/edit")
@needs(Role.SUBMITTER)
def edit() -> str | tuple[str, int]:
    """Take the XML over as a text; files that were chosen must be chosen there again: a browser keeps them."""
    with uploaded() as files:
        one = _read(files, request.form.get("names", "").splitlines())
        if not one.made.xml:
            return _shown(one), UNPROCESSABLE
        again = "Choose the files again that are to go along: " + ", ".join(files.names) if files.names else ""
        return shown(one.made.xml, note=again)


@page.post("/submit/form")
@needs(Role.SUBMITTER)
def send() -> Answer | tuple[str, int]:
    with uploaded() as files:
        one = _read(files, [])
        if one.is_fine:
            name = one.made.session.attributes.get("name", "") if one.made.session else ""
            return sent(files.parcel(one.made.xml.encode(), f"{_file_name(name or one.form.command)}.xml"))
    return _shown(one), UNPROCESSABLE


@page.get("/submit/data")
@needs(Role.SUBMITTER)
def data() -> str | tuple[str, int]:
    """List a place where data can be picked."""
    key, path = request.args.get("place", ""), request.args.get("path", "")
    try:
        found: Listing | None = browsing.listing(settings(), who().name, key, path)
        why = ""
    except ParkError as error:
        found, why = None, str(error)
    name = "parts/data.html" if "HX-Request" in request.headers else "data.html"
    return render_template(name, found=found, why=why, place=key, path=path)


def _registry() -> Registry:
    return Registry.load(settings().service_folders)


def _command(cmd: str) -> tuple[str, str]:
    service, _, command = cmd.partition("/")
    return service, command


def _read(files: Uploaded, names: list[str]) -> Request:
    """Read a filled form; `names` are files that would go along, but were not sent."""
    registry, texts = _registry(), _texts()
    service, command = _command(texts.get("cmd", ""))
    form = form_of(registry, service, command)
    uploads = tuple(dict.fromkeys([*files.names, *filter(None, map(str.strip, names))]))
    made = filling.filled(form, registry.command(service, command), texts, uploads, who().name)
    verdict = check_text(settings(), made.xml.encode(), who().name, frozenset(uploads)) if made.xml else None
    return Request(form, texts, made, verdict)


def _texts() -> dict[str, str]:
    """Return the texts of the fields; what was picked stands with what was written, a line each."""
    texts = {name: text for name, text in request.form.items() if isinstance(text, str)}
    texts["data"] = "\n".join([texts.get("data", ""), *request.form.getlist("pick")]).strip()
    return texts


def _file_name(name: str) -> str:
    return "".join(letter if letter.isprintable() and letter not in "/\\" else "-" for letter in name)[:40].strip(".")


def _shown(one: Request) -> str:
    places = browsing.places(settings(), who().name)
    return render_template("submit_form.html", one=one, form=one.form, texts=one.texts, places=places)


page.register_error_handler(SessionError, refused)


@page.errorhandler(ServiceError)
def _no_command(error: ServiceError) -> tuple[str, int]:
    return render_template("problem.html", title="Not found", why=str(error)), 404
