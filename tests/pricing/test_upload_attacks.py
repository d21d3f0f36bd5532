"""Files that are wrong, or meant to harm: a clear error each, nothing half-written."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import tracemalloc
import zipfile

import polars as pl
import pytest

from marketplace.kernel.spreadsheets import harmless
from pricing.imports.check.exports import workbook
from pricing.imports.read.dialect import Dialect
from pricing.imports.read.formats import CsvReader, Reading
from pricing.imports.read.formats.unpack import Gunzip
from tests.pricing.conftest import Shop

HEADER = "sku,unit,currency,price\n"
GOOD = "G,C62,EUR,1.00\n"


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("NaN", "not_a_number"),
        ("inf", "not_a_number"),
        ("1e5", "exponent"),
        ("-5", "negative"),
        ("=1+1", "formula"),
        ('"@SUM(A1)"', "formula"),
        ('"1,234.50"', "grouped_number"),
        ("1.2345678", "too_precise"),
        ("9999999999999", "out_of_range"),
        ("", "missing"),
        ("ten", "malformed_number"),
        ("#delete", "malformed_number"),
    ],
)
async def test_a_price_that_is_none(shop: Shop, cell: str, code: str) -> None:
    done = await shop.upload(
        HEADER + GOOD + f"A,C62,EUR,{cell}\n", mode="replace", on_error="reject_rows"
    )
    assert done["rows"]["invalid"] == 1, done
    [error] = await shop.errors(done["id"])
    assert (error["row"], error["column"], error["code"]) == (3, "price", code)
    assert error["hint"] or code == "x"
    assert await shop.prices() == {"G": "1.00"}


async def test_a_line_that_names_a_column_twice_or_never_ends_is_wrong(shop: Shop) -> None:
    good = '{"sku": "G", "unit": "C62", "currency": "EUR", "price": "1.00"}'
    twice = '{"sku": "A:1", "unit": "C62", "currency": "EUR", "price": "1", "\\u0070rice": "100"}'
    deep = '{"sku": "B", "x": ' + "[" * 30_000 + "}"
    done = await shop.upload(
        "\n".join([good, twice, deep]), mode="replace", on_error="reject_rows", format="jsonl"
    )
    errors = {error["row"]: error["code"] for error in await shop.errors(done["id"])}
    assert errors == {2: "repeated_key", 3: "malformed_json"}
    path = f"/api/v1/price_imports/{done['id']}/errors"
    assert (await shop.client.get(path, params={"format": "csv"})).status_code == 200
    assert await shop.prices() == {"G": "1.00"}


@pytest.mark.parametrize(
    ("head", "cell", "code"),
    [
        ("valid_from", "2026-02-30", "malformed_date"),
        ("valid_from", "1026-01-01", "absurd_date"),
        ("valid_to", "9999-12-31", "absurd_date"),
        ("valid_from", "01/02/2026", "ambiguous_date"),
        ("currency", "EURO", "unknown_currency"),
        ("currency", "EUX", "unknown_currency"),
        ("currency", "XXX", "unknown_currency"),
        ("lead_time_days", "1.5", "malformed_integer"),
        ("lead_time_days", "9999", "malformed_integer"),
        ("incoterm", "XXX", "unknown_incoterm"),
        ("min_quantity", "0", "not_positive"),
        ("price_unit", "-1", "negative"),
        ("name", "=cmd|' /C calc'!A0", "formula"),
        ("name", "@SUM(1)", "formula"),
        ("name", "x" * 501, "too_long"),
        ("unit", "furlongs", "unknown_unit"),
        ("unit", "=C62", "formula"),
        ("sku", "A\tB", "control_character"),
    ],
)
async def test_other_cells(shop: Shop, head: str, cell: str, code: str) -> None:
    row = {"sku": "A", "unit": "C62", "currency": "EUR", "price": "1"} | {head: cell}
    content = ";".join(row) + "\n" + ";".join(row.values()) + "\n"
    done = await shop.upload(content, mode="replace", on_error="reject_rows")
    assert [(e["column"], e["code"]) for e in await shop.errors(done["id"])] == [(head, code)]
    assert done["rows"]["invalid"] == 1


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"A,C62,EUR\n", "wrong_column_count"),
        (b"A,C62,EUR,1,2\n", "wrong_column_count"),
        (b'A"B",C62,EUR,1\n', "malformed_quoting"),
        (b'"A,C62,EUR,1\n', "malformed_quoting"),
        (b"A\x00,C62,EUR,1\n", "nul_byte"),
        (b"A\xff\xfe,C62,EUR,1\n", "wrong_encoding"),
        (b"A,C62,EUR," + b"1" * 70_000 + b"\n", "row_too_long"),
    ],
)
async def test_a_broken_line_spoils_itself_only(shop: Shop, line: bytes, code: str) -> None:
    content = HEADER.encode() + "Ä,C62,EUR,2.00\n".encode() * 1 + line + GOOD.encode()
    done = await shop.upload(content, mode="replace", on_error="reject_rows")
    assert [(e["row"], e["code"]) for e in await shop.errors(done["id"])] == [(3, code)]
    assert await shop.prices() == {"G": "1.00", "Ä": "2.00"}


async def test_a_quoted_cell_may_span_lines_and_hold_quotes(shop: Shop) -> None:
    content = 'sku,unit,currency,price,name\nA,C62,EUR,1,"5"" pipe, long"\nB,C62,EUR,2,plain\n'
    done = await shop.upload(content, mode="replace")
    assert done["state"] == "published", await shop.errors(done["id"])
    assert [ln["name"] for ln in await shop.lines()] == ['5" pipe, long', "plain"]
    # A line break inside a name is a control character: said by row, and the next row is whole.
    content = 'sku,unit,currency,price,name\nA,C62,EUR,1,"two\nlines"\nB,C62,EUR,2,plain\n'
    done = await shop.upload(content, mode="merge", on_error="reject_rows")
    assert [(e["row"], e["code"]) for e in await shop.errors(done["id"])] == [
        (2, "control_character")
    ]


@pytest.mark.parametrize(
    ("encoding", "delimiter", "decimal"),
    [("utf-8-sig", ";", ","), ("utf-16", "\t", "."), ("cp1252", ";", ","), ("cp1251", ",", ".")],
)
async def test_how_the_file_is_written_is_detected_and_reported(
    shop: Shop, encoding: str, delimiter: str, decimal: str
) -> None:
    name = "Насос" if encoding == "cp1251" else "Über"  # noqa: RUF001  # a pump in Russian
    rows = [["Artikelnummer", "Einheit", "Währung" if encoding != "cp1251" else "Валюта", "Preis"]]
    rows += [[name, "C62", "EUR", f"12{decimal}50"], ["B", "C62", "EUR", f"3{decimal}25"]]
    content = "\r\n".join(delimiter.join(row) for row in rows).encode(encoding)
    done = await shop.upload(content, mode="replace")
    assert done["state"] == "published", (done, await shop.errors(done["id"]))
    assert done["detected"]["delimiter"] == delimiter
    assert done["detected"]["decimal"] == decimal
    assert done["detected"]["encoding"] in {encoding.removesuffix("-sig"), "utf-16-le"}
    assert await shop.prices() == {name: "12.50", "B": "3.25"}


@pytest.mark.parametrize(
    ("content", "fields", "code"),
    [
        (b"a,b\n1,2\n", {}, "columns_missing"),
        (b"sku,sku,unit,currency,price\n", {}, "column_twice"),
        (b"\n\n", {}, "empty_file"),
        (b"PK\x03\x04 no sheet", {}, "not_csv"),
        (b"PK\x03\x04 no sheet", {"format": "xlsx"}, "broken_xlsx"),
        (b"not parquet", {"format": "parquet"}, "broken_parquet"),
        (b"hello\n", {"format": "jsonl"}, "not_jsonl"),
        (gzip.compress(HEADER.encode())[:-9], {}, "broken_gzip"),
        (gzip.compress(b"\0" * (64 << 20)), {}, "unpacked_too_large"),
    ],
)
async def test_a_file_that_cannot_be_read(
    shop: Shop, content: bytes, fields: dict[str, str], code: str
) -> None:
    done = await shop.upload(content, mode="replace", **fields)
    assert (done["state"], (done["failure"] or {}).get("code")) == ("failed", code), done
    assert (await shop.price_list())["version"] == 0


def bomb(entries: int, size: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        for n in range(entries):
            archive.writestr(f"xl/worksheets/sheet{n}.xml", b" " * size)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [(bomb(1, 40 << 20), "unpacked_too_large"), (bomb(1_200, 1), "too_many_entries")],
)
async def test_a_workbook_that_explodes(shop: Shop, content: bytes, code: str) -> None:
    done = await shop.upload(content, mode="replace", format="xlsx")
    assert (done["state"], done["failure"]["code"]) == ("failed", code)


async def test_formula_cells_of_a_workbook(shop: Shop) -> None:
    plain = workbook([["sku", "unit", "currency", "price"], ["A", "C62", "EUR", "1.5"]])
    assert (await shop.upload(plain, mode="replace", format="xlsx"))["state"] == "published"
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(plain)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            body = old.read(name).replace(
                b'<c r="D2" t="inlineStr"><is><t xml:space="preserve">1.5</t></is></c>',
                b'<c r="D2"><f>1+1</f><v>2</v></c>',
            )
            new.writestr(name, body)
    done = await shop.upload(file.getvalue(), mode="replace", format="xlsx", on_error="reject_rows")
    assert [(e["row"], e["column"], e["code"]) for e in await shop.errors(done["id"])] == [
        (2, "price", "formula")
    ]


async def test_gzip_and_the_other_formats(shop: Shop) -> None:
    rows = [{"sku": "A", "unit": "C62", "currency": "EUR", "price": 12.5}]
    text = (HEADER + "A,C62,EUR,12.50\n").encode()
    parquet = io.BytesIO()
    pl.DataFrame(rows).write_parquet(parquet)
    files = {
        "csv": gzip.compress(text),
        "jsonl": b'{"sku": "A", "unit": "C62", "currency": "EUR", "price": 12.50}\n',
        "parquet": parquet.getvalue(),
        "xlsx": workbook([["sku", "unit", "currency", "price"], ["A", "C62", "EUR", "12.5"]]),
    }
    for kind, content in files.items():
        done = await shop.upload(content, mode="replace", format=kind)
        assert done["state"] == "published", (kind, done, await shop.errors(done["id"]))
        assert await shop.prices() == {"A": "12.50"}


async def test_a_wrong_checksum_takes_nothing(shop: Shop) -> None:
    begun = await shop.begin(mode="replace", sha256="0" * 64)
    answer = await shop.send(begun["id"], (HEADER + GOOD).encode())
    assert (answer.status_code, answer.json()["code"]) == (422, "sha256_mismatch")
    assert (await shop.show(begun["id"]))["state"] == "awaiting_upload"


async def test_failed_rows_come_back_ready_to_correct(shop: Shop) -> None:
    rows = "A;C62;EUR;x\nB;C62;EUR;2,50\nC;C62;EUR;=1\n"
    done = await shop.upload(
        "Artikel;Einheit;currency;Preis\n".replace("Artikel;", "sku;") + rows,
        mode="replace",
        on_error="reject_rows",
    )
    path = f"/api/v1/price_imports/{done['id']}/errors"
    table = (await shop.client.get(path, params={"format": "csv"})).text.splitlines()
    assert table[0] == "sku;Einheit;currency;Preis;error_row;error_codes;error_messages"
    assert table[1].startswith("A;C62;EUR;x;2;price:malformed_number;")
    # What would run as a formula in a spreadsheet is shown as text.
    assert table[2].startswith("C;C62;EUR;'=1;4;price:formula;")
    sheet = await shop.client.get(path, params={"format": "xlsx"})
    assert sheet.content[:2] == b"PK"
    corrected = "\n".join([table[0], table[1].replace(";x;", ";3,50;")])
    assert (await shop.upload(corrected, mode="merge"))["state"] == "published"
    assert await shop.prices() == {"A": "3.50", "B": "2.50"}


async def test_header_cells_of_an_export_never_run_either(shop: Shop) -> None:
    formula = '=HYPERLINK("http://hooks.example.com")'
    table = f'sku,unit,currency,price,"{formula.replace(chr(34), chr(34) * 2)}",@x\nA,C62,EUR,x,,\n'
    done = await shop.upload(table, mode="replace")
    path = f"/api/v1/price_imports/{done['id']}/errors"
    answer = await shop.client.get(path, params={"format": "csv"})
    header = next(csv.reader(io.StringIO(answer.text)))
    assert header[4:6] == ["'" + formula, "'@x"]


@pytest.mark.parametrize("filling", [b"x", b'""', b","])
def test_an_endless_cell_is_not_held_in_memory(filling: bytes) -> None:
    """Sixty-four mebibytes in one quoted cell: it took nine times as much, and minutes."""
    header = ("sku", "unit", "currency", "price")
    dialect = Dialect(header=header, columns={name: name for name in header})
    reader = CsvReader(Reading(dialect, 1))
    piece = filling * ((1 << 20) // len(filling))
    tracemalloc.start()
    try:
        batches = [reader.feed(b'sku,unit,currency,price\nG,C62,EUR,1\n"B', last=False)]
        batches += [reader.feed(piece, last=False) for _ in range(64)]
        batches.append(reader.feed(b'",C62,EUR,1\nH,C62,EUR,2\n', last=True))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16 << 20
    done = [batch for batch in batches if batch is not None]
    assert [error.code for batch in done for error in batch.errors] == ["row_too_long"]
    assert [sku for batch in done for sku in batch.frame["sku"]] == ["G", "H"]


@pytest.mark.parametrize(
    "text",
    [
        f"<t>{'x' * (4 << 20)}</t>",
        f"<r><t>{'x' * 30_000}</t></r>" * 131,
    ],
)
async def test_a_huge_cell_of_a_workbook_is_refused_before_it_is_read(
    shop: Shop, text: str
) -> None:
    plain = workbook([["sku", "unit", "currency", "price"], ["HUGE", "C62", "EUR", "1"]])
    cell = b'<t xml:space="preserve">HUGE</t>'
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain)) as old, zipfile.ZipFile(file, "w", 8) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(cell, text.encode()))
    done = await shop.upload(file.getvalue(), mode="replace", format="xlsx")
    assert (done["state"], done["failure"]["code"]) == ("failed", "cell_too_long"), done


def test_exports_never_run() -> None:
    assert [
        harmless(text) for text in ("=1", "@x", "-2+3", "+cmd", "\n=1", "\uff1d1", "-5", "A")
    ] == [
        "'=1",
        "'@x",
        "'-2+3",
        "'+cmd",
        "'\n=1",
        "'\uff1d1",
        "-5",
        "A",
    ]


def test_a_gzip_piece_is_never_larger_than_its_bound() -> None:
    gunzip = Gunzip()
    packed = gzip.compress(bytes(range(256)) * 60_000)
    pieces = gunzip.feed(packed)
    assert max(map(len, pieces)) <= 4 << 20
    assert sum(map(len, pieces)) == 256 * 60_000


async def test_a_sender_may_begin_anew(shop: Shop) -> None:
    content = (HEADER + GOOD).encode()
    begun = await shop.begin(mode="replace", sha256=hashlib.sha256(content).hexdigest())
    assert (await shop.send(begun["id"], b"half of i")).status_code == 422
    assert (await shop.send(begun["id"], content)).status_code == 200
    # Once it is on its way, nobody changes the file under the worker.
    assert (await shop.send(begun["id"], content)).status_code == 409
    await shop.work()
    assert await shop.prices() == {"G": "1.00"}
