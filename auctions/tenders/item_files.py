"""Items of a lot from a file: comma, semicolon or tab separated, with a header row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

import msgspec

from auctions.tenders import rules
from auctions.tenders.schemas.tender import Classification, NewItem
from marketplace.kernel.decimals import Mark, NotADecimal, decimal_mark, wire_decimal
from marketplace.kernel.errors import FieldError, Invalid

FILE_BYTES_MAX = 1_000_000
COLUMNS = ("name", "quantity", "unit", "description", "scheme", "code", "version", "item_id")
NEEDED = ("name", "quantity", "unit")


def read_items(content: bytes) -> list[NewItem]:
    """The rows as items. Raises Invalid naming each wrong cell, such as `rows[3].quantity`; rows
    count from 1 for the first below the header.
    """
    table = _table(content)
    header = [cell.strip().lower() for cell in table[0]] if table else []
    rules.raise_if(list(_header_errors(header)))
    errors: list[FieldError] = []
    items: list[NewItem] = []
    rows = [
        {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
        for cells in table[1:]
    ]
    mark = decimal_mark(row.get("quantity", "") for row in rows)
    for number, row in enumerate(rows, 1):
        if not any(row.values()):
            continue
        item = _item(f"rows[{number}]", row, mark, errors)
        items += [item] if item else []
    if not items and not errors:
        errors.append(FieldError("rows", "empty", "The file has no rows below its header."))
    if len(items) > rules.ITEMS_MAX:
        errors.append(FieldError("rows", "too_many", f"At most {rules.ITEMS_MAX} items."))
    rules.raise_if(errors)
    return items


def _table(content: bytes) -> list[list[str]]:
    if len(content) > FILE_BYTES_MAX:
        raise Invalid.field("content", "too_large", f"At most {FILE_BYTES_MAX} bytes.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid.field("content", "bad_encoding", "The file must be UTF-8 text.") from None
    if "\x00" in text:
        raise Invalid.field("content", "malformed", "This is no text file.")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        return list(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise Invalid.field("content", "malformed", f"Not a table: {error}.") from error


def _header_errors(header: Sequence[str]) -> Iterable[FieldError]:
    for name in NEEDED:
        if name not in header:
            yield FieldError(f"header.{name}", "required", f"A column {name} is needed.")
    for name in header:
        if name not in COLUMNS:
            known = ", ".join(COLUMNS)
            yield FieldError(f"header.{name}", "unknown_column", f"Known columns: {known}.")
        elif header.count(name) > 1:
            yield FieldError(f"header.{name}", "duplicate", "Each column may appear once.")


def _item(
    path: str, row: dict[str, str], mark: Mark | None, errors: list[FieldError]
) -> NewItem | None:
    before = len(errors)
    quantity = row.get("quantity", "")
    try:
        quantity = wire_decimal(quantity, mark)
    except NotADecimal as wrong:
        # By name where the number was understood in part; else as a quantity that is none.
        code = wrong.code if wrong.code != "malformed_number" else "bad_quantity"
        errors.append(wrong.at(f"{path}.quantity", code))
        quantity = "1"
    errors += rules.item_errors(path, quantity, row.get("unit", ""))
    if not row.get("name"):
        errors.append(FieldError(f"{path}.name", "required", "An item needs a name."))
    raw = {
        "name": row.get("name") or "?",
        "quantity": quantity,
        "unit": row.get("unit", ""),
        "description": row.get("description", ""),
        "item_id": row.get("item_id") or None,
        "classification": _classification(row),
    }
    if len(errors) > before:
        return None
    try:
        return msgspec.convert(raw, NewItem)
    except msgspec.ValidationError as error:
        errors.append(FieldError(path, "invalid", str(error)))
        return None


def _classification(row: dict[str, str]) -> Classification | None:
    if not row.get("code"):
        return None
    return Classification(row.get("scheme") or "CPV", row["code"], row.get("version", ""))
