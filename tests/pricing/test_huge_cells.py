"""Cells that grow by unpacking: refused before a library holds them, however they are written."""

from __future__ import annotations

import io
import random
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pricing.imports.check.checks import Check, check
from pricing.imports.check.exports import workbook
from pricing.imports.read.dialect import Dialect, Unreadable
from pricing.imports.read.formats import CsvReader, ParquetTable, Reading
from pricing.imports.read.formats.parquet import BATCH_ROWS
from pricing.imports.read.formats.parquet_pages import Unpacked
from pricing.imports.read.formats.sheets import Sheet
from pricing.imports.read.intake import Intake
from pricing.imports.rules import REJECTED_BYTES_MAX
from tests.pricing.conftest import Shop

HEAD = ("sku", "unit", "currency", "price", "name")
MIB = 1 << 20
PEAK = """
import resource, sys
from pathlib import Path
from pricing.imports.read.dialect import Dialect, Unreadable
from pricing.imports.read.formats import ParquetTable, Reading
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
before = peak()
table = ParquetTable(Path(sys.argv[1]))
dialect = Dialect(header=table.header, columns={name: name for name in table.header})
told = "read"
try:
    for batch in table.batches(Reading(dialect, 1)):
        pass
except Unreadable as wrong:
    told = wrong.code
print(told, peak() - before)
"""


def parquet(names: list[str], rows_together: int | None = None) -> bytes:
    count = len(names)
    columns = [[f"S{n}" for n in range(count)], *([each] * count for each in ("C62", "EUR", "1"))]
    file = io.BytesIO()
    frame = pl.DataFrame(dict(zip(HEAD, [*columns, names], strict=True)))
    frame.write_parquet(file, row_group_size=rows_together)
    return file.getvalue()


def reading_of(table: ParquetTable) -> Reading:
    # A damaged file may have damaged names; what they mean is known here.
    return Reading(
        Dialect(header=table.header, columns=dict(zip(table.header, HEAD, strict=False))), 1
    )


async def test_a_huge_cell_of_a_parquet_file_is_refused(shop: Shop) -> None:
    content = parquet(["x" * (100 * MIB), "y"])
    assert len(content) < MIB
    done = await shop.upload(content, mode="replace", format="parquet")
    assert (done["state"], done["failure"]["code"]) == ("failed", "page_too_large"), done
    assert (await shop.price_list())["version"] == 0


@pytest.mark.parametrize(
    ("names", "rows_together", "told"),
    [
        (["x" * (200 * MIB), "y"], None, "page_too_large"),
        ([f"{'x' * (40 * MIB)}{n}" for n in range(8)], 1, "read"),
    ],
)
def test_a_parquet_file_takes_little_memory(
    names: list[str], rows_together: int | None, told: str, tmp_path: Path
) -> None:
    """The first one took 470 MiB before it was refused, the other one three hundred."""
    path = tmp_path / "huge.parquet"
    path.write_bytes(parquet(names, rows_together))
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True
    )
    answer, grown = done.stdout.split()
    assert answer == told
    assert int(grown) < 200, f"{grown} MiB"


def test_all_rows_of_a_parquet_file_come_in_order(tmp_path: Path) -> None:
    path = tmp_path / "good.parquet"
    path.write_bytes(parquet([f"N{n}" for n in range(120_000)], 70_000))
    table = ParquetTable(path)
    batches = list(table.batches(reading_of(table)))
    names = pl.concat([batch.frame["name"] for batch in batches])
    assert names.to_list() == [f"N{n}" for n in range(120_000)]
    spans = list(Unpacked(path, HEAD).spans(BATCH_ROWS))
    assert spans == [(0, BATCH_ROWS), (BATCH_ROWS, BATCH_ROWS), (2 * BATCH_ROWS, 20_000)]


def test_a_damaged_parquet_file_is_unreadable_and_nothing_else(tmp_path: Path) -> None:
    good = parquet([f"N{n}" for n in range(100)], 40)
    path = tmp_path / "damaged.parquet"
    chance = random.Random(7)
    refused = set()
    for _ in range(300):
        content = bytearray(good)
        for _ in range(3):
            content[-8 - chance.randrange(len(good) - 8)] = chance.randrange(256)
        path.write_bytes(content[: chance.choice([len(good), chance.randrange(len(good))])])
        try:
            table = ParquetTable(path)
            assert sum(batch.rows for batch in table.batches(reading_of(table))) <= 100
        except Unreadable as wrong:
            refused.add(wrong.code)
    assert refused == {"broken_parquet"}


def changed(change: Callable[[str], str]) -> bytes:
    """A workbook of one row, its sheet rewritten."""
    plain = zipfile.ZipFile(io.BytesIO(workbook([list(HEAD), ["A", "C62", "EUR", "1", "HUGE"]])))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in plain.namelist():
            body = plain.read(name).decode()
            archive.writestr(name, change(body) if "sheet1" in name else body)
    return file.getvalue()


PART = "x" * 900_000
TEXT = '<c r="E2" t="inlineStr"><is><t xml:space="preserve">HUGE</t></is></c>'
WAYS = {
    "plain": PART * 4,
    "a CDATA section": f"<![CDATA[{(PART + '</c><c>') * 4}]]>",
    "many CDATA sections": f"<![CDATA[{PART}</c>]]>" * 4,
    "between comments": f"{PART}<!-- </c><c> -->" * 4,
    "a comment": f"<!--{(PART + '</c><c>') * 8}-->",
    "between instructions": f"{PART}<?x </c>?>" * 4,
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_huge_cell_of_a_workbook_is_refused_however_it_is_written(
    shop: Shop, way: str
) -> None:
    content = changed(lambda sheet: sheet.replace("HUGE", WAYS[way]))
    done = await shop.upload(content, mode="replace", format="xlsx")
    assert (done["state"], done["failure"]["code"]) == ("failed", "cell_too_long"), done


@pytest.mark.parametrize(
    "cell",
    [
        f'<c r="E2" t="str"><v>{(PART + "<c></c>") * 4}</v></c>',
        f'<c r="E2" t="str"><v>{(PART + "</c><c r=`B1`>".replace("`", chr(34))) * 4}</v></c>',
        f'<c r="E2" t="inlineStr"><is><r><t>{PART}</t></r><c></c><r><t>{PART * 3}</t></r></is></c>',
        f'<c r="E2" x="{(PART + "</c><c>") * 8}"><v>1</v></c>',
    ],
)
def test_xml_that_only_looks_like_ended_cells_is_refused(cell: str, tmp_path: Path) -> None:
    path = tmp_path / "sly.xlsx"
    path.write_bytes(changed(lambda sheet: sheet.replace(TEXT, cell)))
    with pytest.raises(Unreadable) as refused:
        Sheet(path, wanted=None, remembered=None)
    assert refused.value.code in {"cell_too_long", "broken_xlsx"}


@pytest.mark.parametrize("strings", [40, 400])
def test_a_string_that_many_cells_share_counts_in_each(strings: int, tmp_path: Path) -> None:
    """A few kilobytes of a file would become gigabytes of texts."""
    rows = "".join(
        f'<row r="{n}"><c r="A{n}" t="s"><v>{n % strings}</v></c></row>' for n in range(1, 20_001)
    )
    shared = "".join(f"<si><t>{n:03d}{'x' * 32_000}</t></si>" for n in range(strings))
    content = zipfile.ZipFile(
        io.BytesIO(changed(lambda sheet: re.sub("<row.*</row>", lambda _: rows, sheet, flags=re.S)))
    )
    path = tmp_path / "shared.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in content.namelist():
            archive.writestr(name, content.read(name))
        archive.writestr("xl/sharedStrings.xml", f"<sst>{shared}</sst>")
    with pytest.raises(Unreadable) as refused:
        Sheet(path, wanted=None, remembered=None)
    assert refused.value.code == "unpacked_too_large"


@pytest.mark.parametrize(
    "text", ["<![CDATA[Pumps & Co]]>", "Pumps &amp; Co", "Pumps &amp; <!-- and --> Co"]
)
async def test_small_cells_are_read_however_they_are_written(shop: Shop, text: str) -> None:
    content = changed(lambda sheet: sheet.replace("HUGE", text))
    done = await shop.upload(content, mode="replace", format="xlsx")
    assert done["state"] == "published", done
    [line] = await shop.lines()
    assert line["name"].split() == ["Pumps", "&", "Co"]


def test_failed_rows_are_kept_up_to_a_size() -> None:
    dialect = Dialect(header=HEAD, columns={name: name for name in HEAD})
    reader = CsvReader(Reading(dialect, 1))
    how = Check(HEAD, ".", "merge", frozenset(["C62"]), 100_000)
    intake = Intake()
    reader.feed((",".join(HEAD) + "\n").encode(), last=False)
    piece = "".join(f"A{n},C62,EUR,x,{'y' * 60_000}\n" for n in range(100)).encode()
    for _ in range(15):
        batch = reader.feed(piece, last=False)
        if batch is not None:
            intake.add(batch, check(batch.frame, how))
    intake.close()
    kept = sum(len(told["raw"]) for told in intake.rejects.values())
    assert REJECTED_BYTES_MAX - 70_000 < kept <= REJECTED_BYTES_MAX
    assert intake.invalid == 1_500
