"""How a file is read: what is found out, what may be said, and what is remembered."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from tests.pricing.conftest import NewShop, Shop

HEADER = "sku;unit;currency;price;name\n"
CZECH = (HEADER + "A;C62;CZK;12,50;Příruba měděná\nB;C62;CZK;900,00;Těsnění čerpadla\n").encode(
    "cp1250"
)
UNSURE = (HEADER + "A;C62;PLN;12,50;Śruba M8\n").encode("cp1250")


async def names(shop: Shop) -> list[str]:
    return [line["name"] for line in await shop.lines()]


async def test_a_code_page_is_recognised_and_reported(shop: Shop) -> None:
    done = await shop.upload(gzip.compress(CZECH))
    assert done["state"] == "published", (done, await shop.errors(done["id"]))
    assert done["detected"]["encoding"] == "cp1250"
    assert await names(shop) == ["Příruba měděná", "Těsnění čerpadla"]


async def test_letters_behind_the_sample_are_not_taken_for_utf8(shop: Shop) -> None:
    rows = "".join(
        f"S{n:06};C62;CZK;1;plain and long enough to fill the sample\n" for n in range(25_000)
    )
    content = HEADER.encode() + rows.encode() + CZECH.split(b"\n", 1)[1]
    done = await shop.upload(content)
    assert (done["state"], done["detected"]["encoding"]) == ("published", "cp1250")
    assert done["rows"]["read"] == 25_002
    assert (await names(shop))[:2] == ["Příruba měděná", "Těsnění čerpadla"]


async def test_an_unclear_encoding_is_asked_about_said_and_remembered(
    shop: Shop, new_shop: NewShop
) -> None:
    asked = await shop.upload(UNSURE)
    assert (asked["state"], asked["failure"]["code"]) == ("failed", "unclear_encoding")
    readings = {each["encoding"]: each["line"] for each in asked["detected"]["candidates"]}
    assert readings["cp1250"] == "A;C62;PLN;12,50;Śruba M8"
    said = await shop.upload(UNSURE, reading={"encoding": "windows-1250"})
    assert (said["state"], said["detected"]["encoding"]) == ("published", "cp1250")
    again = await shop.upload(UNSURE.replace(b"12,50", b"13,50"))
    assert (again["state"], again["detected"]["encoding"]) == ("published", "cp1250")
    assert await names(shop) == ["Śruba M8"]
    # What is remembered never overrules the file, and never another list.
    utf8 = await shop.upload((HEADER + "A;C62;PLN;12,50;Śruba\n").encode())
    assert utf8["detected"]["encoding"] == "utf-8"
    other = await new_shop(shop.person)
    assert (await other.upload(UNSURE))["state"] == "failed"


async def test_mixed_encodings_are_refused(shop: Shop) -> None:
    line = "A{};C62;RUB;1;Подшипник шариковый\n"
    rows = b"".join(line.format(n).encode("cp1251") for n in range(9))
    done = await shop.upload(HEADER.encode() + rows + line.format("X").encode())
    assert (done["state"], done["failure"]["code"]) == ("failed", "mixed_encodings")


TITLES = "Price list 2026;;;\n;;;\nValid from January;;;\n"
LONG_TEXT = "\n".join(["line"] * 300)


@pytest.mark.parametrize(
    ("content", "header_row"),
    [
        (TITLES + "sku;unit;currency;price\nA;C62;EUR;1,5\n", 4),
        ("sep=;\r\nsku;unit;currency;price\r\nA;C62;EUR;1,5\r\n", 1),
        ("sep=^\nsku^unit^currency^price\nA^C62^EUR^1.5\n", 1),
        ('sku,"Unit\nof\nmeasure",currency,"price"\nA,C62,EUR,1.5\n', 1),
        (f'sku,unit,currency,price,notes\nA,C62,EUR,1.5,"{LONG_TEXT}"\n', 1),
        ('sku,unit,currency,price,notes\r\nA,C62,EUR,1.5,"""a""\r\n\r\nb"\r\n', 1),
    ],
)
async def test_where_the_table_begins(shop: Shop, content: str, header_row: int) -> None:
    done = await shop.upload(content)
    assert done["state"] == "published", (done, await shop.errors(done["id"]))
    assert done["detected"]["header_row"] == header_row
    assert await shop.prices() == {"A": "1.50"}


async def test_rows_are_numbered_as_the_spreadsheet_shows_them(shop: Shop) -> None:
    content = 'Title,,,,\nsku,unit,currency,price,notes\nA,C62,EUR,1,"a\nb\nc"\nB,C62,EUR,x,\n'
    done = await shop.upload(content)
    assert [(found["row"], found["code"]) for found in await shop.errors(done["id"])] == [
        (4, "malformed_number")
    ]


async def test_a_mapping_under_a_title_is_said_once(shop: Shop) -> None:
    content = "Preisliste;;;\nNr;ME;Whg;VK\nA;C62;EUR;1.250\nB;C62;EUR;2,75\n"
    columns = {"Nr": "sku", "ME": "unit", "Whg": "currency", "VK": "price"}
    asked = await shop.upload(content)
    assert (asked["failure"]["code"], asked["detected"]["header"]) == (
        "columns_missing",
        ["Nr", "ME", "Whg", "VK"],
    )
    said = await shop.upload(content, reading={"columns": columns}, on_error="reject_rows")
    # The decimal mark is found under a mapping too: a point then groups.
    assert (said["detected"]["decimal"], said["detected"]["header_row"]) == (",", 2)
    assert await shop.prices() == {"B": "2.75"}
    again = await shop.upload(content.replace("1.250", "1250"))
    assert (again["state"], again["detected"]["columns"]) == ("published", columns)
    assert await shop.prices() == {"A": "1250.00", "B": "2.75"}


async def test_a_mark_that_was_said_reads_what_the_file_leaves_open(shop: Shop) -> None:
    content = "sku;unit;currency;price\nA;C62;EUR;1.250\n"
    asked = await shop.upload(content)
    assert [found["code"] for found in await shop.errors(asked["id"])] == ["ambiguous_number"]
    assert (await shop.upload(content, reading={"decimal": "."}))["state"] == "published"
    assert await shop.prices() == {"A": "1.25"}
    assert (await shop.upload(content.replace("A", "B")))["state"] == "published", "remembered"


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"reading": {"encoding": "klingon"}}, "reading.encoding", "unknown_encoding"),
        ({"reading": {"delimiter": "ab"}}, "reading.delimiter", "no_delimiter"),
        ({"reading": {"sheet": "Prices"}}, "reading.sheet", "not_for_format"),
        ({"reading": {"header_row": 2}, "format": "jsonl"}, "reading.header_row", "not_for_format"),
        ({"reading": {"columns": {"a": "b"}}}, "columns.a", "unknown_column"),
        ({"reading": {"columns": {"a": "sku"}}, "columns": {"b": "sku"}}, "columns", "given_twice"),
        ({"reading": {"header_row": 0}}, None, None),
        ({"reading": {"decimal": ";"}}, None, None),
        ({"reading": {"quote": "'"}}, None, None),
    ],
)
async def test_options_are_checked_before_the_file_comes(
    shop: Shop, fields: dict[str, Any], field: str | None, code: str | None
) -> None:
    body = {"price_list_id": shop.list_id, **fields}
    answer = await shop.client.post("/api/v1/price_imports", json=body)
    assert answer.status_code in {400, 422}, answer.text
    if code is not None:
        assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(field, code)]


@pytest.mark.parametrize(
    ("sku", "code"),
    [
        ("A\u200b", "invisible_character"),
        ("\ufeffB", "invisible_character"),
        ("ABC\u00ad-1", "invisible_character"),
        ("\u202aXYZ\u202c", "invisible_character"),
        ("AB\u00a0C", "invisible_character"),
        ("SCHRAUBE-U\u03081", "not_normalised"),
        ("4,00638E+12", "damaged_sku"),
        ("1.23457E+15", "damaged_sku"),
        ("123456789012345000", "damaged_sku"),
        ("1234567890123450", "damaged_sku"),
        ("#N/A", "damaged_sku"),
    ],
)
async def test_a_damaged_article_number_is_named_and_never_published(
    shop: Shop, sku: str, code: str
) -> None:
    rows = f'"{sku}";C62;EUR;1;x\nOK-Ü;C62;EUR;2;x\n2E10;C62;EUR;3;x\n'
    done = await shop.upload(HEADER + rows, on_error="reject_rows")
    found = [(e["row"], e["column"], e["code"]) for e in await shop.errors(done["id"])]
    assert found == [(2, "sku", code)]
    assert await shop.prices() == {"OK-Ü": "2.00", "2E10": "3.00"}
