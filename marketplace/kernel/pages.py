"""Pages of a list: how long one is, where it begins, in which order its rows come.

    ORDERS = Sorting(Order.id, created_at=Order.id, title=Order.title)

    page = ORDERS.page(limit, cursor, sort)           # raises Invalid
    rows = (await session.scalars(page.of(select(Order)))).all()
    shown, next_cursor = page.cut(rows)

A handler of the API with `opt=allow(...) | sorted_by(ORDERS)` takes a `page: Page`, read from the
query by `web/lists.py`, and gives it to its service.

A list that is read by SQL text names the columns of its result instead:

    UNITS = Sorting(CODE, default="code", code=CODE, name=column("name", String))

    rows = (await session.execute(page.of(rows_of("SELECT code, name FROM units")))).mappings()

A cursor holds the sort and the last row's value and id (keyset paging), so a row that is inserted
or removed meanwhile moves no other row to another page.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnClause,
    ColumnElement,
    Select,
    and_,
    literal_column,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.orm import InstrumentedAttribute

from marketplace.kernel.errors import Invalid

PAGE_DEFAULT = 50
PAGE_MAX = 200
"""Rows of the largest page: enough for a screen, and answered in milliseconds."""

_CURSOR_CHARS_MAX = 4_000
"""The longest text a list is sorted by has 500 characters, of four bytes each at most."""

_DIGITS_MAX = 1_000
"""Before and after the point PostgreSQL's numeric has room for many more."""

_Column = InstrumentedAttribute[Any] | ColumnClause[Any]
_Row = TypeVar("_Row")
_Statement = TypeVar("_Statement", bound=Select[*tuple[Any, ...]])


def bad_limit() -> Invalid:
    return Invalid.field("limit", "out_of_range", f"A page has 1 to {PAGE_MAX} entries.")


def bad_cursor() -> Invalid:
    message = "This is no cursor of this list in this order."
    hint = "Pass next_cursor as it was given, with the same sort."
    return Invalid.field("cursor", "bad_cursor", message, hint)


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
        hint = f"For example sort={known[0]}." if known else "Leave sort out."
        raise Invalid.field("sort", "unknown_sort", message, hint)
    return name, sort.startswith("-")


class _Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    sort: str
    values: list[Any]


def write_cursor(sort: str, values: Sequence[Any]) -> str:
    """Safe in an address as it is."""
    packed = msgspec.json.encode(_Cursor(sort, list(values)))
    return urlsafe_b64encode(packed).decode().rstrip("=")


def read_cursor(cursor: str, sort: str) -> list[Any]:
    """The values of a cursor that was written with the same sort. Raises Invalid."""
    try:
        if len(cursor) > _CURSOR_CHARS_MAX:
            raise bad_cursor()
        packed = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        read = msgspec.json.decode(packed, type=_Cursor)
    except (NotBase64, msgspec.DecodeError, ValueError):
        raise bad_cursor() from None
    if read.sort != sort:
        raise bad_cursor()
    return read.values


class Sorting:
    """The orders in which one list can be read.

    row_id    the columns that together tell any two rows apart; they end every order
    nullable  names of the columns whose value may be missing: such rows come last both ways

    A column that is one of `row_id` must be the same object.
    """

    def __init__(
        self,
        *row_id: _Column,
        default: str = "-created_at",
        nullable: Collection[str] = (),
        **columns: _Column,
    ) -> None:
        self.default = default
        self.names = tuple(columns)
        self._id = row_id
        self._nullable = frozenset(nullable)
        self._columns = columns
        read_sort(default, columns)

    def __deepcopy__(self, _: object) -> Sorting:
        """Itself: it never changes, and Litestar copies what a handler carries for each
        application. Columns cannot be copied once they were used: they refer to the driver.
        """
        return self

    def page(self, limit: int, cursor: str | None = None, sort: str | None = None) -> Page:
        """The page after `cursor`. Raises Invalid for what this list never gave or knows."""
        check_limit(limit)
        sort = sort or self.default
        name, descending = read_sort(sort, self._columns)
        column = self._columns[name]
        order = (column, *(each for each in self._id if each is not column))
        nullable = name in self._nullable
        after = None if cursor is None else _after(cursor, sort, order, nullable=nullable)
        return Page(limit, sort, descending, order, nullable, after)


def sorted_by(sorting: Sorting) -> dict[str, Any]:
    """`opt=allow(...) | sorted_by(ORDERS)`: what a list can be sorted by, and what `page` is of."""
    return {"sorting": sorting}


def rows_of(sql: str) -> Select[*tuple[Any, ...]]:
    """The rows of a SELECT, for a page to put in order; its values are bound when it runs."""
    return select(literal_column("*")).select_from(text(f"({sql}) found"))


def _after(cursor: str, sort: str, order: Sequence[Any], *, nullable: bool) -> tuple[Any, ...]:
    values = read_cursor(cursor, sort)
    if len(values) != len(order):
        raise bad_cursor()
    try:
        first, *rest = zip(values, order, strict=True)
        head = None if nullable and first[0] is None else _typed(*first)
        return (head, *(_typed(value, column) for value, column in rest))
    except ValueError:  # msgspec's ValidationError is one
        raise bad_cursor() from None


def _typed(value: Any, column: Any) -> Any:
    """A value that PostgreSQL can compare with the column. Raises ValueError."""
    read = msgspec.convert(value, column.type.python_type)
    if not _is_storable(read, 63 if isinstance(column.type, BigInteger) else 31):
        raise ValueError(value)
    return read


def _is_storable(value: object, bits: int) -> bool:
    match value:
        case int():
            return value.bit_length() <= bits
        case Decimal():
            return value.is_finite() and abs(value.adjusted()) < _DIGITS_MAX
        case datetime():
            return value.tzinfo is not None
        case str():
            return "\0" not in value
    return True


class Page(msgspec.Struct, frozen=True):
    """limit       rows at most
    sort        as the caller wrote it
    descending  whether the largest value comes first
    order       the columns the list is sorted by; no two rows are equal in all of them
    nullable    whether the first of them may be missing
    after       values of the last row before this page

    The columns are typed Any because a mapped attribute's own type is a descriptor's.
    """

    limit: int
    sort: str
    descending: bool
    order: tuple[Any, ...]
    nullable: bool
    after: tuple[Any, ...] | None

    def of(self, statement: _Statement) -> _Statement:
        """`statement` in order, from this page's first row on; one row more than `limit` says that
        there are more.
        """
        if self.after is not None:
            statement = statement.where(self._is_beyond(self.after))
        directed = [column.desc() if self.descending else column.asc() for column in self.order]
        if self.nullable:
            directed[0] = directed[0].nulls_last()
        return statement.order_by(*directed).limit(self.limit + 1)

    def _is_beyond(self, after: tuple[Any, ...]) -> ColumnElement[bool]:
        first, *rest = self.order
        if after[0] is None:
            return and_(first.is_(None), self._compared(rest, after[1:]))
        beyond = self._compared(self.order, after)
        return or_(beyond, first.is_(None)) if self.nullable else beyond

    def _compared(self, columns: Sequence[Any], values: tuple[Any, ...]) -> ColumnElement[bool]:
        here = tuple_(*columns)
        return here < values if self.descending else here > values

    def of_rows(self, rows: Iterable[_Row]) -> list[_Row]:
        """What `of` selects, from rows that are all in memory."""
        keyed = [(tuple(_value(row, column) for column in self.order), row) for row in rows]
        given = [each for each in keyed if each[0][0] is not None]
        missing = [each for each in keyed if each[0][0] is None]
        given.sort(key=lambda each: each[0], reverse=self.descending)
        missing.sort(key=lambda each: each[0][1:], reverse=self.descending)
        beyond = [row for keys, row in (*given, *missing) if self._has_come_to(keys)]
        return beyond[: self.limit + 1]

    def _has_come_to(self, keys: tuple[Any, ...]) -> bool:
        """Whether a row comes after the cursor."""
        if self.after is None:
            return True
        if keys[0] is None or self.after[0] is None:
            if keys[0] is not None or self.after[0] is not None:
                return keys[0] is None
            keys, after = keys[1:], self.after[1:]
        else:
            after = self.after
        return keys < after if self.descending else keys > after

    def cut(
        self, rows: Sequence[_Row], entity: Callable[[_Row], Any] = lambda row: row
    ) -> tuple[Sequence[_Row], str | None]:
        """The rows of this page and the cursor of the next; `entity` finds the object or the row
        that has the columns.
        """
        if len(rows) <= self.limit:
            return rows, None
        shown = rows[: self.limit]
        last = entity(shown[-1])
        return shown, write_cursor(self.sort, [_value(last, column) for column in self.order])


def _value(row: Any, column: Any) -> Any:
    """Of a mapped object or a struct, or of a row of SQL."""
    return row[column.key] if hasattr(row, "keys") else getattr(row, column.key)
