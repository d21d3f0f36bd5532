"""How its uploader wants a file read, checked before the file arrives."""

from __future__ import annotations

import msgspec

from marketplace.kernel.errors import Invalid
from pricing.imports.columns import BY_NAME, NAMES
from pricing.imports.read.encodings import ENCODINGS, canonical
from pricing.imports.rules import READ_BY_FORMAT, Format, ReadingOptions
from pricing.imports.schemas import NewPriceImport

COLUMNS_CHOSEN_MAX = 100
_NO_DELIMITER = "\"'\r\n\x00.#"


def reading_options(data: NewPriceImport) -> ReadingOptions:
    """What `reading` says; `columns` is short for `reading.columns`. Raises Invalid."""
    given = data.reading or ReadingOptions()
    if data.columns is not None and given.columns is not None:
        raise Invalid.field("columns", "given_twice", "Give the columns once, in `reading`.")
    columns = data.columns or given.columns or None
    return checked_options(msgspec.structs.replace(given, columns=columns), data.format)


def checked_options(given: ReadingOptions, kind: Format) -> ReadingOptions:
    """The options with encoding and delimiter as they are used here. Raises Invalid."""
    given = msgspec.structs.replace(
        given, encoding=_encoding(given.encoding), delimiter=_delimiter(given.delimiter)
    )
    check_columns(given.columns)
    for name in given.__struct_fields__:
        if getattr(given, name) is not None and name not in READ_BY_FORMAT[kind]:
            raise Invalid.field(
                f"reading.{name}",
                "not_for_format",
                f"Files of the format {kind} have no such thing.",
            )
    return given


def check_columns(columns: dict[str, str] | None) -> None:
    """Raises Invalid."""
    if columns is None:
        return
    if len(columns) > COLUMNS_CHOSEN_MAX:
        raise Invalid.field("columns", "too_many_columns", "Too many columns.")
    for name, ours in columns.items():
        if ours not in BY_NAME:
            raise Invalid.field(
                f"columns.{name[:40]}", "unknown_column", f"Map it to one of {', '.join(NAMES)}."
            )


def _encoding(name: str | None) -> str | None:
    if name is None or (found := canonical(name)) is not None:
        return name if name is None else found
    raise Invalid.field(
        "reading.encoding", "unknown_encoding", f"Name one of {', '.join(ENCODINGS)}."
    )


def _delimiter(sign: str | None) -> str | None:
    if sign is None:
        return None
    sign = {"tab": "\t", "\\t": "\t"}.get(sign.lower(), sign)
    if len(sign) != 1 or not sign.isascii() or sign.isalnum() or sign in _NO_DELIMITER:
        raise Invalid.field(
            "reading.delimiter", "no_delimiter", "Give one sign such as ; or , or | or tab."
        )
    return sign
