"""Pages of a list: how long one is, where it begins, in which order its rows come.

    ORDERS = Sorting(Order.id, created_at=Order.id, title=Order.title)

    page = ORDERS.page(limit, cursor, sort)           # raises Invalid
    rows = (await session.scalars(page.of(select(Order)))).all()
    shown, next_cursor = page.cut(rows)

A cursor holds the sort and the last row's value and id (keyset paging), so a row that is inserted
or removed meanwhile moves no other row to another page.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from marketplace.kernel.errors import Invalid

PAGE_DEFAULT = 50
PAGE_MAX = 200
"""Rows of the largest page: enough for a screen, and answered in milliseconds."""

_CURSOR_CHARS_MAX = 2_000
_Row = TypeVar("_Row")
_Statement = TypeVar("_Statement", bound=Select[*tuple[Any, ...]])


def bad_limit() -> Invalid:
    return Invalid.field("limit", "out_of_range", f"A page has 1 to {PAGE_MAX} entries.")


def bad_cursor() -> Invalid:
    return Invalid.field("cursor", "bad_cursor", "Pass next_cursor as it was given.")


def check_limit(limit: int) -> int:
    """`limit` itself. Raises Invalid."""
    if not 1 <= limit <= PAGE_MAX:
        raise bad_limit()
    return limit


def read_sort(sort: str, names: Iterable[str]) -> tuple[str, bool]:
    """`-created_at` → (`created_at`, descending). Raises Invalid (`unknown_sort`)."""
    name = sort.removeprefix("-")
    if name not in (known := list(names)):
        message = f"This list can be sorted by {', '.join(known)}; a minus before it: descending."
        raise Invalid.field("sort", "unknown_sort", message)
    return name, sort.startswith("-")


class _Cursor(msgspec.Struct, frozen=True, array_like=True):
    sort: str
    value: Any
    id: UUID


class Sorting:
    """The orders in which one list can be read. `columns` must not be null; the one that equals
    `row_id` orders by it alone.
    """

    def __init__(
        self,
        row_id: InstrumentedAttribute[UUID],
        *,
        default: str = "-created_at",
        **columns: InstrumentedAttribute[Any],
    ) -> None:
        self._id = row_id
        self._default = default
        self._columns = columns
        read_sort(default, columns)

    def page(self, limit: int, cursor: str | None = None, sort: str | None = None) -> Page:
        """The page after `cursor`. Raises Invalid for what this list never gave or knows."""
        check_limit(limit)
        sort = sort or self._default
        name, descending = read_sort(sort, self._columns)
        column = self._columns[name]
        after = None if cursor is None else self._after(cursor, sort, column)
        return Page(limit, sort, descending, self._id, column, after)

    def _after(
        self, cursor: str, sort: str, column: InstrumentedAttribute[Any]
    ) -> tuple[Any, UUID]:
        try:
            if len(cursor) > _CURSOR_CHARS_MAX:
                raise bad_cursor()
            packed = urlsafe_b64decode(cursor.encode("ascii"))
            read = msgspec.json.decode(packed, type=_Cursor)
            value = msgspec.convert(read.value, column.type.python_type, strict=False)
        except (NotBase64, msgspec.DecodeError, msgspec.ValidationError, ValueError):
            raise bad_cursor() from None
        if read.sort != sort:
            raise bad_cursor()
        return value, read.id


class Page(msgspec.Struct, frozen=True):
    """limit       rows at most
    sort        as the caller wrote it
    descending  whether the largest value comes first
    row_id      ends every order, so that no two rows are equal
    column      what the list is sorted by
    after       value and id of the last row before this page

    The two columns are mapped attributes, typed Any because their own type is a descriptor's.
    """

    limit: int
    sort: str
    descending: bool
    row_id: Any
    column: Any
    after: tuple[Any, UUID] | None

    def of(self, statement: _Statement) -> _Statement:
        """`statement` in order, from this page's first row on; one row more than `limit` says that
        there are more.
        """
        order = [self.row_id] if self.column is self.row_id else [self.column, self.row_id]
        if self.after is not None:
            last = self.after[-len(order) :]
            here = tuple_(*order) < last if self.descending else tuple_(*order) > last
            statement = statement.where(here)
        directed = [column.desc() if self.descending else column.asc() for column in order]
        return statement.order_by(*directed).limit(self.limit + 1)

    def cut(
        self, rows: Sequence[_Row], entity: Callable[[_Row], Any] = lambda row: row
    ) -> tuple[Sequence[_Row], str | None]:
        """The rows of this page and the cursor of the next; `entity` finds the mapped object."""
        if len(rows) <= self.limit:
            return rows, None
        shown = rows[: self.limit]
        last = entity(shown[-1])
        cursor = _Cursor(self.sort, getattr(last, self.column.key), getattr(last, self.row_id.key))
        return shown, urlsafe_b64encode(msgspec.json.encode(cursor)).decode()
