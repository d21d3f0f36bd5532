"""Rows that a list holds already are recognised wherever they stand, and nothing else is."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import closing

import msgspec
import polars as pl
import pytest

from pricing.imports.read import known
from pricing.imports.read.csv_dialect import dialect_of, take_sample
from pricing.imports.read.dialect import map_columns
from pricing.imports.read.encodings import Beginning
from pricing.imports.read.formats import CsvReader, Reading
from pricing.imports.read.formats import sieve as sieves
from pricing.imports.read.formats.sieve import Sieve
from pricing.imports.read.known import KnownRows, stored
from pricing.imports.rules import ReadingOptions
from pricing.imports.upload.packing import packed, unpacked

PART = 64


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few hundred rows then cross as many borders as a million do."""
    monkeypatch.setattr(known, "PART_ROWS", PART)
    monkeypatch.setattr(known, "AROUND_BEFORE", 20)
    monkeypatch.setattr(known, "AROUND_AFTER", 50)
    monkeypatch.setattr(sieves, "LOOKED_AT_ROWS_MIN", 40)
    monkeypatch.setattr(sieves, "MOVED_ROWS_MIN", 100)
    monkeypatch.setattr(sieves, "GATHERED_ROWS_MAX", 150)


def known_rows(prints: list[int]) -> KnownRows:
    rows = KnownRows()
    for start in range(0, len(prints), PART):
        rows.add(stored(pl.Series(prints[start : start + PART], dtype=pl.UInt64)))
    return rows


def frames(prints: list[int], sizes: random.Random) -> Iterator[tuple[pl.DataFrame, bool]]:
    """The file in pieces of any size, with whether it is the last."""
    place = 0
    while place < len(prints):
        piece = prints[place : place + sizes.randint(1, 90)]
        row_nos = pl.int_range(place + 2, place + 2 + len(piece), dtype=pl.Int32, eager=True)
        place += len(piece)
        yield (
            pl.DataFrame({"row_no": row_nos, "fingerprint": pl.Series(piece, dtype=pl.UInt64)}),
            place == len(prints),
        )


def sieved(before: list[int], now: list[int], seed: int) -> tuple[list[int], set[int], int]:
    """(row numbers to look at, fingerprints that are gone, known rows)."""
    rows = known_rows(before)
    sieve = Sieve(rows)
    looked_at: list[int] = []
    every: list[int] = []
    unchanged = 0
    for frame, last in frames(now, random.Random(seed)):
        passed = sieve.take(frame, last=last)
        if passed is not None:
            looked_at += passed.rows["row_no"].to_list()
            every += passed.fingerprints.to_list()
            unchanged += passed.unchanged
    assert every == now
    gone = {each for part in rows.missing_parts() for each in part}
    assert rows.missing == len(gone)
    rows.close()
    return looked_at, gone, unchanged


FRESH = [10_000 + n for n in range(300)]


def with_rows(rows: list[int], more: list[int], chance: random.Random) -> list[int]:
    """`more` of them, put in one by one anywhere."""
    now = list(rows)
    for row in more:
        now.insert(chance.randrange(len(now) + 1), row)
    return now


def with_changes(rows: list[int], chance: random.Random) -> list[int]:
    now = list(rows)
    for place in chance.sample(range(len(now)), len(now) // 100):
        now[place] = FRESH[place % 300]
    return now


def halves_swapped(rows: list[int]) -> list[int]:
    return rows[len(rows) // 2 :] + rows[: len(rows) // 2]


Way = Callable[[list[int], random.Random], list[int]]
WAYS: dict[str, Way] = {
    "nothing changed": lambda rows, _: rows,
    "a hundredth changed": with_changes,
    "one put in first": lambda rows, _: FRESH[:1] + rows,
    "many put in": lambda rows, _: rows[:333] + FRESH[:200] + rows[333:],
    "many taken out": lambda rows, _: rows[:100] + rows[450:] or FRESH,
    "some put in everywhere": lambda rows, chance: with_rows(rows, FRESH[:60], chance),
    "two halves changed places": lambda rows, _: halves_swapped(rows),
    "sorted otherwise": lambda rows, chance: chance.sample(rows, len(rows)),
    "rows repeated": lambda rows, chance: with_rows(rows, chance.choices(rows, k=30), chance),
    "nothing left": lambda rows, _: FRESH,
    "longer": lambda rows, _: rows + FRESH,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("rows", [1, PART, 700])
def test_just_the_unknown_rows_are_looked_at(way: Way, rows: int) -> None:
    for seed in range(3):
        chance = random.Random(seed)
        before = chance.sample(range(9_000), rows)
        now = way(before, chance)
        looked_at, gone, unchanged = sieved(before, now, seed)
        there = set(before)
        assert looked_at == [n for n, each in enumerate(now, 2) if each not in there]
        assert gone == there - set(now)
        assert unchanged == sum(each in there for each in now)


def test_rows_are_counted_wherever_they_are_known() -> None:
    with closing(known_rows(list(range(200)))) as rows:
        assert rows.holds(pl.Series([5, 5, 150, 199, 200], dtype=pl.UInt64)) == 4


def test_a_part_after_the_last_one_is_a_mistake() -> None:
    with closing(known_rows(list(range(PART + 1)))) as rows, pytest.raises(AssertionError):
        rows.add(stored(pl.Series([1], dtype=pl.UInt64)))


FILE = (
    b"sku,name,unit,currency,price\r\n\r\n"
    b'A,"two\r\nlines",C62,EUR,1\r\n'
    b"B,Gr\xc3\xb6\xc3\x9fe,C62,EUR,2\rC,,C62,EUR,3\n"
    b'D,a "stray sign,C62,EUR,4\nE,\xff\xfe,C62,EUR,5\nF,x,C62,EUR,6,7\n\nG,end,C62,EUR,8'
)


UTF8 = Beginning("utf-8", 0, proven=True)


def read(content: bytes, piece: int) -> list[tuple[object, ...]]:
    """Everything the reader says of a file that comes in pieces."""
    nothing = ReadingOptions()
    sample = take_sample(FILE, UTF8, whole=True, given=nothing, remembered=nothing)
    dialect = dialect_of(sample, nothing, {}, patch=False, usual_row=None)
    dialect = msgspec.structs.replace(dialect, columns=map_columns(dialect.header, None))
    reader = CsvReader(Reading(dialect, 1))
    told: list[tuple[object, ...]] = []
    for start in range(0, len(content), piece):
        last = start + piece >= len(content)
        batch = reader.feed(content[start : start + piece], last=last)
        if batch is not None:
            told += batch.frame.drop("fingerprint").rows()
            told += zip(batch.row_nos, batch.fingerprints, strict=True)
            told += [("error", error.row, error.code) for error in batch.errors]
            told += batch.rejects.items()
    return sorted(told, key=repr)


def test_pieces_of_any_size_say_the_same() -> None:
    whole = read(FILE, len(FILE))
    codes = {row[-1] for row in whole if row[0] == "error"}
    assert {"wrong_encoding", "wrong_column_count", "malformed_quoting"} <= codes
    for piece in range(1, 40):
        assert read(FILE, piece) == whole


@pytest.mark.parametrize("content", [b"x" * 100_000, b"a,b\n" * 10_000 + b"\x00\xff"])
def test_what_shrinks_is_packed_and_comes_out_the_same(content: bytes) -> None:
    small = packed(content)
    assert small is not None
    assert len(small) < len(content) // 10
    assert unpacked(small) == content


def test_what_does_not_shrink_stays_as_it_is() -> None:
    assert packed(random.Random(1).randbytes(100_000)) is None
