"""The OpenAPI document is valid and true: it lists what there is, and whatever it allows is answered as it says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import schemathesis
from api_site import BATCH, FILM, WAITING, Api, open_api, shared
from hypothesis import HealthCheck, Phase, settings
from openapi_spec_validator import validate
from park_spool.web import api as web_api
from park_spool.web.api import document
from park_spool.web.api.operation import JSON
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

FEW, MANY = 5, 100
# What is real on the spool of the tests, beside what the document allows. What changes or ends sessions gets others.
REAL = {"sid": [FILM, BATCH], "group": [1, 2, 3], "job": ["1.1.1", "2.1.7", "3.1.2"], "joblist": [1]}
CHANGING = {**REAL, "sid": list(WAITING)}


def described() -> dict[str, Any]:
    return document.document(web_api.OPERATIONS, "1")


def with_real_values(shown: dict[str, Any]) -> dict[str, Any]:
    """Let what is made up hit what is there, often enough to be worth the time."""
    for path in shown["paths"].values():
        for method, operation in path.items():
            for one in operation.get("parameters", ()):
                values = (REAL if method == "get" else CHANGING).get(one["name"])
                if one["in"] == "path" and values:
                    one["schema"] = {"anyOf": [{"enum": values}, one["schema"]]}
    return shown


class Late:
    """An application that is made after the tests are collected."""

    api: Api | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        assert self.api is not None
        return self.api.app(environ, start_response)


@schemathesis.serializer("application/zip")
def zipped(ctx: schemathesis.SerializationContext, value: Any) -> bytes:
    """Send as a zip what is none, mostly; test_api.py sends a real one."""
    return value if isinstance(value, bytes) else str(value).encode()


LATE = Late()
schema = schemathesis.openapi.from_dict(with_real_values(described()))
schema.app = LATE


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    LATE.api = open_api(shared(tmp_path_factory, "api-described"))
    yield LATE.api
    LATE.api.accounts.close()


def test_the_document_is_valid() -> None:
    validate(described())


def test_every_route_is_described_and_the_other_way_round(tmp_path_factory: pytest.TempPathFactory) -> None:
    described_ones = {(method.upper(), path) for path, methods in described()["paths"].items() for method in methods}
    assert described_ones == {(one.method, one.path) for one in web_api.OPERATIONS}
    names = [one.name for one in web_api.OPERATIONS]
    assert len(names) == len(set(names))
    assert all(one.words[0].endswith(".") for one in web_api.OPERATIONS)


def trying(examples: int) -> settings:
    """Try the same on every run; each operation so many times, beside what its parameters' bounds suggest."""
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@schema.parametrize()
@trying(FEW)
def test_what_the_document_allows_is_answered_as_it_says(api: Api, case: schemathesis.Case) -> None:
    check(api, case)


@pytest.mark.prove
@schema.parametrize()
@trying(MANY)
def test_whatever_the_document_allows_is_answered_as_it_says(api: Api, case: schemathesis.Case) -> None:
    check(api, case)


def check(api: Api, case: schemathesis.Case) -> None:
    if case.path_parameters.get("number") in [one.id for one in api.accounts.tokens()]:
        return  # the token with which all this is asked
    if case.method != "GET" and any(sid.startswith(str(case.path_parameters.get("sid", "-"))) for sid in REAL["sid"]):
        return  # what other tests look at: schemathesis finds it in answers
    if any("?" in str(value) for value in case.path_parameters.values()):
        return  # werkzeug's client, which is called here, takes the rest for a query
    # What makes XML a session, and a zip a zip, no JSON schema can say.
    excluded = [] if case.media_type in (None, JSON) else [positive_data_acceptance, negative_data_rejection]
    case.call_and_validate(headers=api.bearer(), excluded_checks=excluded)
