"""The one table of columns: everything follows from it, and a new row is a new column."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from marketplace.kernel.settings import Settings
from pricing.imports import columns
from pricing.imports.check import cells, checks
from pricing.imports.read.dialect import our_column
from pricing.lists.rules import Line
from pricing.lists.schemas import LineView
from tests.pricing.conftest import Shop

TABLE = Path(columns.__file__)
DOCS = TABLE.parents[2] / "docs" / "uploading-prices.md"
PLANTED = """    Column(
        name="stock",
        kind=Kind.DECIMAL,
        zero=True,
        meaning="how many can be delivered at once",
        synonyms="bestand lagerbestand",
    ),
"""
WORKER = """
import asyncio, importlib.util, sys
table, database_url = sys.argv[1:]
spec = importlib.util.spec_from_file_location("pricing.imports.columns", table)
module = importlib.util.module_from_spec(spec)
sys.modules["pricing.imports.columns"] = module
spec.loader.exec_module(module)
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from pricing.imports.run import work_imports
asyncio.run(work_imports(Database(database_url), Clock()))
"""


def test_a_line_and_its_wire_form_have_every_column() -> None:
    assert set(columns.NAMES) <= set(Line.__struct_fields__)
    assert set(columns.NAMES) - {"currency"} <= set(LineView.__struct_fields__)


async def test_the_published_lines_have_every_column_in_its_type(settings: Settings) -> None:
    connection = await asyncpg.connect(settings.database_url)
    rows = await connection.fetch(
        "SELECT column_name AS name, data_type AS type FROM information_schema.columns"
        " WHERE table_name = 'price_lines'"
    )
    await connection.close()
    types = {row["name"]: row["type"] for row in rows}
    assert {column.name: column.kind.sql for column in columns.COLUMNS}.items() <= types.items()


def test_every_kind_of_cell_is_checked_and_explained() -> None:
    for column in columns.COLUMNS:
        assert column.kind in checks._WRONG
        assert cells.code_of(column, "=1", None) == "formula"
        assert cells.code_of(column, None, None) == "missing"


def test_a_synonym_means_one_column() -> None:
    for column in columns.COLUMNS:
        for word in (column.name, *column.synonyms.split()):
            assert our_column(word) == column.name, word


def test_the_guide_has_the_table() -> None:
    rows = [f"| `{each.name}` | {each.meaning} | {each.blank} |" for each in columns.COLUMNS]
    assert "\n".join(["|---|---|---|", *rows]) in DOCS.read_text()


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """The table of columns with one row more."""
    head, _, rest = TABLE.read_text().partition("\n)\n\nBY_NAME")
    assert rest, "the table ends in another way"
    path = tmp_path / "columns.py"
    path.write_text(f"{head}\n{PLANTED})\n\nBY_NAME{rest}")
    return path


async def test_one_row_is_a_new_column(shop: Shop, settings: Settings, planted: Path) -> None:
    """Read by its synonym, checked, staged, merged, deleted and sent back as any other."""
    owner = await asyncpg.connect(settings.database_url)
    await owner.execute("SET app.scope = 'system'")
    await owner.execute("ALTER TABLE price_lines ADD COLUMN stock numeric")
    head = "sku,unit,currency,price,Lagerbestand\n"
    try:
        for content, expected, invalid in (
            ("A,C62,EUR,1,12.5\nB,C62,EUR,1,\nC,C62,EUR,1,0\n", {"A": 12.5, "B": None, "C": 0}, 0),
            ("A,C62,EUR,1,7\nB,C62,EUR,1,3\nC,C62,EUR,1,\n", {"A": 7, "B": 3, "C": 0}, 0),
            (
                "A,C62,EUR,1,#delete\nB,C62,EUR,1,-3\nC,C62,EUR,1.1,\n",
                {"A": None, "B": 3, "C": 0},
                1,
            ),
        ):
            begun = await shop.begin(on_error="reject_rows")
            await shop.send(begun["id"], (head + content).encode())
            work = await asyncio.create_subprocess_exec(
                sys.executable, "-c", WORKER, str(planted), settings.database_url
            )
            assert await work.wait() == 0
            done = await shop.show(begun["id"])
            assert done["state"] == "published", done
            assert done["rows"]["invalid"] == invalid, await shop.errors(begun["id"])
            rows = await owner.fetch(
                "SELECT l.sku, l.stock FROM price_lines l JOIN price_lists p USING (list_no)"
                " WHERE p.id = $1 AND l.until IS NULL",
                UUID(shop.list_id),
            )
            assert {row["sku"]: row["stock"] for row in rows} == expected
        [error] = await shop.errors(begun["id"])
        assert (error["column"], error["code"]) == ("stock", "negative")
    finally:
        await owner.execute("ALTER TABLE price_lines DROP COLUMN stock")
        await owner.close()
