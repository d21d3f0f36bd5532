"""What the OpenAPI document promises is what programs get: schemathesis makes up requests for every
operation; no answer may be a failure of ours, and none undocumented in status, media type or shape.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.conftest import Marketplace
from tests.people import Person, log_in
from tests.security.routes import WORDS
from tests.security.world import Dealing, new_dealing

pytestmark = pytest.mark.xdist_group("document")

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = {"buyer": 3, "supplier": 2, "operator": 2}
"""Requests made up for each operation, by who sends them."""

OF_ALL_TESTS = frozenset(["exchange_rates", "classifications", "units", "payout_runs", "act_runs"])
"""What the operator writes for the whole marketplace stays as the other tests need it."""

_LAST = ("delete", "suspend", "roles", "password", "cancel", "totp")
"""What ends things comes when the rest was asked."""

_QUIET = settings(
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
async def dealing(own_marketplace: Marketplace) -> Dealing:
    at = own_marketplace
    return await new_dealing(at.new_buyer, at.new_supplier, at.connect, at.database, at.operator)


@pytest.fixture(scope="module")
async def another_login(own_marketplace: Marketplace) -> Person:
    """The operator once more: a session that may be ended here."""
    operator = own_marketplace.operator
    again = Person(
        client=own_marketplace.connect(),
        organisation_id=operator.organisation_id,
        user_id=operator.user_id,
        email=operator.email,
        name=operator.name,
    )
    await log_in(again)
    return again


@pytest.fixture(scope="module")
async def document(own_marketplace: Marketplace) -> dict[str, Any]:
    """Without its logins, which schemathesis would make up too."""
    answer = await own_marketplace.connect().get("/schema/openapi.json")
    found: dict[str, Any] = json.loads(answer.content)
    del found["components"]["securitySchemes"]
    for item in found["paths"].values():
        for operation in item.values():
            operation.pop("security", None)
    return found


@pytest.mark.parametrize("role", EXAMPLES)
async def test_answers_are_as_documented(
    role: str,
    dealing: Dealing,
    another_login: Person,
    document: dict[str, Any],
    own_marketplace: Marketplace,
) -> None:
    people = {"buyer": dealing.buyer, "supplier": dealing.supplier, "operator": another_login}
    asking = Asking(own_marketplace.url, people[role], dealing.ids)
    wrong: list[str] = []
    for operation in ordered(document):
        if role != "operator" or not shared(operation):
            wrong += await asyncio.to_thread(asking.ask, operation, EXAMPLES[role])
    assert wrong == [], "\n\n".join([f"{len(wrong)} undocumented answers", *wrong[:40]])


def ordered(document: dict[str, Any]) -> list[Any]:
    schema = schemathesis.openapi.from_dict(document)
    found = [each.ok() for each in schema.get_all_operations()]
    return sorted(found, key=lambda each: (rank(each), each.path, each.method))


def rank(operation: Any) -> int:
    label = operation.label.lower()
    if "sessions/current" in label:
        return 3
    if any(word in label for word in _LAST):
        return 2
    return 0 if operation.method == "get" else 1


def shared(operation: Any) -> bool:
    return operation.method != "get" and any(word in operation.path for word in OF_ALL_TESTS)


class Asking:
    """Somebody who is logged in and sends what schemathesis makes up."""

    def __init__(self, url: str, person: Person, ids: dict[str, str]) -> None:
        self._url = url
        self._ids = ids
        self._session = requests.Session()
        self._headers = {
            "Origin": url,
            "X-CSRF-Token": person.client.headers["X-CSRF-Token"],
            "Cookie": person.cookie_header(),
        }

    def ask(self, operation: Any, examples: int) -> list[str]:
        """What was wrong with the answers."""
        wrong: list[str] = []

        @settings(_QUIET, max_examples=examples)
        @given(case=st.one_of(*self._strategies(operation)))
        def send(case: Any) -> None:
            answer = case.call(
                base_url=self._url, session=self._session, headers=self._headers, timeout=20
            )
            try:
                case.validate_response(answer, checks=CHECKS)
            except* AssertionError as group:
                wrong.extend(f"{operation.label}: {told(each)}" for each in group.exceptions)

        try:
            send()
        except Unsatisfiable:
            return wrong
        return list(dict.fromkeys(wrong))

    def _strategies(self, operation: Any) -> Iterator[Any]:
        """Objects that exist, and anything at all."""
        known = {
            each.name: value
            for each in operation.path_parameters
            if (value := self._known(operation.path, each.name))
        }
        yield operation.as_strategy(GenerationMode.POSITIVE, path_parameters=known or None)
        yield operation.as_strategy(GenerationMode.NEGATIVE)

    def _known(self, path: str, param: str) -> str | None:
        area = path.removeprefix("/api/v1/").partition("/")[0]
        for begin, words in WORDS.items():
            prefix, _, name = begin.rpartition(" ")
            if name == param and path.startswith(prefix):
                return words[0]
        return self._ids.get(param) or self._ids.get(f"{area}.{param}")


def told(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return " | ".join(told(each) for each in error.exceptions)
    return " ".join(str(error).split())[:600]
