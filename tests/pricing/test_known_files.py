"""A large file comes again, in another order or written otherwise: the list shows just what is in
it, and only what differs is applied.
"""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

import pytest

from marketplace.kernel.db import Database
from pricing.imports.read.fingerprints import LINES_MIN
from tests.pricing.conftest import Shop

COLUMNS = ["sku", "unit", "currency", "price", "min_quantity", "name"]
ROWS = LINES_MIN + 1_000
Row = list[str]


def row(number: int, price: str = "") -> Row:
    return [
        f"S{number // 2:06d}",
        "C62",
        "EUR",
        price or f"10.{number % 100:02d}",
        "10" if number % 2 else "1",
        # Long enough for the file to be read in several pieces.
        f"Größe {number:<80}.",
    ]


def text(rows: list[Row], columns: list[str] = COLUMNS, delimiter: str = ",") -> str:
    places = [COLUMNS.index(name) for name in columns]
    lines = [columns, *([cells[place] for place in places] for cells in rows)]
    return "".join(delimiter.join(line) + "\n" for line in lines)


def counts(done: dict[str, Any]) -> tuple[int, int, int]:
    """Rows applied, unchanged and invalid."""
    assert done["state"] == "published", done
    rows = done["rows"]
    assert rows["read"] == rows["applied"] + rows["unchanged"] + rows["invalid"]
    return rows["applied"], rows["unchanged"], rows["invalid"]


@pytest.fixture
async def stocked(shop: Shop) -> Shop:
    rows = [row(number) for number in range(ROWS)]
    assert counts(await shop.upload(text(rows), mode="replace")) == (ROWS, 0, 0)
    return shop


async def test_the_same_rows_in_any_order_change_nothing(stocked: Shop) -> None:
    rows = [row(number) for number in range(ROWS)]
    chance = random.Random(1)
    for mixed in (rows[9_000:] + rows[:9_000], rows[::-1], chance.sample(rows, len(rows))):
        done = await stocked.upload(text(mixed), mode="replace")
        assert counts(done) == (0, ROWS, 0)
        assert done["version"] == 1


async def test_rows_put_in_and_taken_out_shift_all_others(stocked: Shop) -> None:
    rows = [row(number) for number in range(ROWS)]
    now = [row(ROWS), *rows[:5_000], *rows[5_004:15_000], *rows[15_000:], row(ROWS + 1)]
    # One SKU is new with both of its lines, two are gone; a price changed in the last piece.
    now[-2] = row(ROWS - 1, "11.50")
    done = await stocked.upload(text(now), mode="replace")
    assert counts(done) == (3, ROWS - 5, 0)
    diff = await stocked.diff(done["id"])
    assert diff["counts"] == {
        "added": 2,
        "changed": 1,
        "removed": 4,
        "unchanged": ROWS - 5,
        "held": 0,
    }
    assert done["removals"]["skus"] == 2
    shown = await stocked.price_list()
    assert (shown["version"], shown["lines"], shown["skus"]) == (2, ROWS - 2, ROWS // 2 - 1)
    changed = await stocked.resolve(f"S{(ROWS - 1) // 2:06d}", quantity="10")
    assert changed.json()["price"]["amount"] == "11.50"
    # And the next one is compared with what this one left.
    assert counts(await stocked.upload(text(now), mode="replace")) == (0, ROWS - 2, 0)


async def test_a_repeated_row_is_told_by_its_later_place(stocked: Shop) -> None:
    rows = [row(number) for number in range(ROWS)]
    # A known row far from where it stood, and again in its place; a new one twice.
    now = [rows[20_000], *rows[:10_000], row(ROWS), *rows[10_000:], row(ROWS)]
    done = await stocked.upload(text(now), mode="replace", on_error="reject_rows")
    assert counts(done) == (1, ROWS, 2)
    told = [(error["row"], error["code"]) for error in await stocked.errors(done["id"])]
    assert told == [(20_004, "duplicate_row"), (ROWS + 4, "duplicate_row")]
    # A file without its repetitions is what the list holds.
    again = await stocked.upload(text(now[:-1][1:]), mode="replace")
    assert (counts(again), again["version"]) == ((0, ROWS + 1, 0), 2)


@pytest.mark.parametrize(
    ("columns", "delimiter", "encoding"),
    [
        (COLUMNS, ";", "utf-8"),
        (COLUMNS, ",", "utf-16"),
        (COLUMNS, ",", "utf-8-sig"),
        (COLUMNS[::-1], ",", "utf-8"),
    ],
    ids=["delimiter", "encoding", "byte order mark", "columns"],
)
async def test_a_file_written_otherwise_says_the_same(
    stocked: Shop, columns: list[str], delimiter: str, encoding: str
) -> None:
    rows = [row(number) for number in range(ROWS)]
    other = text(rows, columns, delimiter).encode(encoding)
    # The second time it is recognised as it is written now.
    for _ in range(2):
        done = await stocked.upload(other, mode="replace")
        assert (counts(done), done["version"]) == ((0, ROWS, 0), 1)
    rows[7] = row(7, "10.20")
    other = text(rows, columns, delimiter).encode(encoding)
    done = await stocked.upload(other, mode="replace")
    assert (counts(done), done["version"]) == ((1, ROWS - 1, 0), 2)


async def test_after_rows_were_left_out_the_next_file_is_compared_rightly(stocked: Shop) -> None:
    rows = [row(number) for number in range(ROWS)]
    rows[3], rows[10] = row(3, "abc"), row(10, "10.90")
    done = await stocked.upload(text(rows), mode="replace", on_error="reject_rows")
    assert counts(done) == (1, ROWS - 2, 1)
    rows[3] = row(3, "10.30")
    done = await stocked.upload(text(rows), mode="replace")
    assert (counts(done), done["version"]) == ((1, ROWS - 1, 0), 3)
    assert (await stocked.price_list())["lines"] == ROWS


async def test_a_stored_file_is_small_and_comes_out_as_it_was(
    shop: Shop, database: Database
) -> None:
    content = text([row(number) for number in range(40_000)]).encode()
    begun = await shop.begin(mode="replace")
    assert (await shop.send(begun["id"], content)).status_code == 200
    pool = await database.pool()
    sizes = await pool.fetch(
        "SELECT length(bytes) AS size, packed FROM price_import_chunks WHERE import_id = $1",
        UUID(begun["id"]),
    )
    assert all(size["packed"] for size in sizes)
    assert sum(size["size"] for size in sizes) < len(content) // 3
    await shop.work()
    assert counts(await shop.show(begun["id"])) == (40_000, 0, 0)
