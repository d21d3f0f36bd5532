"""Every refusal is a problem document with a stable code; nothing inner leaks."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from tests.people import NewPerson, registration

JSON = {"Content-Type": "application/json"}


def assert_problem(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status
    assert document["code"] == code
    assert {"type", "title", "detail"} <= document.keys()


async def test_an_unknown_address_is_a_problem(client: httpx.AsyncClient) -> None:
    assert_problem(await client.get("/api/v1/nothing/here"), 404, "not_found")


async def test_a_wrong_method_names_the_right_ones(client: httpx.AsyncClient) -> None:
    answer = await client.put("/api/v1/registrations")
    assert_problem(answer, 405, "method_not_allowed")
    assert "POST" in answer.headers["allow"]


@pytest.mark.parametrize("body", ["{", "", "\x00", '{"organisation": '])
async def test_a_body_that_is_no_json_is_malformed(client: httpx.AsyncClient, body: str) -> None:
    answer = await client.post("/api/v1/registrations", content=body, headers=JSON)
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_wrong_type_is_named_by_its_path(client: httpx.AsyncClient) -> None:
    body = registration("Typed", ["buys"])
    body["organisation"]["capabilities"] = ["buys", 7]
    answer = await client.post("/api/v1/registrations", json=body)
    assert_problem(answer, 422, "invalid")
    error = answer.json()["errors"][0]
    assert (error["field"], error["code"]) == ("organisation.capabilities[1]", "wrong_type")


async def test_a_missing_field_is_named_by_its_path(client: httpx.AsyncClient) -> None:
    body = registration("Incomplete", ["buys"])
    del body["user"]["email"]
    answer = await client.post("/api/v1/registrations", json=body)
    assert_problem(answer, 422, "invalid")
    error = answer.json()["errors"][0]
    assert (error["field"], error["code"]) == ("user.email", "required")


async def test_a_wrong_query_parameter_is_named(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    answer = await buyer.client.get("/api/v1/organisations", params={"limit": "many"})
    assert_problem(answer, 422, "malformed_number")
    assert answer.json()["errors"][0]["field"] == "limit"
    answer = await buyer.client.get("/api/v1/organisations", params={"limit": "0"})
    assert_problem(answer, 422, "out_of_range")


async def test_an_id_that_is_none_does_not_exist(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    assert_problem(await buyer.client.get("/api/v1/organisations/none"), 404, "not_found")
    assert_problem(await buyer.client.get(f"/api/v1/organisations/{uuid4()}"), 404, "not_found")


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_one_mebibyte_is_too_large(
    client: httpx.AsyncClient, chunked: bool
) -> None:
    body = b'{"x": "' + b"a" * (1 << 20) + b'"}'

    async def pieces() -> object:
        yield body

    content = pieces() if chunked else body
    answer = await client.post("/api/v1/registrations", content=content, headers=JSON)  # type: ignore[arg-type]
    assert_problem(answer, 413, "too_large")


async def test_nul_characters_are_refused_by_name(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/registrations", json=registration("a\0b", ["buys"]))
    assert_problem(answer, 422, "invalid")
    assert answer.json()["errors"][0]["field"] == "organisation.name"


@pytest.mark.parametrize(
    ("email", "status", "code"),
    [
        ("a\\u0000@example.com", 422, "unstorable_text"),
        ("\\ud800@example.com", 400, "malformed"),
        ("x" * 100_000, 401, "wrong_credentials"),
    ],
)
async def test_a_login_with_impossible_values_is_a_plain_refusal(
    client: httpx.AsyncClient, email: str, status: int, code: str
) -> None:
    body = f'{{"email": "{email}", "password": "{"p" * 10_000}"}}'
    answer = await client.post("/api/v1/sessions", content=body, headers=JSON)
    assert_problem(answer, status, code)
