"""Bulk prices from the first byte received to the version switch, against a bare `COPY` of the same
file into an unindexed text table in the same run; memory of the worker; `resolve` at 5 M lines.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import asyncpg
import msgspec
import polars as pl
import uvloop
from sqlalchemy import text

from benchmarks.harness import Figure, Stolen, quantile_ms, servers, show
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.collector import settle
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.ids import OrganisationId, UserId
from pricing.imports import service as imports
from pricing.imports.check.exports import workbook
from pricing.imports.columns import NAMES
from pricing.imports.rules import Format
from pricing.imports.run import work_imports
from pricing.imports.schemas import ImportView, NewPriceImport
from pricing.imports.upload.receive import receive
from pricing.lists import service as lists
from pricing.lists.schemas import NewPriceList

ROWS = 1_000_000
SHEET_ROWS = 100_000
RESOLVE_LINES = 5_000_000
RESOLVE_CALLS = 2_000
READ_BYTES = 256 << 10


class Outcome(msgspec.Struct):
    """What one child process measured: seconds from the first byte to published, peak in MiB."""

    seconds: float
    peak_mib: float
    applied: int
    unchanged: int
    stages: dict[str, float]


def write_file(path: Path, rows: int, *, changed_share: float = 0.0) -> None:
    """Rows like an export: two quantity breaks a SKU, all columns filled, one seed."""
    prices, changes = random.Random(1), random.Random(2)
    with path.open("w") as file:
        file.write(",".join(NAMES) + "\n")
        for n in range(rows):
            cents = prices.randint(100, 999_999)
            if changed_share and changes.random() < changed_share:
                cents += cents // 20 + 1
            file.write(
                f"SKU-{n // 2:07d},S{n:07d},Pump part number {n},C62,EUR,"
                f"{cents // 100}.{cents % 100:02d},1,{10 if n % 2 else 1},2026-01-01,2026-12-31,"
                f"{n % 30},1,1,DAP\n"
            )


def convert(source: Path, kind: Format, rows: int) -> Path:
    """The first `rows` of a CSV in another format."""
    target = source.with_suffix(f".{kind}")
    frame = pl.read_csv(source, infer_schema=False, n_rows=rows)
    if kind == "jsonl":
        frame.write_ndjson(target)
    elif kind == "parquet":
        frame.write_parquet(target)
    else:
        cells = [list(NAMES), *([str(cell) for cell in row] for row in frame.iter_rows())]
        target.write_bytes(workbook(cells))
    return target


async def bare_copy(database_url: str, path: Path) -> float:
    """Seconds of the barest thing that takes the same file."""
    connection = await asyncpg.connect(database_url)
    try:
        columns = ", ".join(f"{name} text" for name in NAMES)
        best = float("inf")
        for _ in range(2):
            await connection.execute("DROP TABLE IF EXISTS bare")
            await connection.execute(f"CREATE TABLE bare ({columns})")
            begun = time.perf_counter()
            await connection.copy_to_table("bare", source=path, format="csv", header=True)
            best = min(best, time.perf_counter() - begun)
        await connection.execute("DROP TABLE bare")
        return best
    finally:
        await connection.close()


def supplier_of(number: int) -> Actor:
    return Actor(
        user_id=UserId(UUID(int=number)),
        organisation_id=OrganisationId(UUID(int=number)),
        roles=frozenset(["partner_manager"]),
        capabilities=frozenset(["supplies"]),
    )


async def make_buyer(database: Database) -> Actor:
    """Somebody who may read base lists."""
    buyer = msgspec.structs.replace(supplier_of(999_999), capabilities=frozenset(["buys"]))
    async with database.transaction(SYSTEM) as session:
        await session.execute(
            text(
                """INSERT INTO organisations (id, name, country, tax_id, tax_id_normal,
                    capabilities, state, created_at)
                VALUES (:id, 'Bench', 'DE', 'buyer', 'buyer', '{buys}', 'active', now())
                ON CONFLICT DO NOTHING"""
            ),
            {"id": buyer.organisation_id},
        )
    return buyer


async def make_supplier(database_url: str, number: int) -> UUID:
    """An active supplier with an empty price list, whose id is returned."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("SET app.scope = 'system'")
        await connection.execute(
            """INSERT INTO organisations (id, name, country, tax_id, tax_id_normal, capabilities,
                state, created_at)
            VALUES ($1, 'Bench', 'DE', $2, $2, '{supplies}', 'active', now())""",
            UUID(int=number),
            str(number),
        )
    finally:
        await connection.close()
    database = Database(database_url)
    try:
        async with database.transaction(supplier_of(number)) as session:
            data = NewPriceList(name="Bench")
            made = await lists.create_list(session, supplier_of(number), data, Clock().now())
            return made.id
    finally:
        await database.close()


async def upload(
    database_url: str, number: int, list_id: UUID, path: Path, kind: Format
) -> Outcome:
    """Runs in a process of its own, so that its peak memory is the upload's."""
    database, clock, actor = Database(database_url), Clock(), supplier_of(number)
    try:
        async with database.transaction(actor) as session:
            data = NewPriceImport(price_list_id=list_id, mode="replace", format=kind)
            made = await imports.begin(session, actor, data, clock.now())
        begun = time.perf_counter()
        await receive(database, actor, clock, made.id, pieces(path), None)
        await work_imports(database, clock)
        seconds = time.perf_counter() - begun
        async with database.transaction(actor) as session:
            view = await imports.show(session, actor, made.id)
        assert view.state == "published", view
        return Outcome(
            seconds, peak_mib(), view.rows.applied, view.rows.unchanged, dict(stage_seconds(view))
        )
    finally:
        await database.close()


def peak_mib() -> float:
    """Of this process since its start (`ru_maxrss` would begin with the parent's)."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def stage_seconds(view: ImportView) -> Iterator[tuple[str, float]]:
    for stage in view.stages:
        if stage.ended_at is not None:
            took = datetime.fromisoformat(stage.ended_at) - datetime.fromisoformat(stage.started_at)
            yield stage.name, took.total_seconds()


async def pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while data := file.read(READ_BYTES):
            yield data


def in_child(database_url: str, number: int, list_id: UUID, path: Path, kind: Format) -> Outcome:
    words = [database_url, str(number), str(list_id), str(path), kind]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.prices", "--upload", *words],
        check=True,
        capture_output=True,
        text=True,
    )
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Outcome)


async def resolve_latencies(database_url: str, number: int) -> tuple[list[float], str]:
    """Seconds of each of RESOLVE_CALLS at random SKUs of five lists of a million lines each, and
    what was stolen meanwhile.
    """
    connection = await asyncpg.connect(database_url)
    list_ids = [await make_supplier(database_url, number + n) for n in range(5)]
    try:
        await connection.execute("SET app.scope = 'system'")
        for list_id in list_ids:
            await connection.execute(
                """INSERT INTO price_lines (list_no, since, row_no, sku, unit, currency, price,
                    price_unit, min_quantity)
                SELECT list_no, 1, n, 'SKU-' || lpad((n / 2)::text, 7, '0'), 'C62', 'EUR',
                    n % 9973 + 0.5, 1, CASE WHEN n % 2 = 0 THEN 1 ELSE 10 END
                FROM price_lists, generate_series(0, $2::int - 1) n WHERE id = $1""",
                list_id,
                RESOLVE_LINES // 5,
            )
            await connection.execute(
                "INSERT INTO price_versions VALUES ($1, 1, 1, NULL, NULL, $2, $2, now())",
                list_id,
                RESOLVE_LINES // 5,
            )
            await connection.execute(
                "UPDATE price_lists SET version = 1, content = 1, last_content = 1 WHERE id = $1",
                list_id,
            )
        await connection.execute("VACUUM ANALYZE price_lines")
    finally:
        await connection.close()
    stolen = Stolen()
    return await _resolve_all(database_url, number), str(stolen)


async def _resolve_all(database_url: str, number: int) -> list[float]:
    # As a node does once it has started.
    settle()
    database = Database(database_url)
    buyer = await make_buyer(database)
    skus, latencies = random.Random(3), []
    today = datetime(2026, 6, 1, tzinfo=UTC).date()
    try:
        for call in range(RESOLVE_CALLS + 100):
            sku = f"SKU-{skus.randrange(RESOLVE_LINES // 10):07d}"
            begun = time.perf_counter()
            async with database.reading(buyer) as reader:
                answer = await lists.price_of(
                    reader,
                    UUID(int=number + call % 5),
                    sku,
                    quantity="12",
                    currency="EUR",
                    on=today,
                    known_at=None,
                )
            if call >= 100:
                latencies.append(time.perf_counter() - begun)
            assert answer.price is not None
            assert Decimal(answer.price.amount) > 0
    finally:
        await database.close()
    return latencies


class Bench:
    """One set of servers, files and empty lists for the parts that are asked for."""

    def __init__(self, url: str, folder: Path, rows: int) -> None:
        self.figures: list[Figure] = []
        self._url, self._folder, self._rows = url, folder, rows
        self._suppliers = 0

    def told(self, *new: Figure) -> None:
        self.figures.extend(new)
        show(new)

    def upload(self, path: Path, kind: Format, to: tuple[int, UUID] | None = None) -> Outcome:
        """Into the list of `to`, else into a new one."""
        number, list_id = to or self.empty_list()
        return in_child(self._url, number, list_id, path, kind)

    def empty_list(self) -> tuple[int, UUID]:
        self._suppliers += 1
        return self._suppliers, asyncio.run(make_supplier(self._url, self._suppliers))

    def file(self, name: str, rows: int, *, changed_share: float = 0.0) -> Path:
        path = self._folder / f"{name}.csv"
        if not path.exists():
            write_file(path, rows, changed_share=changed_share)
        return path

    def csv(self) -> None:
        """A tenth, the whole, and the whole with 1 % changed."""
        rows = self._rows
        full = self.file("full", rows)
        small = self.upload(self.file("tenth", rows // 10), "csv")
        self.told(*_figures(f"CSV, {rows // 10:,} rows, first upload", small))
        # The limit on both sides of what is compared with it: a machine is seldom equally busy.
        before = asyncio.run(bare_copy(self._url, full))
        target = self.empty_list()
        first = self.upload(full, "csv", target)
        limit = (before + asyncio.run(bare_copy(self._url, full))) / 2
        self.told(Figure(name="bare COPY before and after, mean", value=limit, unit="s"))
        self.told(*_figures(f"CSV, {rows:,} rows, first upload", first, limit))
        speed = (rows / first.seconds) / (rows / 10 / small.seconds)
        self.told(Figure(name=f"throughput at {rows:,} to that at a tenth", value=speed, unit="x"))
        again = self.file("again", rows, changed_share=0.01)
        second = self.upload(again, "csv", target)
        self.told(*_figures("the same file with 1 % changed", second))
        share = second.seconds / first.seconds
        self.told(Figure(name="second upload to first", value=share, unit="x"))

    def formats(self) -> None:
        """The other formats, the whole file each but for a sheet."""
        kinds: dict[Format, int] = {"jsonl": self._rows, "parquet": self._rows, "xlsx": SHEET_ROWS}
        for kind, rows in kinds.items():
            path = convert(self.file("full", self._rows), kind, rows)
            self.told(*_figures(f"{kind}, {rows:,} rows", self.upload(path, kind)))

    def resolve(self) -> None:
        """One price at a time among RESOLVE_LINES."""
        # On the loop that the nodes run on.
        latencies, stolen = uvloop.run(resolve_latencies(self._url, 100))
        for quantile in (0.5, 0.99):
            name = f"resolve, {RESOLVE_LINES:,} lines: p{quantile * 100:.0f}"
            value = quantile_ms(latencies, quantile)
            self.told(Figure(name=name, value=value, unit="ms", note=f"({stolen})"))


PARTS = {"csv": Bench.csv, "formats": Bench.formats, "resolve": Bench.resolve}


def run(rows: int = ROWS, parts: Sequence[str] = tuple(PARTS)) -> list[Figure]:
    """The figures of `parts`, shown as they come."""
    with servers() as both, tempfile.TemporaryDirectory() as folder:
        bench = Bench(both.database_url, Path(folder), rows)
        for part in parts:
            PARTS[part](bench)
    return bench.figures


def _figures(name: str, done: Outcome, limit: float | None = None) -> list[Figure]:
    stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in done.stages.items())
    rows = done.applied + done.unchanged
    return [
        Figure(
            name=name,
            value=done.seconds,
            unit="s",
            ratio=None if limit is None else limit / done.seconds,
            limit="bare COPY",
            note=f"({rows / done.seconds:,.0f} rows/s; {stages})",
        ),
        Figure(name=f"{name}: peak memory", value=done.peak_mib, unit="MiB"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--upload", nargs=5, metavar="ARG", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.upload is None:
        run(options.rows, options.parts)
        return
    url, number, list_id, path, kind = options.upload
    done = uvloop.run(upload(url, int(number), UUID(list_id), Path(path), kind))
    print(msgspec.json.encode(done).decode())


if __name__ == "__main__":
    main()
