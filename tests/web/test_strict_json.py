"""Bodies with two meanings or without an end, and faults of ours that nobody would hear of."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.exceptions import InternalServerException
from structlog.testing import capture_logs

from marketplace.kernel.strict_json import DEPTH_MAX, is_too_deep, repeated_key
from tests.people import PASSWORD, NewPerson, Person
from web.app import Application
from web.problems import render
from web.wiring import DEPENDENCIES

JSON = {"Content-Type": "application/json"}
LOGIN = f'"email": "a@example.com", "password": "{PASSWORD}"'


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
        f'{{{LOGIN}, "totp": ' + '{"a":' * 200 + "1" + "}" * 201,
        '{"a":' * (DEPTH_MAX + 1) + "1" + "}" * (DEPTH_MAX + 1),
    ],
)
async def test_json_nested_too_deep_is_malformed(client: httpx.AsyncClient, body: str) -> None:
    answer = await client.post("/api/v1/sessions", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "json_too_deep")


async def test_a_deep_body_where_none_belongs_is_refused(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    deep = "[" * 5_000
    answer = await buyer.client.request("GET", "/api/v1/me", content=deep, headers=JSON)
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (f'{{{LOGIN}, "email": "b@example.com"}}', "email"),
        (f'{{{LOGIN}, "\\u0065mail": "b@example.com"}}', "email"),
        (f'{{{LOGIN}, "totp": {{"x": 1, "x": 1}}}}', "x"),
        (f'{{{LOGIN}, "totp": [{{"y": {{}}, "y": []}}]}}', "y"),
    ],
)
async def test_a_repeated_key_is_malformed(client: httpx.AsyncClient, body: str, key: str) -> None:
    answer = await client.post("/api/v1/sessions", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "repeated_key")
    assert answer.json()["errors"][0]["field"] == key


@pytest.mark.parametrize("body", ["NaN", "{", "\ufeff{}", "1e999", "9" * 5_000, "\ud800", '{"a":}'])
async def test_what_is_no_json_is_still_no_json(client: httpx.AsyncClient, body: str) -> None:
    raw = body.encode("utf-8", "surrogatepass")
    answer = await client.post("/api/v1/sessions", content=raw, headers=JSON)
    assert answer.status_code in {400, 422}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='{}[]",:\\é'),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet='ab{["\\'), inner),
    max_leaves=20,
)


@given(VALUES)
def test_honest_json_passes_both_looks(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False).encode()
    assert repeated_key(text) is None
    assert is_too_deep(text) is (_depth(value) > DEPTH_MAX)


@given(st.integers(DEPTH_MAX - 3, DEPTH_MAX + 3), st.text(alphabet='{}[]",\\'))
def test_the_depth_is_counted_outside_of_texts_only(depth: int, text: str) -> None:
    nested: Any = text
    for _ in range(depth):
        nested = {text: nested, "z": text}
    assert is_too_deep(json.dumps(nested).encode()) is (depth > DEPTH_MAX)


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


@pytest.mark.parametrize("value", [{}, [], 7, True, {"totp": {}}])
async def test_a_field_that_is_named_like_a_part_of_ours_is_the_senders_mistake(
    client: httpx.AsyncClient, value: Any
) -> None:
    """The handler takes a part named `totp` too, and Litestar blamed that one: 500, no log line."""
    login = {"email": "a@example.com", "password": PASSWORD, "totp": value}
    answer = await client.post("/api/v1/sessions", json=login)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), answer.text
    assert answer.json()["errors"][0]["field"].startswith("totp")


async def test_no_field_of_any_body_can_be_taken_for_a_part_of_ours(
    client: httpx.AsyncClient, operator: Person, new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    document = (await client.get("/schema/openapi.json")).json()
    found = [
        (method, path, name)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        for name in _fields(document, operation) & DEPENDENCIES.keys()
    ]
    assert ("post", "/api/v1/sessions", "totp") in found
    people = [await new_buyer(), await new_supplier(), operator]
    for method, path, name in found:
        for person in people:
            url = path.replace("{", "").replace("}", "")
            answer = await person.client.request(method, url, json={name: {"wrong": [{}]}})
            assert answer.status_code < 500, (method, path, name, answer.text)


def _fields(document: dict[str, Any], operation: dict[str, Any]) -> set[str]:
    """Names of the fields of a JSON body, at its first level."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema, names = content.get("schema", {}), set[str]()
    for each in [schema, *schema.get("oneOf", []), *schema.get("anyOf", [])]:
        if reference := each.get("$ref"):
            each = document["components"]["schemas"][reference.rpartition("/")[2]]
        names |= set(each.get("properties", {}))
    return names


@pytest.mark.parametrize(
    "error",
    [
        InternalServerException(),
        InternalServerException("of a library"),
        KeyError("x"),
        RecursionError(),
    ],
)
def test_no_500_without_a_log_line(error: Exception) -> None:
    with capture_logs() as logged:
        rendered = render(error)
    assert rendered.document.status == 500
    assert [entry["event"] for entry in logged] == ["request_failed"]


def test_a_dependency_of_the_wrong_type_stays_a_fault_of_ours() -> None:
    error = InternalServerException()
    error.__cause__ = msgspec.ValidationError("Expected `Totp`, got `str` - at `$.totp`")
    with capture_logs() as logged:
        assert render(error).document.status == 500
    assert logged


async def test_a_body_that_breaks_off_is_the_senders_mistake(
    app: Application, live_server: str
) -> None:
    port = int(live_server.rpartition(":")[2])
    with capture_logs() as logged:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST /api/v1/registrations HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n"
            b"Content-Type: application/json\r\n\r\n{"
        )
        await writer.drain()
        writer.close()
        async with asyncio.timeout(10), httpx.AsyncClient(base_url=live_server) as client:
            while not any(entry["event"] == "request" for entry in logged if "400" in repr(entry)):
                await client.get("/healthz")
    assert not any(entry["log_level"] == "error" for entry in logged), logged
