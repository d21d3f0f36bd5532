"""JSON Lines: one object a line; numbers keep the digits they were written with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import polars as pl

from marketplace.kernel.decimals import typed_text
from marketplace.kernel.strict_json import is_too_deep, repeated_key
from pricing.imports.check.checks import RowError
from pricing.imports.columns import DECIMALS
from pricing.imports.read.formats.batch import (
    RawBatch,
    Reading,
    frame_of,
    row_error,
)
from pricing.imports.read.formats.sieve import Gathering
from pricing.imports.rules import ROW_BYTES_MAX


class JsonLinesReader:
    """`feed` bytes in pieces of any size; row numbers are line numbers, the first being 1."""

    mostly_known = False
    """Each line is decoded before it is recognised, so large pieces save nothing."""

    def __init__(self, reading: Reading) -> None:
        self._seed = reading.seed
        self._gathering = Gathering(reading.known)
        self._rest = b""
        self._next_row = 1
        self._decoder = msgspec.json.Decoder(dict[str, Any], float_hook=JsonNumber)
        self._decimal = reading.dialect.decimal
        self._ours = dict(reading.dialect.columns)
        self._columns = sorted(set(self._ours.values()))

    def feed(self, data: bytes, *, last: bool) -> RawBatch | None:
        whole = self._rest + data
        end = len(whole) if last else whole.rfind(b"\n") + 1
        body, self._rest = whole[:end], whole[end:]
        if len(self._rest) > ROW_BYTES_MAX * 2:
            self._rest = self._rest[: ROW_BYTES_MAX + 1]
        if body.startswith(b"\xef\xbb\xbf"):
            body = body[3:]
        return self._batch(body, last=last)

    def _batch(self, body: bytes, *, last: bool) -> RawBatch | None:
        rows: list[dict[str, str | None]] = []
        row_nos: list[int] = []
        raws: list[str] = []
        errors: list[RowError] = []
        rejects: dict[int, Any] = {}
        lines = body.split(b"\n") if body else []
        if lines and not lines[-1]:
            lines.pop()
        for number, line in enumerate(lines, self._next_row):
            if not line.strip():
                continue
            cells = self._cells(line)
            if isinstance(cells, str):
                shown = line[:2_000].decode("utf-8", "replace").replace("\x00", "\u2400")
                errors.append(row_error(number, cells, shown))
                rejects[number] = {"raw": shown}
                continue
            rows.append(cells)
            row_nos.append(number)
            raws.append(line.decode())
        self._next_row += len(lines)
        frame = frame_of(rows, row_nos, self._columns).with_columns(
            pl.Series("raw", raws, pl.String)
        )
        frame = frame.with_columns(frame["raw"].hash(self._seed).alias("fingerprint"))
        return self._gathering.take(frame, errors, rejects, last=last)

    def _cells(self, line: bytes) -> dict[str, str | None] | str:
        """Our columns of one line, or the code of what is wrong with it."""
        if len(line) > ROW_BYTES_MAX:
            return "row_too_long"
        if b"\x00" in line:
            return "nul_byte"
        try:
            found = self._decoder.decode(line)
        except UnicodeDecodeError:
            return "wrong_encoding"
        except (msgspec.MsgspecError, RecursionError):
            return "malformed_json"
        # Each key has its colon: a closer look is needed only where there are more colons.
        if line.count(b":") > len(found) and (code := _ambiguity(line)):
            return code
        cells: dict[str, str | None] = {}
        for name, value in found.items():
            ours = self._ours.get(name)
            if ours is None:
                continue
            if isinstance(value, (dict, list, bool)):
                return "malformed_json"
            cells[ours] = None if value is None else self._text(ours, value)
        return cells

    def _text(self, ours: str, value: str | int) -> str:
        """Numbers of JSON have one reading, in whatever way the texts of the file are written."""
        is_number = isinstance(value, (int, JsonNumber))
        if is_number and ours in DECIMALS:
            return typed_text(str(value), self._decimal)
        return str(value)


def _ambiguity(line: bytes) -> str | None:
    if is_too_deep(line):
        return "malformed_json"
    return "repeated_key" if repeated_key(line) is not None else None


class JsonNumber(str):
    """A JSON number with the digits it was written with."""

    __slots__ = ()


def json_numbers(first: bytes, columns: Mapping[str, str]) -> Iterator[str]:
    """The texts (not the numbers of JSON) in the decimal columns of a file's first lines."""
    ours = [name for name, column in columns.items() if column in DECIMALS]
    for line in first.split(b"\n"):
        try:
            row = msgspec.json.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        if isinstance(row, dict):
            yield from (row[name] for name in ours if isinstance(row.get(name), str))
