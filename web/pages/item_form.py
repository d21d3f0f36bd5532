"""The form of a catalogue item: its fields, and the structs of the API that they become."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from msgspec import UNSET

from marketplace.kernel.errors import FieldError, Invalid
from pricing.catalogue.schemas import Classification, ItemChange, ItemView, NewItem
from web.pages.forms import Form

NAMES = {
    "classification.code": "code",
    "classification": "code",
    "category_id": "category",
}
"""Where the form shows an error of the API's path."""
TAKEN = {"sku_taken": "sku", "gtin_taken": "gtin"}
LENGTHS = {
    "name": 300,
    "sku": 100,
    "gtin": 14,
    "description": 10_000,
    "list_version": 20,
    "code": 40,
}
LANGUAGES_MAX = 50

_LANGUAGE = re.compile(r"([a-z]{2,3})\s*[:=]\s*(\S.*)", re.ASCII)
_SCHEME = re.compile(r"[A-Z0-9_-]{1,20}", re.ASCII)


def content_of(item: ItemView) -> dict[str, str]:
    """As the fields show it."""
    coded = item.classification
    return {
        "name": item.name,
        "sku": item.sku,
        "gtin": item.gtin or "",
        "kind": item.kind,
        "description": item.description.strip().replace("\r\n", "\n"),
        "names": "\n".join(f"{language}: {name}" for language, name in sorted(item.names.items())),
        "category": str(item.category_id or ""),
        "scheme": coded.scheme if coded else "",
        "list_version": coded.list_version if coded else "",
        "code": coded.code if coded else "",
    }


EMPTY = {name: "" for name in ("name", "sku", "gtin", "description", "names", "category")} | {
    "kind": "product",
    "scheme": "",
    "list_version": "",
    "code": "",
    "unit": "",
}


def typed_in(form: Form, fields: dict[str, str]) -> dict[str, str]:
    return {name: form.one(name) for name in fields} | {"scheme": form.one("scheme").upper()}


def read_change(
    typed: dict[str, str], present: dict[str, str], _: Callable[[str], str]
) -> ItemChange:
    """What differs from the present content. Raises Invalid."""
    content = _read(typed, _, required=("name", "sku"))
    changed = {name for name, text in typed.items() if text != present[name]}
    if changed & {"scheme", "list_version", "code"}:
        changed.add("classification")
    values = {
        "name": content["name"],
        "sku": content["sku"],
        "gtin": content["gtin"] or None,
        "kind": content["kind"],
        "description": content["description"],
        "names": content["names"],
        "classification": content["classification"],
    }
    given = {name: value for name, value in values.items() if name in changed}
    category = content["category_id"] if "category" in changed else UNSET
    return ItemChange(**given, category_id=category)


def read_new(typed: dict[str, str], _: Callable[[str], str]) -> NewItem:
    """Raises Invalid."""
    content = _read(typed, _, required=("name", "unit"))
    return NewItem(
        name=content["name"],
        unit=typed["unit"],
        sku=content["sku"] or None,
        gtin=content["gtin"] or None,
        names=content["names"],
        description=content["description"],
        kind=content["kind"],
        category_id=content["category_id"],
        classification=content["classification"],
    )


def _read(
    typed: dict[str, str], _: Callable[[str], str], required: tuple[str, ...]
) -> dict[str, Any]:
    errors = [
        FieldError(name, "required", _("This may not be empty."))
        for name in required
        if not typed[name]
    ]
    errors += [
        FieldError(name, "too_long", _("At most %(count)s characters.") % {"count": longest})
        for name, longest in LENGTHS.items()
        if len(typed[name]) > longest
    ]
    if typed["kind"] not in {"product", "service"}:
        errors.append(FieldError("kind", "malformed", _("Choose from the list.")))
    read: dict[str, Any] = {
        **typed,
        "names": _names(typed["names"], errors, _),
        "category_id": _category(typed["category"], errors, _),
        "classification": _classification(typed, errors, _),
    }
    if errors:
        raise Invalid("invalid", "Some fields need another look.", errors=errors)
    return read


def _names(text: str, errors: list[FieldError], _: Callable[[str], str]) -> dict[str, str]:
    """A line for each language: `de: Pumpe`."""
    names: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        found = _LANGUAGE.fullmatch(line)
        if found is None:
            message = _("Write a language and a name in each line, such as “de: Pumpe”.")
            errors.append(FieldError("names", "malformed", message))
            return {}
        names[found[1]] = found[2]
    if len(names) > LANGUAGES_MAX or any(len(name) > LENGTHS["name"] for name in names.values()):
        errors.append(FieldError("names", "too_long", _("This is too long.")))
    return names


def _category(text: str, errors: list[FieldError], _: Callable[[str], str]) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        errors.append(FieldError("category", "malformed", _("Choose from the list.")))
        return None


def _classification(
    typed: dict[str, str], errors: list[FieldError], _: Callable[[str], str]
) -> Classification | None:
    """All three parts or none."""
    scheme, version, code = typed["scheme"], typed["list_version"], typed["code"]
    if not (scheme or version or code):
        return None
    if not (_SCHEME.fullmatch(scheme) and version and code):
        message = _(
            "A classification has a list, its version and a code, such as CPV, 2008, 42122000."
        )
        errors.append(FieldError("code", "required", message))
        return None
    return Classification(scheme=scheme, list_version=version, code=code)
