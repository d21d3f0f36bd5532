"""Every list of the API keeps the promises of lists: pages of any size, in any documented order,
each row once, CSV, and a clear refusal of anything else. The lists are those of the application
itself; one that appears later is walked as well, and needs somebody who has rows of it.
"""

from __future__ import annotations

import csv
import io
import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from datetime import datetime
from typing import Any, get_origin

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from marketplace.kernel.pages import PAGE_MAX, write_cursor
from tests.conftest import Marketplace
from tests.security.routes import operations
from tests.web.rows import Rows, new_rows
from web.lists import lists_of
from web.openapi import complete
from web.strict import API

pytestmark = pytest.mark.xdist_group("lists")

LEDGER = ("ledger/", "accruals", "payout", "act")
"""Money moves in the tests of the ledger; here its lists have a row or two."""

ROWS_MIN = 3
"""So many rows somebody must have of each list, for its pages and orders to mean anything."""

GARBAGE = ("x", "7777", "!", "nonsense", "WyJzb3J0Il0", "é" * 10, "A" * 20_000, "W10", "bnVsbA")
JUNK: list[Any] = [None, {}, "\0", "NaN", "1e99999", "2001-01-01T00:00:00", 2**31, 2**200]
_OF_ONE_VALUE = 2 + len(JUNK)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One list, as somebody with rows of it reads it."""

    path: str
    query: dict[str, str]
    client: httpx.AsyncClient
    sorts: list[str]
    rows: list[Any]

    async def get(self, **query: str) -> httpx.Response:
        return await self.client.get(self.path, params=self.query | query)

    async def walk(self, **query: str) -> list[Any]:
        """The rows of all pages."""
        rows: list[Any] = []
        while True:
            answer = await self.get(**query)
            assert answer.status_code == 200, f"{self.path} {query}: {answer.text}"
            page = answer.json()
            assert len(page["items"]) <= int(query["limit"]), f"{self.path} {query}"
            rows += page["items"]
            if page["next_cursor"] is None:
                return rows
            query["cursor"] = page["next_cursor"]

    @property
    def small(self) -> str:
        """A limit that makes several pages."""
        return str(max(1, min(PAGE_MAX, -(-len(self.rows) // 3))))


@pytest.fixture(scope="module")
def built(own_marketplace: Marketplace) -> Litestar:
    return own_marketplace.app.litestar


@pytest.fixture(scope="module")
async def lists(built: Litestar, own_marketplace: Marketplace) -> list[Asked]:
    at = own_marketplace
    rows = await new_rows(
        at.url, at.operator, at.new_buyer, at.new_supplier, at.connect, at.database
    )
    document = complete(built, built.openapi_schema.to_schema())
    return [await most_rows(built, path, sorts_of(document, path), rows) for path in paths(built)]


def paths(app: Litestar) -> Iterator[str]:
    """Path templates of all lists."""
    handlers = lists_of(app)
    for route in app.routes:
        if isinstance(route, HTTPRoute) and "GET" in route.route_handler_map:
            handler, _ = route.route_handler_map["GET"]
            if handler in handlers:
                yield route.path_format


async def most_rows(app: Litestar, template: str, sorts: list[str], rows: Rows) -> Asked:
    """The list as read by whoever has most of it."""
    [operation] = [each for each in operations(app) if each.name == f"GET {template}"]
    [path] = operation.calls(rows.ids | rows.by_path.get(template, {}))
    found: list[Asked] = []
    for person in rows.people:
        asked = Asked(
            path=path,
            query=rows.query.get(template, {}),
            client=person.client,
            sorts=sorts,
            rows=[],
        )
        answer = await asked.get(limit=str(PAGE_MAX))
        if answer.status_code == 200:
            whole = await asked.walk(limit=str(PAGE_MAX))
            found.append(msgspec.structs.replace(asked, rows=whole))
    assert found, f"nobody reads {path}"
    return max(found, key=lambda asked: len(asked.rows))


def sorts_of(document: dict[str, Any], template: str) -> list[str]:
    """Ascending, as documented."""
    parameters = document["paths"][template]["get"]["parameters"]
    by_name = {each["name"]: each for each in parameters if each["in"] == "query"}
    assert {"limit", "cursor", "sort"} <= by_name.keys(), f"{template}: allow(…) | sorted_by(…)"
    values = by_name["sort"]["schema"]["enum"]
    assert {f"-{name}" for name in values if name[0] != "-"} == {n for n in values if n[0] == "-"}
    return [name for name in values if name[0] != "-"]


def key_of(row: Any) -> str:
    if isinstance(row, dict) and "id" in row:
        return str(row["id"])
    if isinstance(row, dict) and "policy_version" in row:
        # The last point of a rating's history is now, whenever that is asked.
        row = row | {"at": row["at"][:10]}
    return json.dumps(row, sort_keys=True)


async def test_somebody_has_rows_of_every_list(lists: list[Asked]) -> None:
    few = [
        f"{each.path}: {len(each.rows)}"
        for each in lists
        if len(each.rows) < ROWS_MIN and not each.path.removeprefix(API).startswith(LEDGER)
    ]
    assert few == [], "give somebody rows of these lists in tests/web/rows.py"


async def test_pages_of_every_list_hold_each_row_once_in_every_order(lists: list[Asked]) -> None:
    for each in lists:
        expected = sorted(key_of(row) for row in each.rows)
        assert len(set(expected)) == len(expected), f"{each.path} repeats rows"
        assert sorted(key_of(row) for row in await each.walk(limit=each.small)) == expected
        for name in each.sorts:
            up = await each.walk(limit=each.small, sort=name)
            down = await each.walk(limit=each.small, sort=f"-{name}")
            for rows in (up, down):
                assert sorted(key_of(row) for row in rows) == expected, f"{each.path} {name}"
            check_order(f"{each.path} by {name}", name, up, down)


def check_order(where: str, name: str, up: list[Any], down: list[Any]) -> None:
    """Both ways the same order, missing values last, and what can be compared in order."""
    given = [row for row in up if not is_missing(row, name)]
    assert all(is_missing(row, name) for row in up[len(given) :]), where
    assert all(is_missing(row, name) for row in down[len(given) :]), where
    assert [key_of(row) for row in down[: len(given)]] == [key_of(row) for row in reversed(given)]
    values = [comparable(row.get(name)) for row in given]
    if None not in values and not (name == "created_at" and are_sorted(given, "id")):
        assert values == sorted(values), where


def are_sorted(rows: list[Any], name: str) -> bool:
    """Lists by `created_at` go by the time inside their ids; other tests date some rows back."""
    values = [row.get(name, "") for row in rows]
    return values == sorted(values)


def is_missing(row: Any, name: str) -> bool:
    return name in row and row[name] is None


def comparable(value: Any) -> Any:
    """Numbers and times; the order of texts is the database's own."""
    if isinstance(value, bool | int | float):
        return value
    return datetime.fromisoformat(value) if _TIME.fullmatch(str(value)) else None


async def test_every_list_refuses_an_unknown_order_page_and_size(lists: list[Asked]) -> None:
    for each in lists:
        wrong = [
            ("sort", "colour"),
            ("sort", "--" + each.sorts[0]),
            ("sort", "id;"),
            ("sort", "\0"),
        ]
        wrong += [("limit", value) for value in ("0", "-1", "201", "x", "1e1", "9" * 5_000)]
        wrong += [("cursor", value) for value in GARBAGE]
        for name, value in wrong:
            refused(await each.get(**{name: value}), name, f"{each.path} {name}={value[:50]}")


def refused(answer: httpx.Response, name: str, where: str) -> None:
    assert answer.status_code == 422, f"{where}: {answer.status_code} {answer.text[:300]}"
    [error] = answer.json()["errors"]
    assert error["field"] == name, f"{where}: {error}"
    if name in {"sort", "cursor"}:
        assert error["code"] == {"sort": "unknown_sort", "cursor": "bad_cursor"}[name], where
        assert error["message"], where
        assert error["hint"], where


async def test_a_cursor_belongs_to_one_order(lists: list[Asked]) -> None:
    for each in lists:
        sort = each.sorts[0]
        first = (await each.get(limit="1", sort=sort)).json()
        if first["next_cursor"] is None:
            continue
        for other in (f"-{sort}", *each.sorts[1:2]):
            answer = await each.get(limit="1", sort=other, cursor=first["next_cursor"])
            refused(answer, "cursor", f"{each.path} {sort} {other}")


async def test_a_forged_cursor_of_any_list_is_no_fault_of_ours(lists: list[Asked]) -> None:
    """Right order, wrong values: refused, or a page from somewhere; never a failure of ours."""
    for each in lists:
        for sort in each.sorts:
            first = (await each.get(limit="1", sort=sort)).json()
            if first["next_cursor"] is None:
                break
            forgeries = list(forged(first["next_cursor"]))
            for cursor in forgeries:
                answer = await each.get(sort=sort, cursor=cursor)
                assert answer.status_code in {200, 422}, f"{each.path} {sort}: {answer.text[:300]}"
            if len(forgeries) == _OF_ONE_VALUE:
                break  # a place in a list that its handler answers whole: the same in every order


def forged(cursor: str) -> Iterator[str]:
    sort, values = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    yield write_cursor(sort, [])
    yield write_cursor(sort, [*values, 1])
    for place in range(len(values)):
        for junk in JUNK:
            yield write_cursor(sort, [*values[:place], junk, *values[place + 1 :]])


async def test_every_list_comes_as_csv_in_any_order(lists: list[Asked]) -> None:
    for each in lists:
        for sort in ({}, {"sort": f"-{each.sorts[0]}"}):
            expected = await each.walk(limit=str(PAGE_MAX), **sort)
            answer = await each.client.get(
                each.path, params=each.query | sort, headers={"Accept": "text/csv"}
            )
            assert answer.status_code == 200, f"{each.path}: {answer.text[:300]}"
            assert answer.headers["content-type"].startswith("text/csv"), each.path
            rows = list(csv.DictReader(io.StringIO(answer.text)))
            assert len(rows) == len(expected), each.path
            for name in ("id", "code", "sku"):
                if expected and name in expected[0]:
                    wanted = [row[name] or "" for row in expected]
                    assert [row[name] for row in rows] == wanted, each.path


def test_every_answer_with_items_is_a_list(built: Litestar) -> None:
    handlers = lists_of(built)
    halves = []
    for route in built.routes:
        if not isinstance(route, HTTPRoute) or "GET" not in route.route_handler_map:
            continue
        handler, _ = route.route_handler_map["GET"]
        answer = handler.parsed_fn_signature.return_type.annotation
        if isinstance(answer, type) and issubclass(answer, msgspec.Struct):
            fields = {field.name: field.type for field in msgspec.structs.fields(answer)}
            if get_origin(fields.get("items")) is list and handler not in handlers:
                halves.append(route.path)
    assert halves == [], "without next_cursor nobody can page, sort or export these"
