"""One operation of the API: the one source of its route, of what is checked, and of its description.

All else is read off the function that answers: its name, its docstring (the first sentence is the summary), its
parameters and what it returns. A parameter `query` is the question mark's part, `body` what is sent along; any other
one stands in the path. The types say what may be given (msgspec.Meta), and so both check and describe it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_type_hints

from flask import request

from park_spool.accounts.roles import Role

from ..live import SPOOL

ROOT = "/api/v1"
JSON, XML, CSV, ZIP, FORM = "application/json", "application/xml", "text/csv", "application/zip", "multipart/form-data"
QUERY, BODY = "query", "body"


@dataclass(frozen=True)
class Operation:
    """What is asked at one address, by one method; `run` answers it.

    `mime` is the type of a good answer, `status` its code; `takes` are the types of a body that is no JSON.
    `may_conflict`: what is asked can be too late. An answer that `is_live` is kept until what it `follows` changes; one
    that `holds` is given to pages that look again and again for so many seconds, as long as its session runs.
    """

    method: str
    path: str
    run: Callable[..., Any]
    tag: str
    role: Role = Role.VIEWER
    status: int = 200
    mime: str = JSON
    takes: tuple[str, ...] = ()
    is_live: bool = False
    follows: str = SPOOL
    may_conflict: bool = False
    holds: float = 0.0

    @property
    def name(self) -> str:
        return self.run.__name__

    @property
    def rule(self) -> str:
        """The address as Flask writes it."""
        return ROOT + re.sub(r"\{(\w+)\}", r"<\1>", self.path)

    @cached_property
    def words(self) -> tuple[str, str]:
        """The first sentence of the docstring, and the rest."""
        summary, _, rest = inspect.cleandoc(self.run.__doc__ or "").partition("\n\n")
        return " ".join(summary.split()), rest

    @cached_property
    def hints(self) -> dict[str, Any]:
        return get_type_hints(self.run, include_extras=True)

    @property
    def places(self) -> dict[str, Any]:
        """What stands in the path, by name."""
        return {name: self.hints[name] for name in re.findall(r"\{(\w+)\}", self.path)}

    @property
    def query(self) -> Any:
        return self.hints.get(QUERY)

    @property
    def body(self) -> Any:
        return self.hints.get(BODY)

    @property
    def answer(self) -> Any:
        return self.hints["return"]

    @property
    def takes_json(self) -> bool:
        return self.body is not None and not self.takes


def address(path: str) -> str:
    """Return an address of the API as who asks must write it: a proxy may serve the page below a path of its own."""
    return f"{request.script_root}{ROOT}{path}"
