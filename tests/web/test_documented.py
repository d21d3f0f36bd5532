"""The API document explains itself: every field says what it means, with an example that is valid,
and every operation says what it does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from litestar.openapi.spec import Schema
from msgspec import Meta

from marketplace.exchange.catalogue import EVENTS
from marketplace.kernel.settings import Settings
from web.app import create_app
from web.documented import DocumentedStructs, glossary, lines_of, parsed, schemas_of
from web.openapi import complete

ADDED = ("marketplace.exchange.payloads", "auctions.rules")

Word = Annotated[str, Meta(description="A word.", examples=["a"])]

_SIMPLE = {"string", "integer", "number", "object"}
"""What may hold anything, so that an example says more than the type."""


class Built(msgspec.Struct, frozen=True):
    """The document, and the structs in it with their schemas."""

    document: dict[str, Any]
    structs: dict[type, dict[str, Any]]


@pytest.fixture(scope="module")
def built() -> Built:
    seen: dict[type, Schema] = {}
    make = DocumentedStructs.to_openapi_schema

    def remember(self: DocumentedStructs, field_definition: Any, schema_creator: Any) -> Schema:
        schema = make(self, field_definition, schema_creator)
        seen[field_definition.annotation] = schema
        return schema

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DocumentedStructs, "to_openapi_schema", remember)
        settings = Settings(database_url="postgresql://x/x", redis_url="redis://x", secret="s" * 40)
        app = create_app(settings).litestar
        document = complete(app, app.openapi_schema.to_schema())
        document = msgspec.json.decode(msgspec.json.encode(document))
    return Built(document, {struct: schema.to_schema() for struct, schema in seen.items()})


def bare(schema: dict[str, Any]) -> list[str]:
    """Properties that nothing is said of, or that need an example and have none."""
    found = []
    for name, property_ in schema.get("properties", {}).items():
        if not property_.get("description"):
            found.append(f"{name}: no description")
        if needs_example(property_) and not has_example(property_):
            found.append(f"{name}: no example")
    return found


def alternatives(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for word in ("oneOf", "anyOf", "allOf"):
        for each in schema.get(word, ()):
            yield from alternatives(each)


def is_simple(kind: str | list[str] | None) -> bool:
    return bool(_SIMPLE.intersection([kind] if isinstance(kind, str) else kind or ()))


def needs_example(schema: dict[str, Any]) -> bool:
    for each in alternatives(schema):
        if each.get("type") == "array" and needs_example(each.get("items", {})):
            return True
        if is_simple(each.get("type")) and not {"enum", "const", "$ref"} & each.keys():
            return "$ref" not in each.get("additionalProperties", {})
    return False


def has_example(schema: dict[str, Any]) -> bool:
    return any(
        each.get("examples") or ("items" in each and has_example(each["items"]))
        for each in alternatives(schema)
    )


def test_every_property_is_described_and_has_an_example(built: Built) -> None:
    found = [
        f"{struct.__module__}.{struct.__qualname__}.{each}"
        for struct, schema in built.structs.items()
        for each in bare(schema)
    ]
    assert found == [], "give it a line in the docstring of its struct, or a type that says it"


def test_every_parameter_is_described(built: Built) -> None:
    found = [
        f"{path} {parameter['name']}"
        for path, item in built.document["paths"].items()
        for operation in item.values()
        for parameter in operation.get("parameters", ())
        if not parameter.get("description")
    ]
    assert found == [], "give it a line in the docstring of its handler, or in web/glossary.txt"


def test_every_line_names_a_field(built: Built) -> None:
    for struct in built.structs:
        named = parsed(struct.__dict__.get("__doc__") or "")[1].keys()
        assert named <= {field.name for field in msgspec.structs.fields(struct)}, struct


def test_the_glossary_explains_what_the_document_names(built: Built) -> None:
    names = {name for schema in built.structs.values() for name in schema.get("properties", ())}
    for item in built.document["paths"].values():
        for operation in item.values():
            for each in operation.get("parameters", ()):
                names.add(f"?{each['name']}" if each["in"] == "query" else each["name"])
    assert glossary().keys() <= names


def test_examples_are_what_their_schemas_allow(built: Built) -> None:
    components = built.document["components"]
    wrong = []
    for name, schema in components["schemas"].items():
        for field, property_ in schema.get("properties", {}).items():
            check = Draft202012Validator(
                property_ | {"components": components}, format_checker=FormatChecker()
            )
            wrong += [
                f"{name}.{field}: {error.message}"
                for example in property_.get("examples", ())
                for error in check.iter_errors(example)
            ]
    assert wrong == []


def test_every_event_is_a_webhook_with_its_data(built: Built) -> None:
    schemas, found = built.document["components"]["schemas"], built.document["webhooks"]
    assert found.keys() == EVENTS.keys()
    for name, item in found.items():
        message = item["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert message["properties"]["type"]["const"] == name
        data = schemas[message["properties"]["data"]["$ref"].rpartition("/")[2]]
        assert data["properties"].keys() == set(EVENTS[name].data.__struct_fields__)
        assert bare(data) == []


def test_no_schema_takes_the_place_of_another(built: Built) -> None:
    """Those of events and rules are added beside the ones that Litestar has made unique."""
    added = {each.__name__ for each in built.structs if each.__module__.startswith(ADDED)}
    others = {each.__name__ for each in built.structs if not each.__module__.startswith(ADDED)}
    assert added & others == set()


def test_every_operation_has_a_summary_in_words_of_its_own(built: Built) -> None:
    summaries = [
        operation["summary"]
        for item in built.document["paths"].values()
        for operation in item.values()
    ]
    assert sorted({each for each in summaries if " " not in each}) == []
    assert sorted({each for each in summaries if summaries.count(each) > 1}) == []


class Planted(msgspec.Struct):
    """Somebody was in a hurry.

    described  what it means, e.g. `x`
    alone      what it means
    """

    described: str
    alone: str
    nothing: int
    created_at: str


class Base(msgspec.Struct):
    """The base.

    name  what people call it, e.g. `Ada`
    """

    name: str


class Bid(Base):
    """What a bidder sends. It counts
    once.

    price  for the lot; null takes
           it back
    steps  of each round, e.g. `[1, 2]`
    """

    price: str | None
    steps: list[int] = []


class Two(msgspec.Struct):
    """Two of them.

    second  the better one, e.g. `b`
    """

    first: Word
    second: Word


def test_a_bare_field_is_found() -> None:
    assert bare(schemas_of(Planted)["Planted"]) == [
        "alone: no example",
        "nothing: no description",
        "nothing: no example",
        "created_at: no example",
    ]


def test_a_docstring_is_read_as_prose_and_lines() -> None:
    prose, _ = parsed(Bid.__doc__ or "")
    assert prose == "What a bidder sends. It counts once."
    assert {name: each.description for name, each in lines_of(Bid).items()} == {
        "name": "What people call it.",
        "price": "For the lot; null takes it back.",
        "steps": "Of each round.",
    }
    properties = schemas_of(Bid)["Bid"]["properties"]
    assert properties["name"]["examples"] == ["Ada"]
    assert properties["steps"]["examples"] == [[1, 2]]


def test_what_a_type_says_gives_way_to_what_its_field_says() -> None:
    properties = json.loads(json.dumps(schemas_of(Two)["Two"]["properties"]))
    assert [(each["description"], each["examples"]) for each in properties.values()] == [
        ("A word.", ["a"]),
        ("The better one.", ["b"]),
    ]
