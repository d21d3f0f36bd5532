"""Opening a file: how it is written, which columns it has, and then its batches."""

from __future__ import annotations

import tempfile
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from functools import partial
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import msgspec

from marketplace.kernel.decimals import decimal_mark
from pricing.imports.check.checks import Check
from pricing.imports.read import csv_dialect, encodings
from pricing.imports.read.csv_dialect import csv_numbers
from pricing.imports.read.dialect import SAMPLE_BYTES, Dialect, Unreadable, header_hash, map_columns
from pricing.imports.read.encodings import Unclear
from pricing.imports.read.formats import (
    CsvReader,
    JsonLinesReader,
    ParquetTable,
    RawBatch,
    Reading,
    Sheet,
    json_numbers,
)
from pricing.imports.read.formats.batch import fingerprint_seed
from pricing.imports.read.headers import Mappings
from pricing.imports.read.known import KnownRows
from pricing.imports.rules import ERRORS_KEPT_MAX, Format, Mode, ReadingOptions
from pricing.imports.threads import in_thread

FEED_BYTES = 1 << 20
# Known rows take little memory, and each piece its time however few of its rows are new.
KNOWN_FEED_BYTES = 2 << 20

FindKnown = Callable[[str], Awaitable[KnownRows | None]]
"""Rows of the current version, if it was read in the same way (the text)."""

Remembered = Callable[[Sequence[Sequence[str]]], Awaitable[Mappings]]
"""The column mappings their owner chose for any of these headers."""


class Ask(NamedTuple):
    """What only the database knows."""

    known_rows: FindKnown
    remembered: Remembered


class Source(NamedTuple):
    """What is to be read, and how.

    given       what its uploader said of it
    remembered  what was said of an earlier file of this list; counts where this one does not tell
    recognised  the encoding, once the whole file was looked at
    """

    import_id: UUID
    supplier_id: UUID
    format: Format
    mode: Mode
    units: frozenset[str]
    given: ReadingOptions = ReadingOptions()
    remembered: ReadingOptions = ReadingOptions()
    recognised: str | None = None


Batches = AsyncGenerator[tuple[Callable[[], RawBatch | None], Check], None]

Begin = Callable[[Reading], None]
"""Called once it is known how the file is read."""

Numbers = Callable[[Dialect], Iterable[str]]
"""What people wrote into the decimal columns of the first rows, once the columns are known."""


def batches(source: Source, plain: AsyncIterator[bytes], ask: Ask, begin: Begin) -> Batches:
    """Work that returns one batch each, and how its cells are checked. Raises Unreadable, and
    Unrecognised when a CSV turns out not to be UTF-8.
    """
    kind = _streamed if source.format in {"csv", "jsonl"} else _spooled
    return kind(source, plain, ask, begin)


def unclear_encoding(unclear: Unclear) -> Unreadable:
    """The question back to the uploader, with the readings to choose from."""
    names = [reading.encoding for reading in unclear.readings]
    if names[0] == "utf-8":
        wrong = Unreadable(
            "mixed_encodings",
            "Some rows are written in UTF-8 and others are not. Save the file in one encoding, or "
            "say in `reading` which one is meant.",
        )
    else:
        wrong = Unreadable(
            "unclear_encoding",
            f"The letters of the file can be read as {', '.join(names)}. Say in `reading` which "
            "encoding is meant, or save the file as UTF-8.",
        )
    wrong.dialect = Dialect(
        candidates=tuple((each.encoding, each.line) for each in unclear.readings)
    )
    return wrong


async def _reading(
    source: Source, dialect: Dialect, ask: Ask, numbers: Numbers, begin: Begin
) -> tuple[Reading, Check]:
    chosen: Mapping[str, str] | None = source.given.columns
    if chosen is None:
        chosen = (await ask.remembered([dialect.header])).get(header_hash(dialect.header))
    try:
        columns = map_columns(dialect.header, chosen, patch=source.mode == "patch")
    except Unreadable as wrong:
        wrong.dialect = dialect
        raise
    dialect = msgspec.structs.replace(dialect, columns=columns)
    mark = source.given.decimal
    if mark is None:
        mark = await in_thread(lambda: decimal_mark(numbers(dialect))) or source.remembered.decimal
    dialect = msgspec.structs.replace(dialect, decimal=mark)
    seed = fingerprint_seed(source.mode, dialect)
    reading = Reading(dialect, seed, await ask.known_rows(f"{seed:x}"))
    begin(reading)
    how = Check(
        tuple(sorted(set(columns.values()))),
        mark,
        source.mode,
        source.units,
        ERRORS_KEPT_MAX,
        digits_may_be_lost=source.format == "csv",
    )
    return reading, how


async def _streamed(source: Source, plain: AsyncIterator[bytes], ask: Ask, begin: Begin) -> Batches:
    reader: CsvReader | JsonLinesReader | None = None
    how: Check | None = None
    held: list[bytes] = []
    async for piece in plain:
        if reader is None:
            whole = len(piece) < FEED_BYTES
            if source.format == "csv":
                dialect = await _csv_dialect(source, piece, ask, whole=whole)
            else:
                dialect = _json_dialect(piece)
            reading, how = await _reading(
                source, dialect, ask, partial(_text_numbers, source.format, piece), begin
            )
            reader = CsvReader(reading) if source.format == "csv" else JsonLinesReader(reading)
        elif not reader.mostly_known or sum(map(len, held)) >= KNOWN_FEED_BYTES:
            assert how is not None
            yield _feed(reader, b"".join(held), last=False), how
            held = []
        held.append(piece)
    if reader is None or how is None:
        raise Unreadable("empty_file", "The file is empty.")
    yield _feed(reader, b"".join(held), last=True), how


def _feed(
    reader: CsvReader | JsonLinesReader, data: bytes, *, last: bool
) -> Callable[[], RawBatch | None]:
    return lambda: reader.feed(data, last=last)


def _text_numbers(kind: Format, first: bytes, dialect: Dialect) -> Iterable[str]:
    if kind == "csv":
        return csv_numbers(first[:SAMPLE_BYTES], dialect)
    return json_numbers(first[:SAMPLE_BYTES], dialect.columns)


async def _csv_dialect(source: Source, first: bytes, ask: Ask, *, whole: bool) -> Dialect:
    encoding = source.given.encoding or source.recognised
    begins = encodings.named(encoding, first) if encoding else encodings.beginning(first)
    sample = await in_thread(
        lambda: csv_dialect.take_sample(
            first, begins, whole=whole, given=source.given, remembered=source.remembered
        )
    )
    remembered: Mappings = {}
    if source.given.columns is None:
        remembered = await ask.remembered(list(sample.headers()))
    patch = source.mode == "patch"
    return csv_dialect.dialect_of(
        sample, source.given, remembered, patch=patch, usual_row=source.remembered.header_row
    )


def _json_dialect(first: bytes) -> Dialect:
    names: dict[str, None] = {}
    for line in first[:SAMPLE_BYTES].removeprefix(b"\xef\xbb\xbf").split(b"\n")[:200]:
        try:
            found = msgspec.json.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        if isinstance(found, dict):
            names.update(dict.fromkeys(found))
    if not names:
        raise Unreadable("not_jsonl", "The file does not begin with a JSON object per line.")
    return Dialect(header=tuple(names))


async def _spooled(source: Source, plain: AsyncIterator[bytes], ask: Ask, begin: Begin) -> Batches:
    """Formats that are read from their end need a file; it lives only as long as the reading."""
    with tempfile.TemporaryDirectory(prefix="price-upload-") as folder:
        path = Path(folder) / "content"
        with path.open("wb") as file:
            async for piece in plain:
                await in_thread(file.write, piece)
        opened = await in_thread(_opened, source, path)
        remembered = await ask.remembered(opened.headers)
        dialect = await in_thread(opened.dialect, remembered)
        reading, how = await _reading(source, dialect, ask, opened.numbers, begin)
        iterator = await in_thread(opened.batches, reading)
        ended = False

        def following() -> RawBatch | None:
            nonlocal ended
            batch = next(iterator, None)
            ended = batch is None
            return batch

        while not ended:
            yield following, how


class _Opened(NamedTuple):
    """`headers`: every row that may be the header."""

    headers: Sequence[Sequence[str]]
    dialect: Callable[[Mappings], Dialect]
    numbers: Numbers
    batches: Callable[[Reading], Iterator[RawBatch]]


def _opened(source: Source, path: Path) -> _Opened:
    if source.format == "parquet":
        table = ParquetTable(path)
        return _Opened(
            [table.header],
            lambda _: Dialect(header=table.header),
            lambda dialect: table.numbers(dialect.columns),
            table.batches,
        )
    sheet = Sheet(path, wanted=source.given.sheet, remembered=source.remembered.sheet)
    patch = source.mode == "patch"
    return _Opened(
        sheet.headers(),
        lambda remembered: sheet.dialect(
            source.given, remembered, patch=patch, usual_row=source.remembered.header_row
        ),
        lambda dialect: sheet.numbers(dialect.columns, dialect.header),
        sheet.batches,
    )
