"""The OpenAPI document and its page."""

from __future__ import annotations

import json
import re

import httpx


async def test_every_operation_documents_its_problem_answers(client: httpx.AsyncClient) -> None:
    answer = await client.get("/schema/openapi.json")
    assert answer.status_code == 200
    document = answer.json()
    register = document["paths"]["/api/v1/registrations"]["post"]
    assert {"201", "400", "409", "413", "422", "429"} <= register["responses"].keys()
    assert register["security"] == []
    problem = register["responses"]["409"]["content"]["application/problem+json"]["schema"]
    assert problem == {"$ref": "#/components/schemas/ProblemDocument"}
    me = document["paths"]["/api/v1/me"]["get"]
    assert {"200", "401", "403"} <= me["responses"].keys()
    assert me["security"] == [{"session": []}, {"api_key": []}]


async def test_the_schema_has_a_page_for_people_without_any_script(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/schema")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "/api/v1/registrations" in answer.text
    assert "<script" not in answer.text
    assert "Register an organisation" in answer.text
    assert "id: string (uuid)  # A UUIDv7: of two, the greater one was made later." in answer.text
    assert "An order was placed" in answer.text
    assert (await client.get("/schema/style.css")).headers["content-type"].startswith("text/css")


async def test_schemas_and_tags_are_named_for_readers(client: httpx.AsyncClient) -> None:
    document = (await client.get("/schema/openapi.json")).json()
    schemas = document["components"]["schemas"]
    assert [name for name in schemas if "_" in name] == []
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert references <= schemas.keys()
    described = {tag["name"] for tag in document["tags"] if tag["description"]}
    operations = [each for item in document["paths"].values() for each in item.values()]
    assert {tag for each in operations for tag in each["tags"]} <= described
