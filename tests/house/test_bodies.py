"""Every struct of a request's body refuses fields that it does not know, at any depth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest
from litestar.routes import HTTPRoute

from marketplace.kernel.settings import Settings
from web.app import create_app
from web.strict import API


def structs_in(kind: Any, seen: set[type]) -> Iterator[type[msgspec.Struct]]:
    for part in get_args(kind):
        yield from structs_in(part, seen)
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)) or kind in seen:
        return
    seen.add(kind)
    yield kind
    for field in msgspec.structs.fields(kind):
        yield from structs_in(field.type, seen)


@pytest.fixture(scope="module")
def bodies(settings: Settings) -> set[type]:
    seen: set[type] = set()
    for route in create_app(settings).litestar.routes:
        if not isinstance(route, HTTPRoute) or not route.path.startswith(API):
            continue
        for handler, _ in route.route_handler_map.values():
            if data := handler.parsed_fn_signature.parameters.get("data"):
                list(structs_in(data.annotation, seen))
    return seen


def test_every_body_refuses_unknown_fields(bodies: set[type]) -> None:
    assert len(bodies) > 50
    lenient = [
        f"{body.__module__}.{body.__qualname__}"
        for body in bodies
        if not body.__struct_config__.forbid_unknown_fields  # type: ignore[attr-defined]
    ]
    # An OCDS document is somebody else's: its extensions are not our fields.
    own = [name for name in lenient if not name.startswith("auctions.tenders.ocds.")]
    assert "\n".join(sorted(own)) == ""
