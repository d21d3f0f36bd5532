"""What every list of the API can do: `limit`, `cursor` and `sort`, and all its rows as CSV.

Lists that may be long are paged by their own queries (`marketplace.kernel.pages`). Short ones come
whole from their handlers and are cut and sorted here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from decimal import Decimal
from typing import Annotated, Any, get_args, get_origin

import msgspec
from litestar import Litestar, Request, Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter
from litestar.response import Stream
from litestar.routes import HTTPRoute

from marketplace.kernel import pages
from marketplace.kernel.spreadsheets import harmless
from web import inner
from web.strict import API, LIST_PARAMETERS, row_type

CSV = "text/csv"
Limit = Annotated[int, QueryParameter(schema_extra={"minimum": 1, "maximum": pages.PAGE_MAX})]
_MANY = frozenset([list, tuple, set, frozenset, dict, Any])
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
_LIMIT_DIGITS_MAX = 6
"""Enough for zeros in front; int() of thousands of digits is an error of its own."""


class List(msgspec.Struct, frozen=True):
    """One list of the API.

    paged    its own query takes `limit`, `cursor` and `sort`
    columns  of the CSV: paths of fields, such as `total.amount`
    sorts    names it can be sorted by; its handler's `opt` says them where it is paged
    default  how it is sorted unless asked otherwise; None: as its handler answers
    """

    paged: bool
    columns: tuple[str, ...]
    sorts: tuple[str, ...]
    default: str | None


Lists = dict[HTTPRouteHandler, List]


async def provide_page(
    request: Request[Any, Any, Any],
    limit: Limit = pages.PAGE_DEFAULT,
    cursor: str | None = None,
    sort: str | None = None,
) -> pages.Page:
    """Dependency `page` of a handler whose `opt` has `sorted_by(...)`. Raises Invalid."""
    sorting = request.route_handler.opt["sorting"]
    assert isinstance(sorting, pages.Sorting)
    return sorting.page(limit, cursor, sort)


def lists_of(app: Litestar) -> Lists:
    """Every GET that answers a struct with `items` and `next_cursor`."""
    found: Lists = {}
    for route in app.routes:
        if not isinstance(route, HTTPRoute) or not route.path.startswith(API):
            continue
        if "GET" not in route.route_handler_map:
            continue
        handler, model = route.route_handler_map["GET"]
        row = row_type(handler)
        if row is None:
            continue
        sorting: pages.Sorting | None = handler.opt.get("sorting")
        paged = any(each.field_alias == "limit" for each in model.expected_query_params)
        names = () if paged else tuple(_sorts(row))
        default = None
        if sorting is not None:
            names, default = sorting.names, sorting.default
        found[handler] = List(paged, tuple(_columns(row)), names, default)
    return found


def _columns(row: Any, prefix: str = "") -> Iterator[str]:
    """A struct inside a row gives a column for each of its fields; anything else is one column."""
    if not hasattr(row, "__struct_fields__"):
        yield prefix.removesuffix(".") or "value"
        return
    for field in msgspec.structs.fields(row):
        inside = [kind for kind in (field.type, *get_args(field.type)) if _is_struct(kind)]
        whole = field.type in inside or type(None) in get_args(field.type)
        if len(inside) == 1 and whole:
            yield from _columns(inside[0], f"{prefix}{field.encode_name}.")
        else:
            yield prefix + field.encode_name


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _sorts(row: Any) -> Iterator[str]:
    """Fields with one value each."""
    if not _is_struct(row):
        return
    for field in msgspec.structs.fields(row):
        kinds = {get_origin(kind) or kind for kind in (field.type, *get_args(field.type))}
        if kinds.isdisjoint(_MANY) and not any(_is_struct(kind) for kind in kinds):
            yield field.encode_name


async def answer(request: Request[Any, Any, Any]) -> Response[Any] | Stream | None:
    """The answer to a list as CSV, or to a short list with paging; None for any other call."""
    asked: List | None = request.app.state.lists.get(request.route_handler)
    if asked is None or request.method != "GET":
        return None
    query = [(name, value) for name, value in request.query_params.multi_items()]
    if _wants_csv(request):
        return await _csv(request, asked, query)
    if not asked.paged and not LIST_PARAMETERS.isdisjoint(name for name, _ in query):
        return await _part(request, asked, query)
    return None


def _wants_csv(request: Request[Any, Any, Any]) -> bool:
    """Whether CSV is what the caller asks for first."""
    first = request.headers.get("accept", "").split(",")[0]
    return first.split(";")[0].strip().lower() == CSV


async def _csv(
    request: Request[Any, Any, Any], asked: List, query: list[tuple[str, str]]
) -> Response[Any] | Stream:
    """All rows from `cursor` on, a page at a time. A refusal of the first page is the answer."""
    _limit(dict(query).get("limit"))
    query = [(name, value) for name, value in query if name != "limit"]
    query.append(("limit", str(pages.PAGE_MAX)))
    first = await inner.get(request.app.state.whole, request, query)
    if first.status != 200:
        media_type = first.headers.get(b"content-type", b"").decode()
        return Response(first.body, status_code=first.status, media_type=media_type)
    name = request.url.path.removeprefix(API).strip("/").split("/")[-1]
    headers = {
        # As a header, because Litestar prefers the handler's media type to a stream's own.
        "content-type": "text/csv; charset=utf-8",
        "content-disposition": f'attachment; filename="{name}.csv"',
    }
    return Stream(_csv_rows(request, asked, query, first.body), headers=headers)


async def _csv_rows(
    request: Request[Any, Any, Any], asked: List, query: list[tuple[str, str]], body: bytes
) -> AsyncIterator[bytes]:
    yield _csv_lines([asked.columns])
    while True:
        page = msgspec.json.decode(body)
        yield _csv_lines([_cells(row, asked.columns) for row in page["items"]])
        if page["next_cursor"] is None:
            return
        rest = [(name, value) for name, value in query if name != "cursor"]
        query = [*rest, ("cursor", page["next_cursor"])]
        following = await inner.get(request.app.state.whole, request, query)
        if following.status != 200:
            # The answer has begun: breaking off is the only way left to say that rows are missing.
            raise ConnectionError("a later page of the list was refused")
        body = following.body


def _csv_lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cells(row: Any, columns: Sequence[str]) -> list[str]:
    return [harmless(_cell(row, column)) for column in columns]


def _cell(row: Any, column: str) -> str:
    """Texts and numbers as they are, nothing for null, JSON for anything larger."""
    value = row
    for name in () if column == "value" and not isinstance(row, dict) else column.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


async def _part(
    request: Request[Any, Any, Any], asked: List, query: list[tuple[str, str]]
) -> Response[Any]:
    """A page of a list whose handler answers it whole. Raises Invalid."""
    values = dict(query)
    limit, sort = _limit(values.get("limit")), values.get("sort") or ""
    column, descending = pages.read_sort(sort, asked.sorts) if sort else ("", False)
    begin = _offset(values.get("cursor"), sort)
    whole = [(name, value) for name, value in query if name not in LIST_PARAMETERS]
    got = await inner.get(request.app.state.whole, request, whole)
    media_type = got.headers.get(b"content-type", b"").decode()
    if got.status != 200:
        return Response(got.body, status_code=got.status, media_type=media_type)
    content = msgspec.json.decode(got.body)
    rows = content["items"]
    if sort:
        rows = _sorted(rows, column, descending=descending)
    end = begin + limit
    content["items"] = rows[begin:end]
    content["next_cursor"] = pages.write_cursor(sort, [end]) if end < len(rows) else None
    return Response(msgspec.json.encode(content), media_type=media_type)


def _sorted(rows: list[Any], column: str, *, descending: bool) -> list[Any]:
    """Missing values come last in either direction, equal ones in an order of their own, so that
    pages never overlap.
    """
    given = [row for row in rows if row.get(column) is not None]
    missing = [row for row in rows if row.get(column) is None]
    as_number = all(_NUMBER.fullmatch(str(row[column])) for row in given)
    given.sort(key=lambda row: _key(row, column, as_number=as_number), reverse=descending)
    missing.sort(key=msgspec.json.encode, reverse=descending)
    return given + missing


def _key(row: Any, column: str, *, as_number: bool) -> tuple[Any, bytes]:
    """Decimals travel as texts: 9.5 comes before 10."""
    value = Decimal(str(row[column])) if as_number else str(row[column])
    return value, msgspec.json.encode(row)


def _limit(value: str | None) -> int:
    if value is None:
        return pages.PAGE_DEFAULT
    if not (value.isascii() and value.isdigit() and len(value) <= _LIMIT_DIGITS_MAX):
        raise pages.bad_limit()
    return pages.check_limit(int(value))


def _offset(cursor: str | None, sort: str) -> int:
    if cursor is None:
        return 0
    match pages.read_cursor(cursor, sort):
        case [int(offset)] if offset > 0:
            return offset
    raise pages.bad_cursor()
