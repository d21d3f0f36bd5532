"""The rules of a lot in the OpenAPI document: a schema for each format, told apart by `format`."""

from __future__ import annotations

from typing import Any

from auctions.rules.core.parameters import HYBRID, PHASES_MAX
from auctions.rules.formats import DEFAULT, FORMATS, Format
from auctions.rules.formats.hybrids import HYBRID_SAMPLE
from auctions.rules.parts.documented import CommonRules
from auctions.rules.parts.words import SOURCE
from web.documented import schemas_of

_REF = "#/components/schemas/{}"


def rules_schemas() -> dict[str, Any]:
    """`LotRules` and `DraftRules`, and everything they refer to."""
    structs = {each.documented for each in FORMATS.values()}
    schemas = schemas_of(CommonRules, *structs)
    common, parts = schemas.pop(CommonRules.__name__), {}
    for struct in structs:
        parts[struct] = schemas.pop(struct.__name__)
    for each in FORMATS.values():
        own = parts[each.documented]
        schemas[_name(each.name, "Phase")] = _schema(each.name, own, _says(each), {})
        if each.stands_alone:
            schemas[_name(each.name, "Rules")] = _schema(each.name, own, _says(each), common)
    schemas[_name(HYBRID, "Rules")] = _hybrid(common)
    alone = [each.name for each in FORMATS.values() if each.stands_alone] + [HYBRID]
    schemas["LotRules"] = _one_of(alone, "Rules") | {
        "description": f"How the auction of a lot goes. Without a `format` it is `{DEFAULT.name}`."
    }
    schemas["DraftRules"] = {
        "description": "Rules as they were given: while the tender is a draft some may be missing.",
        "anyOf": [{"$ref": _REF.format("LotRules")}, {"type": "object"}],
    }
    return schemas


def _name(format_: str, kind: str) -> str:
    return "".join(word.capitalize() for word in format_.split("_")) + kind


def _says(format_: Format) -> str:
    return format_.gist(SOURCE)


def _schema(
    name: str, own: dict[str, Any], description: str, common: dict[str, Any]
) -> dict[str, Any]:
    """The fields of a format, with those that every auction has or with none of them."""
    word = {"type": "string", "const": name, "description": "Which format it is."}
    required = [*own.get("required", ()), *common.get("required", ())]
    if not (common and name == DEFAULT.name):
        required.append("format")
    return {
        "title": _name(name, "Rules" if common else "Phase"),
        "type": "object",
        "description": f"{description}.",
        "properties": {"format": word} | own["properties"] | common.get("properties", {}),
        "required": sorted(required),
    }


def _hybrid(common: dict[str, Any]) -> dict[str, Any]:
    phases = {
        "type": "array",
        "minItems": 2,
        "maxItems": PHASES_MAX,
        "items": _one_of(list(FORMATS), "Phase"),
        "description": "Formats one after the other; each takes the bids of the one before it on.",
        "examples": [HYBRID_SAMPLE["phases"]],
    }
    own = {"properties": {"phases": phases}, "required": ["phases"]}
    return _schema(HYBRID, own, "A hybrid: several formats, one after the other", common)


def _one_of(names: list[str], kind: str) -> dict[str, Any]:
    references = {name: _REF.format(_name(name, kind)) for name in names}
    return {
        "oneOf": [{"$ref": reference} for reference in references.values()],
        "discriminator": {"propertyName": "format", "mapping": references},
    }
