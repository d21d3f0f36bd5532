"""Unknown query parameters and unexpected bodies of API calls are refused.

A mistyped parameter must never be taken for "not given". Unknown fields inside a body are refused
by its struct (`forbid_unknown_fields`; a test holds it for every body).
"""

from __future__ import annotations

import re
from typing import Any, get_args

import msgspec
from litestar import Litestar, Request
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from litestar.typing import FieldDefinition

from marketplace.kernel.errors import FieldError, Invalid
from marketplace.kernel.times import time_error

API = "/api/v1/"
LIST_PARAMETERS = frozenset(["limit", "cursor", "sort"])
"""Lists that come whole from their handlers take these too: one client loop reads every list."""

_INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)

NAMED_MAX = 10
"""A refusal names so many unknown fields; a longer answer would only echo the caller."""


class Known(msgspec.Struct, frozen=True):
    """What one call takes.

    query     names of its query parameters
    integers  those of them that are whole numbers
    body      whether it reads a body
    """

    query: frozenset[str]
    integers: frozenset[str]
    body: bool


Calls = dict[HTTPRouteHandler, Known]


def known_calls(app: Litestar) -> Calls:
    """What every API call takes, as Litestar itself reads it."""
    calls: Calls = {}
    for route in app.routes:
        if not isinstance(route, HTTPRoute) or not route.path.startswith(API):
            continue
        for handler, model in route.route_handler_map.values():
            query = frozenset(parameter.field_alias for parameter in model.expected_query_params)
            takes_body = "data" in handler.parsed_fn_signature.parameters or "takes" in handler.opt
            if "limit" not in query and row_type(handler) is not None:
                query |= LIST_PARAMETERS
            calls[handler] = Known(query, _integers(handler, model), takes_body)
    return calls


def _integers(handler: HTTPRouteHandler, model: Any) -> frozenset[str]:
    parameters = _parameters(handler)
    return frozenset(
        each.field_alias
        for each in model.expected_query_params
        if each.field_name in parameters and _is_integer(parameters[each.field_name])
    )


def _parameters(handler: HTTPRouteHandler) -> dict[str, FieldDefinition]:
    """The handler's own and those of what it has injected, such as `page`."""
    found: dict[str, FieldDefinition] = {}
    for provided in handler.resolve_dependencies().values():
        found |= provided.parsed_fn_signature.parameters
    return found | handler.parsed_fn_signature.parameters


def _is_integer(parameter: FieldDefinition) -> bool:
    """Also `int | None` and `list[int]`; to Python a truth value is an integer, here it is not."""
    if parameter.is_subclass_of(bool) or parameter.has_inner_subclass_of(bool):
        return False
    return parameter.is_subclass_of(int) or parameter.has_inner_subclass_of(int)


def row_type(handler: HTTPRouteHandler) -> Any:
    """The type of one row where the call answers a list (`items` and `next_cursor`), else None."""
    answer = handler.parsed_fn_signature.return_type.annotation
    if not (isinstance(answer, type) and issubclass(answer, msgspec.Struct)):
        return None
    fields = {field.name: field.type for field in msgspec.structs.fields(answer)}
    if not {"items", "next_cursor"} <= set(fields):
        return None
    return get_args(fields["items"])[0]


async def refuse_unknown(request: Request[Any, Any, Any]) -> None:
    """Raises Invalid (`unknown_field`) that names what the call does not know, and Invalid
    for a whole number with an exponent or other signs, which Litestar takes, and for times.
    """
    known: Known | None = request.app.state.known_calls.get(request.route_handler)
    if known is None:
        return
    unknown = [name for name in request.query_params.keys() if name not in known.query]  # noqa: SIM118  # a MultiDict
    if unknown:
        raise _refusal(unknown, "This call has no such query parameter.", sorted(known.query))
    for name, value in request.query_params.multi_items():
        if name.endswith("_at") and (error := time_error(name, value)):
            raise Invalid(error.code, error.message, errors=[error])
        if name in known.integers and not _INTEGER.fullmatch(value):
            message = "This is a whole number of at most 18 digits, such as 50."
            raise Invalid.field(name, "malformed_number", message)
    if not known.body and (fields := _fields(await request.body())):
        raise _refusal(fields, "This call takes no body.", [])


def _fields(body: bytes) -> list[str]:
    """The names at the top of a JSON body; an empty object says nothing and is let through."""
    if not body.strip():
        return []
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [""]
    if isinstance(content, dict):
        return [str(name) for name in content]
    return [""] if content is not None else []


def _refusal(names: list[str], message: str, takes: list[str]) -> Invalid:
    if takes:
        message += f" It takes: {', '.join(takes)}."
    distinct = list(dict.fromkeys(names))[:NAMED_MAX]
    return Invalid(
        "unknown_field", message, errors=[FieldError(n, "unknown_field", message) for n in distinct]
    )
