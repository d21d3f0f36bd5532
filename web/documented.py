"""What structs say about their fields, as descriptions and examples of the OpenAPI document.

The docstring of a struct says what it is; a field whose type does not explain it has a line there:

    cid    the sender's own name for the bid, e.g. `b-17`
    price  for the whole lot, in its currency; null takes the bid of this turn back
           (what goes on is indented)

A field without a line is what `web/glossary.txt` says of its name: those mean the same everywhere.
`Annotated[…, Meta(description=…, examples=[…])]` says the same of a type that recurs.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

# Litestar has no public base that knows structs.
from litestar._openapi.schema_generation.plugins.struct import StructSchemaPlugin
from litestar._openapi.schema_generation.schema import SchemaCreator
from litestar.openapi.spec import Reference, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.plugins.core._msgspec import kwarg_definition_from_field
from litestar.typing import FieldDefinition

GLOSSARY = Path(__file__).with_name("glossary.txt")
_LINE = re.compile(r"(\??\w+) {2,}(\S.*)", re.ASCII)
_EXAMPLE = re.compile(r"(.+?)[,;:]? e\.g\. `([^`]+)`", re.DOTALL)
BY_FORMAT: dict[str, Any] = {
    "uuid": "0198c3f2-5a1e-7d3b-9c42-1f0e6a7b8c9d",
    "date-time": "2026-12-01T10:00:00.000000Z",
    "date": "2026-12-01",
}
"""Examples of what is written the same way everywhere."""


class Line(NamedTuple):
    """A field's description, and its example as it is written there."""

    description: str
    example: str | None


def parsed(text: str) -> tuple[str, dict[str, Line]]:
    """The prose of a docstring as one paragraph, and its lines by the field's name."""
    prose: list[str] = []
    fields: dict[str, list[str]] = {}
    name: str | None = None
    for line in inspect.cleandoc(text).splitlines():
        if match := _LINE.fullmatch(line):
            name = match[1]
            fields[name] = [match[2]]
        elif name is not None and line.startswith(" "):
            fields[name].append(line.strip())
        else:
            name = None
            prose.append(line.strip())
    return " ".join(filter(None, prose)), {name: _line(*said) for name, said in fields.items()}


def _line(*parts: str) -> Line:
    text = " ".join(parts)
    example = None
    if match := _EXAMPLE.fullmatch(text):
        text, example = match[1], match[2]
    return Line(_sentence(text), example)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")


@cache
def glossary() -> dict[str, Line]:
    return parsed(GLOSSARY.read_text())[1]


def lines_of(struct: type) -> dict[str, Line]:
    """The lines of its docstring and of those it inherits fields from, by the field's name."""
    found: dict[str, Line] = {}
    for each in reversed(struct.__mro__):
        found |= parsed(each.__dict__.get("__doc__") or "")[1]
    return found


def schemas_of(*structs: type[msgspec.Struct]) -> dict[str, Any]:
    """The schemas of structs that no handler names, and of all they refer to."""
    creator = SchemaCreator(plugins=[DocumentedStructs()])
    for struct in structs:
        creator.for_field_definition(FieldDefinition.from_annotation(struct))
    components = creator.schema_registry.generate_components_schemas()
    return {name: schema.to_schema() for name, schema in components.items()}


class DocumentedStructs(StructSchemaPlugin):
    """Litestar's schemas of structs, with what their docstrings say."""

    def to_openapi_schema(
        self, field_definition: FieldDefinition, schema_creator: SchemaCreator
    ) -> Schema:
        schema = super().to_openapi_schema(field_definition, schema_creator)
        struct: Any = field_definition.annotation
        prose, _ = parsed(struct.__dict__.get("__doc__") or "")
        if prose:
            schema.description = prose
        assert schema.properties is not None, "a struct has properties, if only none"
        lines, words = lines_of(struct), glossary()
        for field in msgspec.inspect.type_info(struct).fields:  # type: ignore[attr-defined]
            _, extra = kwarg_definition_from_field(field)
            if component := extra.get("component"):
                schema.properties[field.encode_name] = _component(
                    component, optional=not field.required
                )
            document(
                schema.properties[field.encode_name],
                lines.get(field.name),
                words.get(field.name),
            )
        return schema


def _component(name: str, *, optional: bool) -> Schema:
    """A schema that is made elsewhere."""
    reference = Reference(f"#/components/schemas/{name}")
    return Schema(any_of=[reference, Schema(type=OpenAPIType.NULL)] if optional else [reference])


def document(schema: Schema | Reference, line: Line | None, word: Line | None) -> None:
    """Add what is known of a field: what its struct says goes before what its type says, and that
    before the glossary.
    """
    if line is not None:
        schema.description = line.description
    elif schema.description is None and word is not None:
        schema.description = word.description
    if isinstance(schema, Reference):
        return
    if line is not None and line.example is not None:
        schema.examples = [_value(schema, line.example)]
    if schema.examples:
        return
    if word is not None and word.example is not None and _is_plain(schema):
        schema.examples = [_value(schema, word.example)]
    elif (example := _typical(schema)) is not None:
        schema.examples = [example]


def _value(schema: Schema, text: str) -> Any:
    """Texts stand there as they are, all else as JSON."""
    if any(each.type == "string" for each in _alternatives(schema)):
        return text
    return msgspec.json.decode(text)


def _is_plain(schema: Schema) -> bool:
    """Whether it holds more than references, which bring examples of their own."""
    return any(each.type not in (None, "null") for each in _alternatives(schema))


def _typical(schema: Schema) -> Any:
    """An example by the format, alone or in a list."""
    for each in _alternatives(schema):
        if each.format in BY_FORMAT:
            return BY_FORMAT[each.format]
        if isinstance(each.items, Schema) and (inner := _typical(each.items)) is not None:
            return [inner]
    return None


def _alternatives(schema: Schema) -> Iterator[Schema]:
    yield schema
    for each in [*(schema.one_of or ()), *(schema.any_of or ()), *(schema.all_of or ())]:
        if isinstance(each, Schema):
            yield from _alternatives(each)
