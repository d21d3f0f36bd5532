"""A number that two countries read differently is asked back in every format and column."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import Any

import polars as pl
import pytest

from pricing.imports.check.exports import workbook
from tests.pricing.conftest import Shop
from tests.pricing.test_price_pages import post_form

HEADER = ["sku", "unit", "currency", "price"]


def csv_of(header: list[str], *rows: list[str]) -> str:
    return "".join(";".join(cells) + "\n" for cells in (header, *rows))


async def codes(shop: Shop, done: dict[str, Any]) -> list[tuple[int, str, str]]:
    return [(e["row"], e["column"], e["code"]) for e in await shop.errors(done["id"])]


@pytest.mark.parametrize(
    ("prices", "code"),
    [
        (["1.355", "12.400", "2.990"], "ambiguous_number"),
        (["1,299", "12,400", "2,990"], "ambiguous_number"),
        (["1.250"], "ambiguous_number"),
    ],
)
async def test_a_file_that_proves_nothing_is_asked_back(
    shop: Shop, prices: list[str], code: str
) -> None:
    rows = [[f"A{n}", "C62", "EUR", price] for n, price in enumerate(prices)]
    done = await shop.upload(csv_of(HEADER, *rows), mode="replace")
    assert done["state"] == "failed"
    assert done["detected"]["decimal"] is None
    errors = await shop.errors(done["id"])
    assert [(e["code"], e["value"]) for e in errors] == [(code, price) for price in prices]
    assert all("which decimal mark" in e["hint"] for e in errors)
    assert await shop.lines() == []


async def test_the_rest_of_the_file_decides(shop: Shop) -> None:
    rows = [["A", "C62", "EUR", "12,50"], ["B", "C62", "EUR", "1.250"], ["C", "C62", "EUR", "7,10"]]
    done = await shop.upload(csv_of(HEADER, *rows), mode="replace", on_error="reject_rows")
    assert done["detected"]["decimal"] == ","
    [error] = await shop.errors(done["id"])
    assert (error["row"], error["code"], error["value"]) == (3, "grouped_number", "1.250")
    assert await shop.prices() == {"A": "12.50", "C": "7.10"}
    rows = [
        ["A", "C62", "USD", "12.50"],
        ["B", "C62", "USD", '"1,299"'],
        ["C", "C62", "USD", "1.299"],
    ]
    done = await shop.upload(csv_of(HEADER, *rows), mode="replace", on_error="reject_rows")
    assert done["detected"]["decimal"] == "."
    assert await codes(shop, done) == [(3, "price", "grouped_number")]


async def test_quantities_are_read_like_prices(shop: Shop) -> None:
    names = ("min_quantity", "price_unit", "pack_size", "moq")
    rows = [["A", "C62", "EUR", "79", "1.000", "1.000", "2.500", "1.000"]]
    header = [*HEADER, *names]
    done = await shop.upload(csv_of(header, *rows), mode="replace", on_error="reject_rows")
    found = await codes(shop, done)
    assert sorted(found) == sorted((2, name, "ambiguous_number") for name in names)
    assert await shop.lines() == []
    rows.append(["B", "C62", "EUR", "79,50", "1", "1", "1", "1"])
    done = await shop.upload(csv_of(header, *rows), mode="replace", on_error="reject_rows")
    assert {code for _, _, code in await codes(shop, done)} == {"grouped_number"}
    [line] = await shop.lines()
    assert (line["sku"], line["price"]["amount"]) == ("B", "79.50")
    rows = [["A", "C62", "EUR", "79.50", "1.000", "1000", "1", "1"]]
    await shop.upload(csv_of(header, *rows), mode="merge")
    line = (await shop.lines())[0]
    assert (line["sku"], line["min_quantity"], line["price_unit"]) == ("A", "1", "1000")


async def test_the_mark_is_found_in_columns_that_are_mapped(shop: Shop) -> None:
    header = ["Nr", "ME", "W", "Betrag"]
    columns = dict(zip(header, HEADER, strict=True))
    content = csv_of(header, ["A", "C62", "EUR", "12,50"], ["B", "C62", "EUR", "3"])
    done = await shop.upload(content, mode="replace", columns=columns)
    assert done["state"] == "published", await shop.errors(done["id"])
    assert await shop.prices() == {"A": "12.50", "B": "3.00"}


async def test_later_rows_may_decide_for_themselves(shop: Shop) -> None:
    """No proof stands in the part that is looked at first: sure numbers are taken either way."""
    rows = [[f"S{n:05d}", "C62", "EUR", "5", "x" * 200] for n in range(2_000)]
    rows += [["T", "C62", "EUR", "1.250", ""], ["U", "C62", "EUR", "2,50", ""]]
    content = csv_of([*HEADER, "name"], *rows)
    done = await shop.upload(content, mode="replace", on_error="reject_rows")
    assert await codes(shop, done) == [(2002, "price", "ambiguous_number")]
    assert (await shop.resolve("U")).json()["price"]["amount"] == "2.50"


def sheet(*prices: float | str) -> bytes:
    """A workbook in which a float is a number and a text is a text."""
    rows = [[f"A{n}", "C62", "EUR", str(price)] for n, price in enumerate(prices)]
    packed, file = zipfile.ZipFile(io.BytesIO(workbook([HEADER, *rows]))), io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in packed.namelist():
            body = packed.read(name).decode()
            for n, price in enumerate(prices, 2):
                if isinstance(price, float):
                    cell = re.compile(rf'<c r="D{n}" t="inlineStr">.*?</c>')
                    body = cell.sub(f'<c r="D{n}"><v>{price}</v></c>', body)
            archive.writestr(name, body)
    return file.getvalue()


def jsonl(*rows: dict[str, Any]) -> str:
    return "\n".join(json.dumps({"unit": "C62", "currency": "EUR"} | row) for row in rows)


async def test_numbers_of_json_have_one_reading_and_its_texts_do_not(shop: Shop) -> None:
    content = jsonl(
        {"sku": "A", "price": 1.355}, {"sku": "B", "price": "1.355"}, {"sku": "C", "price": 7}
    )
    done = await shop.upload(content, mode="replace", on_error="reject_rows", format="jsonl")
    assert await codes(shop, done) == [(2, "price", "ambiguous_number")]
    assert await shop.prices() == {"A": "1.355", "C": "7.00"}
    content = jsonl(
        {"sku": "A", "price": "1,35"}, {"sku": "B", "price": "1.250"}, {"sku": "C", "price": 7.5}
    )
    done = await shop.upload(content, mode="replace", on_error="reject_rows", format="jsonl")
    assert await codes(shop, done) == [(2, "price", "grouped_number")]
    assert await shop.prices() == {"A": "1.35", "C": "7.50"}


async def test_numbers_of_a_sheet_have_one_reading_and_its_texts_do_not(shop: Shop) -> None:
    done = await shop.upload(
        sheet(1.355, "1.355"), mode="replace", on_error="reject_rows", format="xlsx"
    )
    assert await codes(shop, done) == [(3, "price", "ambiguous_number")]
    assert await shop.prices() == {"A0": "1.355"}
    done = await shop.upload(
        sheet("1,35", 1.25, "1.250"), mode="replace", on_error="reject_rows", format="xlsx"
    )
    assert await codes(shop, done) == [(4, "price", "grouped_number")]
    assert await shop.prices() == {"A0": "1.35", "A1": "1.25"}


async def test_numbers_of_parquet_have_one_reading_and_its_texts_do_not(shop: Shop) -> None:
    def table(prices: list[Any]) -> bytes:
        file = io.BytesIO()
        skus = [f"A{n}" for n in range(len(prices))]
        rows = {"sku": skus, "unit": "C62", "currency": "EUR", "price": prices}
        pl.DataFrame(rows).write_parquet(file)
        return file.getvalue()

    done = await shop.upload(table([1.355, 2.0]), mode="replace", format="parquet")
    assert done["state"] == "published", await shop.errors(done["id"])
    assert await shop.prices() == {"A0": "1.355", "A1": "2.00"}
    done = await shop.upload(
        table(["1.355", "2"]), mode="replace", on_error="reject_rows", format="parquet"
    )
    assert await codes(shop, done) == [(1, "price", "ambiguous_number")]


async def test_what_is_typed_into_the_grid_is_asked_back_too(shop: Shop) -> None:
    content = csv_of([*HEADER, "min_quantity"], ["A", "C62", "EUR", "9.5", "2.5"])
    await shop.upload(content, mode="replace")
    row = {"sku.0": "A", "unit.0": "C62", "currency.0": "EUR", "min_quantity.0": "2.5"}
    path = f"/prices/{shop.list_id}/lines"
    typed = row | {"price.0": "1.250", "price.0.old": "9.50"}
    sent = await post_form(shop, path, **typed)
    await shop.work()
    done = await shop.show(sent.headers["location"].rpartition("/")[2])
    assert [code for _, _, code in await codes(shop, done)] == ["ambiguous_number"]
    typed = row | {"price.0": "9,25", "price.0.old": "9.50"}
    await post_form(shop, path, **typed)
    await shop.work()
    assert await shop.prices() == {"A": "9.25"}


async def test_a_reversed_period_is_found_beside_a_malformed_date(shop: Shop) -> None:
    """A wrong row must not switch off the check of all others."""
    header = [*HEADER, "valid_from", "valid_to"]
    rows = [
        ["A", "C62", "EUR", "1", "2027-02-30", ""],
        ["B", "C62", "EUR", "1", "2027-06-01", "2027-05-01"],
        ["C", "C62", "EUR", "1", "2027-06-01", "2027-07-01"],
    ]
    done = await shop.upload(csv_of(header, *rows), mode="replace", on_error="reject_rows")
    assert await codes(shop, done) == [
        (2, "valid_from", "malformed_date"),
        (3, "valid_to", "period_reversed"),
    ]
    assert list(await shop.prices()) == ["C"]
